"""The interval of a success rate, for those who have the counts and need no network."""

import math


def wilson(successes: int, episodes: int) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval of a success rate.

    Source: Wilson: Probable inference, the law of succession, and statistical inference (JASA 1927).
    """
    if episodes == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    rate = successes / episodes
    scale = 1 + z * z / episodes
    middle = (rate + z * z / (2 * episodes)) / scale
    half = z * math.sqrt(rate * (1 - rate) / episodes + z * z / (4 * episodes * episodes)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)
