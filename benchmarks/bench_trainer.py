"""The training service of the benchmarks: the real one, but for the program that plays a run, which BENCH_RUN_COMMAND names (JSON list)."""

from __future__ import annotations

import json
import logging
import os

import uvicorn

from rlmaze_trainer.app import Application, Server
from rlmaze_trainer.settings import Settings
from rlmaze_trainer.supervisor import Supervisor


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    settings = Settings()
    command = json.loads(os.environ["BENCH_RUN_COMMAND"])
    supervisor = Supervisor(
        settings.trainer_runs_dir, ("cpu",), settings.trainer_queue_limit, settings.trainer_stop_grace_ms / 1000, command
    )
    application = Application(settings, supervisor)
    config = uvicorn.Config(
        application, host=settings.host, port=settings.port, log_config=None, access_log=False, timeout_graceful_shutdown=2, lifespan="on"
    )
    Server(application, config).run()


if __name__ == "__main__":
    main()
