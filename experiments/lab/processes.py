"""Several trainings at once, each in a process of its own."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def in_processes(work: Callable[..., T], jobs: Sequence[tuple[object, ...]]) -> list[T]:
    """Calls `work(*job)` for every job, all at once, and returns the results in order.

    A job's CPU time is that of its process, so it can be measured there. Where a process can't be copied (Windows) the
    jobs run one after the other.
    """
    if "fork" not in multiprocessing.get_all_start_methods() or len(jobs) == 1:
        return [work(*job) for job in jobs]
    # The first optimizer makes PyTorch import its compiler, for seconds: once here, and not in every process.
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    # A copy of this process knows what the notebook has defined so far; a fresh one would not.
    with ProcessPoolExecutor(len(jobs), mp_context=multiprocessing.get_context("fork")) as pool:
        return [running.result() for running in [pool.submit(work, *job) for job in jobs]]
