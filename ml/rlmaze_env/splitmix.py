"""Random numbers of the law (§1): SplitMix64, stateful and stateless.

Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators (OOPSLA 2014).
"""

import numpy as np

from rlmaze_env.arrays import U64Array
from rlmaze_env.compiled import kernel

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S11, _S27, _S30, _S31, _S32 = (np.uint64(n) for n in (11, 27, 30, 31, 32))
_ONE = np.uint64(1)

UINT64_MAX = (1 << 64) - 1


@kernel
def mix(z: np.uint64) -> np.uint64:
    """Returns the finaliser of SplitMix64 applied to `z`."""
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def next_number(state: U64Array) -> np.uint64:
    """Advances `state` ((1,) uint64, changed in place) and returns the next 64 random bits."""
    state[0] += _GAMMA
    return mix(state[0])


@kernel
def below(state: U64Array, n: int) -> int:
    """Draws a number in [0, n); n < 2^32, bias at most n / 2^32."""
    found: int = np.int64(((next_number(state) >> _S32) * np.uint64(n)) >> _S32)  # type: ignore[assignment]
    return found


@kernel
def draw_bits(seed: np.uint64, step: int) -> np.uint64:
    """Returns number `step` (from 0) of the stream of `seed` without going through those before it."""
    return mix(seed + (np.uint64(step) + _ONE) * _GAMMA)


def draw(seed: int, step: int) -> int:
    """Returns `draw(seed, step)` of the law as a Python integer."""
    return int(draw_bits(np.uint64(seed), step))


def unit(seed: int, step: int) -> float:
    """Returns `unit(seed, step)` of the law: a double in [0, 1)."""
    return float(draw(seed, step) >> 11) * 2.0**-53


class SplitMix64:
    """A stream of random numbers; two streams of one seed are the same."""

    def __init__(self, seed: int) -> None:
        if not 0 <= seed <= UINT64_MAX:
            raise ValueError(f"seed must be in 0..2^64-1, got {seed}")
        self.state: U64Array = np.array([seed], dtype=np.uint64)

    def next(self) -> int:
        """Returns the next 64 bits."""
        return int(next_number(self.state))

    def below(self, n: int) -> int:
        """Returns a number in [0, n), 1 <= n < 2^32."""
        if not 1 <= n < 1 << 32:
            raise ValueError(f"n must be in 1..2^32-1, got {n}")
        return int(below(self.state, n))
