"""A process that is ready waits for the next run; nobody has to know which one plays."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import ACTOR, config_yaml

from rlmaze_api.rlmaze.training.v1.training_pb import TrainingState
from rlmaze_trainer.configuration import read_config, written_out
from rlmaze_trainer.supervisor import Order, Supervisor

LIMIT_S = 60.0


def order(act: str) -> Order:
    config = read_config(config_yaml(act))
    return Order(config, written_out(config), 1)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():
            await asyncio.sleep(0.01)


def waiting(supervisor: Supervisor) -> int:
    process = supervisor._launcher._waiting
    return 0 if process is None or process.returncode is not None else process.pid


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


async def test_the_process_that_waits_plays_the_next_run_and_another_one_waits(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, ("cpu",), 4, 0.5, ACTOR, keep_warm=True)
    supervisor.open()
    await until(lambda: waiting(supervisor) > 0)
    first = waiting(supervisor)
    run = supervisor.start(order("slow"))
    await until(lambda: run.latest is not None)
    # Nothing gets ready while a run learns: it has the processors for itself.
    assert waiting(supervisor) == 0
    assert alive(first)
    await supervisor.stop(run)
    assert not alive(first)
    await until(lambda: waiting(supervisor) > 0)
    second = waiting(supervisor)
    assert second != first
    await supervisor.close()
    assert not alive(second)


async def test_a_process_that_died_while_it_waited_is_replaced(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, ("cpu",), 4, 0.5, ACTOR, keep_warm=True)
    supervisor.open()
    await until(lambda: waiting(supervisor) > 0)
    os.kill(waiting(supervisor), 9)
    await until(lambda: waiting(supervisor) == 0)
    run = supervisor.start(order("complete"))
    await until(lambda: run.final)
    assert run.state is TrainingState.COMPLETED
    await supervisor.close()


async def test_no_process_outlives_a_service_that_is_killed() -> None:
    program = (
        "import asyncio, sys; from pathlib import Path; from rlmaze_trainer.launcher import Launcher\n"
        "async def main():\n"
        "    launcher = Launcher(sys.argv[1:], True); launcher.warm_up()\n"
        "    while launcher._waiting is None: await asyncio.sleep(0.01)\n"
        "    print(launcher._waiting.pid, flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *ACTOR, stdout=asyncio.subprocess.PIPE, env=environment
    )  # fmt: skip
    assert service.stdout is not None
    child = int(await service.stdout.readline())
    assert alive(child)
    service.kill()
    await service.wait()
    await until(lambda: not alive(child))
