"""metric-ingest: how many figures of a training can be taken in and shown, and how soon a long run opens.

Ours is the whole way: the process of a run tells episodes as fast as anybody takes them, the trainer keeps them, our server reads and stores
them in PostgreSQL, and the clock stops when GetTrainingHistory shows the last one. The peer is `mlflow.log_metric`, a call for each figure,
as MLflow's documentation has it, on an MLflow server with the same PostgreSQL. Beside it: our follower, which writes to that MLflow server
in batches. At last a run with a million episodes is opened: ours from the store, whole and down-sampled; MLflow's run with as many points of
one metric by its own `metrics/get-history`, page by page, and by the sampling call that its own page uses.

    python benchmarks/metric_ingest/run.py [--quick]
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine_under_test import ROOT, load_core, pinned, server_core
from side_by_side import Row, Sample, say, take_turns
from training_chain import Chain, process_environment, read_events, training_chain

from rlmaze_trainer.mlflow_client import Metric, MLflowClient
from rlmaze_trainer.mlflow_entries import metrics_of

HERE = Path(__file__).resolve().parent
BAR = 50.0
OPEN_LIMIT_S = 1.0
LIMIT_S = 600
POINTS_AN_EPISODE = 3  # reward, length, success


def main() -> None:
    quick = "--quick" in sys.argv
    rounds, seconds = (2, 2) if quick else (4, 4)
    episodes = 100_000 if quick else 1_000_000
    with training_chain([sys.executable, str(HERE / "flood.py")], server_core(), server_core()) as chain:
        peers: list[dict[str, Any]] = []

        def peer() -> Sample:
            command = pinned(load_core(), [sys.executable, str(HERE / "peer.py"), chain.mlflow.url, str(seconds)])
            done = subprocess.run(command, env=process_environment(), cwd=ROOT, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"metric-ingest: {done.stderr[-2000:]}")
            peers.append(json.loads(done.stdout.splitlines()[-1]))  # MLflow says where to view the run, before
            return {"us": 1e6 * peers[-1]["seconds"] / peers[-1]["points"]}

        runs: list[str] = []

        def ours() -> Sample:
            run_id, passed = ingest(chain, episodes // rounds)
            runs.append(run_id)
            return {"us": 1e6 * passed / (episodes // rounds * POINTS_AN_EPISODE)}

        say(f"metric-ingest: {episodes // rounds:,} episodes a turn")
        turns = take_turns(ours, peer, rounds)
        ratio = turns.ratio("us")
        version = peers[0]["version"]
        Row(
            benchmark="metric-ingest",
            figure="time a point, from the run's process to what GetTrainingHistory shows",
            unit="µs",
            ours=turns.median("ours", "us"),
            peer=turns.median("peer", "us"),
            peer_name=f"mlflow.log_metric {version}, one by one, same PostgreSQL",
            ratio=ratio,
            bar=f"≥ {BAR:g} ×",
            passed=ratio >= BAR,
            control=turns.control("us"),
            note=f"{1e6 / turns.median('ours', 'us'):,.0f} against {1e6 / turns.median('peer', 'us'):,.0f} points a second",
        ).emit()
        follow(chain, runs[-1], turns.median("peer", "us"), version, 2_000 if quick else 20_000)
        open_long_run(chain, episodes, version)


def config_yaml(episodes: int) -> str:
    return (
        "name: metric-ingest\ntitle: Flood\ndescription: For the benchmark metric-ingest.\nalgorithm: PPO\nobservation: memory/1\n"
        f"timesteps: {episodes}\ndevice: cpu\nppo: {{}}\n"
    )


def ingest(chain: Chain, episodes: int) -> tuple[str, float]:
    """Runs one flood; returns its id and the seconds from its first event until the server shows its last episode."""
    run_id = chain.start(config_yaml(episodes))
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        # Asking for the facts costs next to nothing; the history is asked for when it should be whole.
        if chain.ask("TrainingService", "GetTraining", {"runId": run_id})["training"].get("latest", {}).get("episodes") == str(episodes):
            reward = curve(chain, run_id, "CURVE_KEY_EPISODE_REWARD")
            if int(reward["points"]) == episodes:
                shown = time.time()
                began = next(event.happened_at for event in read_events(chain.trainer.runs / run_id))
                return run_id, shown - began.seconds - began.nanos / 1e9
        time.sleep(0.02)
    raise SystemExit(f"metric-ingest: {run_id} is not shown after {LIMIT_S} s")


def curve(chain: Chain, run_id: str, key: str) -> dict[str, Any]:
    history = chain.ask("TrainingHistoryService", "GetTrainingHistory", {"runId": run_id})
    return next((one for one in history.get("curves", []) if one["key"] == key), {"points": "0"})


def follow(chain: Chain, run_id: str, peer_us: float, version: str, most: int) -> None:
    """Writes the points of a run to MLflow as the follower does, and times it."""
    points: list[Metric] = []
    events = list(read_events(chain.trainer.runs / run_id))
    while len(points) < most:  # the events of a run again and again, at other steps: MLflow keeps equal points once
        shift = len(points)
        found = [metric for event in events for metric in metrics_of(event)]
        points += [Metric(one.key, one.value, one.step + shift, one.timestamp_ms) for one in found]
    points = points[:most]

    async def write() -> float:
        client = MLflowClient(chain.mlflow.url, 60)
        experiment = await client.experiment("metric-ingest-follower")
        run = await client.create_run(experiment, "follower", int(time.time() * 1000), {})
        began = time.perf_counter()
        await client.log(run.run_id, points)
        passed = time.perf_counter() - began
        await client.close()
        return passed

    passed = asyncio.run(write())
    ours = 1e6 * passed / len(points)
    Row(
        benchmark="metric-ingest",
        figure="time a point, written to MLflow by our follower in batches",
        unit="µs",
        ours=ours,
        peer=peer_us,
        peer_name=f"mlflow.log_metric {version}, one by one, same MLflow",
        ratio=peer_us / ours,
        note=f"{len(points):,} points, {1e6 / ours:,.0f} a second",
    ).emit()


def open_long_run(chain: Chain, episodes: int, version: str) -> None:
    """Opens a run of a million episodes, ours and MLflow's."""
    say(f"metric-ingest: a run of {episodes:,} episodes")
    run_id, _ = ingest(chain, episodes)
    ours = []
    for _ in range(7):
        began = time.perf_counter()
        found = curve(chain, run_id, "CURVE_KEY_EPISODE_REWARD")
        ours.append(time.perf_counter() - began)
        if int(found["points"]) != episodes:
            raise SystemExit(f"metric-ingest: only {found['points']} of {episodes} episodes are shown")
    mlflow_run = fill_mlflow(chain, episodes)
    began = time.perf_counter()
    pages, shown = read_history(chain, mlflow_run)
    theirs = time.perf_counter() - began
    if shown != episodes:
        raise SystemExit(f"metric-ingest: MLflow shows {shown} of {episodes} points")
    began = time.perf_counter()
    query = urllib.parse.urlencode({"run_ids": mlflow_run, "metric_key": "reward", "max_results": 2000})
    ask_mlflow(chain, f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}")
    sampled = time.perf_counter() - began
    Row(
        benchmark="metric-ingest",
        figure=f"opening a run of {episodes:,} episodes: all curves, 2,000 points each",
        unit="s",
        ours=median(ours),
        peer=theirs,
        peer_name=f"MLflow {version}, metrics/get-history of one metric",
        ratio=theirs / median(ours),
        bar=f"< {OPEN_LIMIT_S:g} s",
        passed=max(ours) < OPEN_LIMIT_S,
        note=(
            f"slowest of {len(ours)}: {max(ours):.2f} s; ours holds reward, length and success of every episode, and the figures of every "
            f"progress; MLflow's {episodes:,} points of one metric, {pages} pages, came by SQL; its own page's sampling call: {sampled:.2f} s"
        ),
    ).emit()


def fill_mlflow(chain: Chain, points: int) -> str:
    """Puts a run with so many points of one metric into MLflow's table: by its interface that would take an hour. Returns the run's id."""

    async def create() -> str:
        client = MLflowClient(chain.mlflow.url, 60)
        experiment = await client.experiment("metric-ingest-long")
        run = await client.create_run(experiment, "long", int(time.time() * 1000), {})
        await client.log(run.run_id, [Metric("reward", 0.5, points, int(time.time() * 1000))])
        await client.close()
        return run.run_id

    run_id = asyncio.run(create())
    with psycopg2.connect(chain.product.stores["MLFLOW_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
            "SELECT 'reward', (n * 37 %% 1000) / 1000.0, 1700000000000 + n, %s, n, false FROM generate_series(1, %s) AS n",
            (run_id, points - 1),
        )
    return run_id


def read_history(chain: Chain, run_id: str) -> tuple[int, int]:
    """Reads all points of the metric as MLflow's own client does; returns the number of pages and of points."""
    token, pages, points = "", 0, 0
    while True:
        query = {"run_id": run_id, "metric_key": "reward", "max_results": 25_000, **({"page_token": token} if token else {})}
        found = ask_mlflow(chain, f"/api/2.0/mlflow/metrics/get-history?{urllib.parse.urlencode(query)}")
        pages, points = pages + 1, points + len(found.get("metrics", []))
        token = found.get("next_page_token", "")
        if not token:
            return pages, points


def ask_mlflow(chain: Chain, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(chain.mlflow.url + path, timeout=LIMIT_S) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


if __name__ == "__main__":
    main()
