"""What a step is worth in training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rewards:
    """Worth of a step. The defaults are those of the law; conformance, evaluation and display know no others."""

    step: float = -0.01
    bump: float = -0.05  # besides `step`
    goal: float = 1.0  # besides `step`
