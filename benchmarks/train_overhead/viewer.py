"""Watches one run as a page does, from its first event to its end, and prints how many events came and whether none was missing.

python benchmarks/train_overhead/viewer.py <server> <run id>
"""

from __future__ import annotations

import asyncio
import json
import sys

from protobuf import Oneof

from rlmaze_api.rlmaze.training.v1.training_service_connect import TrainingServiceClient
from rlmaze_api.rlmaze.training.v1.training_service_pb import TrainingEvents, WatchTrainingRequest


async def main() -> None:
    url, run_id = sys.argv[1:]
    last, whole = 0, True
    async with TrainingServiceClient(url) as client:
        async for message in client.watch_training(WatchTrainingRequest(run_id=run_id)):
            match message.message:
                case Oneof(value=TrainingEvents(events=events)):
                    for event in events:
                        whole = whole and event.sequence == last + 1
                        last = event.sequence
                case _:
                    pass
    print(json.dumps({"events": last, "whole": whole}))


if __name__ == "__main__":
    asyncio.run(main())
