"""Logs figures of episodes as MLflow's documentation has it, one by one, for some seconds. Prints points and seconds as JSON.

python benchmarks/metric_ingest/peer.py <MLflow> <seconds>
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow


def main() -> None:
    address, seconds = sys.argv[1], float(sys.argv[2])
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment("metric-ingest")
    points = 0
    with mlflow.start_run() as run:
        mlflow.log_metric("warm", 1.0, step=0)
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            for key, value in (("reward", points % 1000 / 1000), ("episode_length", 20.0 + points % 181), ("success", 1.0)):
                mlflow.log_metric(key, value, step=points // 3)
                points += 1
        passed = time.perf_counter() - began
    shown = len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "reward"))
    if shown != points // 3:
        raise SystemExit(f"MLflow shows {shown} of {points // 3} points")
    print(json.dumps({"points": points, "seconds": passed, "run_id": run.info.run_id, "version": mlflow.__version__}))


if __name__ == "__main__":
    main()
