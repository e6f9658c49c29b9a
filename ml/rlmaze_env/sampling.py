"""From four scores to an action (law §6)."""

import math
from collections.abc import Sequence

import numpy as np

from rlmaze_env.arrays import F32Array
from rlmaze_env.splitmix import unit

LOGIT, Q_VALUE = "logit", "q_value"
Q_TEMPERATURE = 0.01  # a temperature of 1 in the units of Q-values, which lie within some hundredths of each other


def greedy(scores: Sequence[float] | F32Array) -> int:
    """Returns the index of the largest score, the first of equals."""
    best = 0
    for i in range(1, 4):
        if scores[i] > scores[best]:
            best = i
    return best


def _weights(scores: Sequence[float] | F32Array, kind: str, temperature: float) -> list[float]:
    if kind not in (LOGIT, Q_VALUE):
        raise ValueError(f"kind must be {LOGIT} or {Q_VALUE}, got {kind}")
    scale = temperature if kind == LOGIT else temperature * Q_TEMPERATURE
    z = [float(score) / scale for score in scores]
    top = max(z)
    return [math.exp(value - top) for value in z]


def sample(scores: Sequence[float] | F32Array, kind: str, temperature: float, seed: int, step: int) -> int:
    """Draws an action from softmax(scores / temperature).

    Args:
        scores: Four float32.
        kind: `logit` or `q_value`.
        temperature: Larger than 0.
        seed: Of the episode.
        step: Index, from 1, of the step to be made.
    """
    weights = _weights(scores, kind, temperature)
    total = weights[0] + weights[1] + weights[2] + weights[3]
    threshold = unit(seed, step) * total
    running = 0.0
    for i, weight in enumerate(weights):
        running += weight
        if running > threshold:
            return i
    return 3


def probabilities(scores: Sequence[float] | F32Array, kind: str) -> F32Array:
    """Returns the shown probabilities, (4,) float32, at temperature 1."""
    weights = _weights(scores, kind, 1.0)
    total = weights[0] + weights[1] + weights[2] + weights[3]
    return np.array([weight / total for weight in weights], dtype=np.float32)
