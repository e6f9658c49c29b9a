"""Plays the process of a run that tells its episodes as fast as anybody takes them: `flood.py <run folder>`.

The configuration's timesteps say how many episodes; each is one step long. They come a thousand to an event, with a progress, as those of a
real run do, only without the learning between them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from protobuf.wkt.google.protobuf.timestamp_pb import Timestamp

from rlmaze_api.rlmaze.training.v1.training_pb import (
    EpisodeColumns,
    EpisodesEnded,
    TrainingEvent,
    TrainingPhase,
    TrainingProgress,
    TrainingState,
)
from rlmaze_trainer import events
from rlmaze_trainer.event_log import frame

BATCH = 1_000


def send(event: TrainingEvent) -> None:
    event.happened_at = Timestamp.now()
    record = memoryview(frame(event))
    while record:
        record = record[os.write(1, record) :]


def main() -> None:
    total = json.loads((Path(sys.argv[1]) / "run.json").read_text())["timesteps"]
    send(events.state_change(TrainingState.RUNNING, TrainingPhase.LEARNING))
    for first in range(1, total + 1, BATCH):
        numbers = range(first, min(first + BATCH, total + 1))
        columns = EpisodeColumns(
            first_episode=first,
            timesteps=list(numbers),
            # Figures that change, so that nothing can be packed away.
            rewards=[(number * 37 % 1000) / 1000 for number in numbers],
            lengths=[20 + number % 181 for number in numbers],
            reached_goal=[number % 7 != 0 for number in numbers],
        )
        progress = TrainingProgress(
            timesteps=numbers[-1],
            episodes=numbers[-1],
            reward=0.5,
            episode_length=34.5,
            success_rate=0.9,
            loss=1 / first,
            steps_per_second=30_000.0 + first % 997,
            cpu_percent=99.0,
            memory_bytes=500_000_000,
        )
        send(events.episodes_ended(EpisodesEnded(episodes=columns, progress=progress)))


if __name__ == "__main__":
    main()
