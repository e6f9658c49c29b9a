"""Episodes over a WebSocket, one JSON message a step, in two ways.

* :func:`run_alone`: a coroutine an episode, which sleeps until its step is due. This is how one writes it, and the peer of ``live-fan-out``.
* :class:`SharedClock`: one timer for all viewers; the steps that are due at a tick go through the network in one call. It is as far as this
  design goes, and is shown beside. A viewer who stops reading holds up all the others there.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import onnxruntime
import orjson
from rules import REACHED_GOAL, RUNNING, Episode
from session import OUTPUTS

Send = Callable[[dict[str, Any]], Awaitable[None]]
"""Takes one ASGI message: what Starlette's send_bytes wraps."""

TICK_S = 0.004  # of the shared clock; the grid on which our server's streams wake


def softmax(values: list[float]) -> list[float]:
    """Of four numbers, in plain floats: six times as fast as NumPy at this size."""
    highest = max(values)
    a, b, c, d = (math.exp(value - highest) for value in values)
    total = a + b + c + d
    return [a / total, b / total, c / total, d / total]


def step(episode: Episode, values: list[float], state_value: float) -> tuple[dict[str, Any], bool]:
    """Makes the best step by these scores; returns the ASGI message that tells it, and whether the episode goes on."""
    action = values.index(max(values))
    hit_wall = episode.step(action)
    row, col, steps, bumps, end = episode.state.tolist()
    reached_goal = end == REACHED_GOAL
    message = {
        "index": steps,
        "row": row,
        "col": col,
        "action": action,
        "hit_wall": hit_wall,
        "reached_goal": reached_goal,
        "reward": (100 * reached_goal - 1 - 5 * hit_wall) / 100,
        "cumulative_reward": (100 * reached_goal - steps - 5 * bumps) / 100,
        "scores": values,
        "probabilities": softmax(values),
        "state_value": state_value,
        "end": end,
        "server_ts": time.time_ns(),
    }
    return {"type": "websocket.send", "bytes": orjson.dumps(message)}, end == RUNNING


async def run_alone(session: onnxruntime.InferenceSession, episode: Episode, steps_per_second: float, send: Send) -> None:
    """Runs one episode at its pace; at speed 0 as fast as it goes."""
    observation = episode.observation.reshape(1, -1)
    period = 1 / steps_per_second if steps_per_second > 0 else 0.0
    loop = asyncio.get_running_loop()
    due = loop.time()
    running = True
    while running:
        scores, value = session.run(OUTPUTS, {"observation": observation})
        message, running = step(episode, scores[0].tolist(), float(value[0, 0]))
        await send(message)
        due += period
        if running:
            await asyncio.sleep(max(0.0, due - loop.time()))


class SharedClock:
    """Runs the episodes of all viewers by one timer, and their networks in one call a tick."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._due: defaultdict[int, list[_Viewer]] = defaultdict(list)
        self._ticking: asyncio.Task[None] | None = None

    async def run(self, episode: Episode, steps_per_second: float, send: Send) -> None:
        """Runs one episode at its pace, which is above 0."""
        loop = asyncio.get_running_loop()
        viewer = _Viewer(episode, 1 / steps_per_second, send, loop.time(), loop.create_future())
        self._enter(viewer)
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        await viewer.ended

    def _enter(self, viewer: _Viewer) -> None:
        self._due[math.ceil(viewer.due / TICK_S)].append(viewer)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        tick = min(self._due)
        while self._due:
            await asyncio.sleep(max(0.0, tick * TICK_S - loop.time()))
            if due := self._due.pop(tick, None):
                await self._step(due)
            tick += 1
            if self._due:
                tick = max(tick, min(self._due))

    async def _step(self, due: list[_Viewer]) -> None:
        scores, values = self._session.run(OUTPUTS, {"observation": np.stack([viewer.episode.observation for viewer in due])})
        for viewer, row, (value,) in zip(due, scores.tolist(), values.tolist(), strict=True):
            message, running = step(viewer.episode, row, value)
            try:
                await viewer.send(message)
            except Exception as error:  # the viewer has left; its own coroutine ends with the reason
                viewer.ended.set_exception(error)
                continue
            if running:
                viewer.due += viewer.period
                self._enter(viewer)
            else:
                viewer.ended.set_result(None)


class _Viewer:
    """One viewer's episode, and when its next step is due on the event loop's clock."""

    __slots__ = ("due", "ended", "episode", "period", "send")

    def __init__(self, episode: Episode, period: float, send: Send, due: float, ended: asyncio.Future[None]) -> None:
        self.episode, self.period, self.send, self.due, self.ended = episode, period, send, due, ended
