"""The peer: the usual Python way to serve a policy, tuned.

FastAPI on ``uvicorn[standard]`` (uvloop, httptools) with one process, ONNX Runtime with one thread, orjson. It is asked in two ways:

* ``POST /act``: an observation comes, scores and action go back; the caller runs the maze. This is the peer of ``episode``.
* ``WebSocket /ws``: a maze comes, the server runs the episode at the wanted pace and sends one message a step. This is the peer of
  ``live-fan-out``; after an episode the same socket takes the next maze. ``/ws.shared-clock`` does the same by one timer for all viewers.

What was done to make it fast stands in ``benchmarks/README.md``. It validates nothing, logs nothing and stores nothing.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import numpy as np
import orjson
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from live import Send, SharedClock, run_alone
from pydantic import BaseModel
from rules import Episode
from session import OUTPUTS, open_session

OBSERVATION = os.environ.get("PEER_OBSERVATION", "memory/1")
session = open_session(os.environ["PEER_MODEL"])
shared_clock = SharedClock(session)
trail_ages = np.fromfile(Path(os.environ["PEER_TRAIL_AGES"]), dtype="<f4")
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def infer(observation: np.ndarray) -> tuple[np.ndarray, float]:
    """Scores one observation: (1, 25) float32 → (4,) float32 and the state value."""
    scores, value = session.run(OUTPUTS, {"observation": observation})
    return scores[0], value[0, 0]


def answer(observation: np.ndarray) -> Response:
    scores, value = infer(observation)
    return Response(
        orjson.dumps({"action": int(scores.argmax()), "scores": scores, "state_value": value}, option=orjson.OPT_SERIALIZE_NUMPY),
        media_type="application/json",
    )


@app.post("/act")
async def act(request: Request) -> Response:
    """The tuned route, and the peer of the table: FastAPI's own routing, JSON both ways by orjson, no Pydantic."""
    return answer(np.array(orjson.loads(await request.body())["observation"], dtype=np.float32).reshape(1, 25))


async def act_raw(request: Request) -> Response:
    """As fast as it gets here, past FastAPI: a Starlette route, and 100 bytes of little-endian float32 in place of JSON."""
    return answer(np.frombuffer(await request.body(), dtype="<f4").reshape(1, 25))


app.add_route("/act.raw", act_raw, methods=["POST"])


class ActRequest(BaseModel):
    """What the documentation of FastAPI would have one write."""

    observation: list[float]


class ActResponse(BaseModel):
    action: int
    scores: list[float]
    state_value: float


@app.post("/act.typed")
async def act_typed(request: ActRequest) -> ActResponse:
    """Untuned: what most people would write, for comparison."""
    scores, value = infer(np.array([request.observation], dtype=np.float32))
    return ActResponse(action=int(scores.argmax()), scores=scores.tolist(), state_value=float(value))


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.websocket("/ws")
async def run_episodes(socket: WebSocket) -> None:
    """Runs one episode after the other on one socket: {"rows": […], "steps_per_second": 30} in, one JSON message a step out."""
    await serve(socket, partial(run_alone, session))


@app.websocket("/ws.shared-clock")
async def run_episodes_by_shared_clock(socket: WebSocket) -> None:
    """The same to the eye; see live.SharedClock."""
    await serve(socket, shared_clock.run)


async def serve(socket: WebSocket, run: Callable[[Episode, float, Send], Awaitable[None]]) -> None:
    await socket.accept()
    try:
        while True:
            order = orjson.loads(await socket.receive_text())
            # The ASGI message itself: Starlette's send_bytes only wraps it.
            await run(Episode(order["rows"], OBSERVATION, trail_ages), order["steps_per_second"], socket._send)
    except (WebSocketDisconnect, RuntimeError):
        return
