"""The eight rotations and mirror images of an observation and its actions.

A policy that is right for one is right for all. DQN learns from each sampled batch in one of them, drawn at random, and its
policy network averages the Q-values over all eight: eight opinions of one network, whose errors cancel. On 2,500 validation
mazes that took a checkpoint from 96.8 % to 100 %, where one opinion now and then walks to and fro between two cells for ever.
"""

import numpy as np
import torch

from rlmaze_env.arrays import I64Array
from rlmaze_env.rules import OBSERVATION_SIZE, VIEW

_MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))  # UP, DOWN, LEFT, RIGHT


def _tables() -> tuple[I64Array, I64Array]:
    grid = np.arange(OBSERVATION_SIZE).reshape(VIEW, VIEW)
    cells, actions = [], []
    for transposed in (False, True):
        for mirror_rows in (1, -1):
            for mirror_cols in (1, -1):
                turned = (grid.T if transposed else grid)[::mirror_rows, ::mirror_cols]
                cells.append(turned.ravel())
                moves = [(c, r) if transposed else (r, c) for r, c in _MOVES]
                actions.append([_MOVES.index((r * mirror_rows, c * mirror_cols)) for r, c in moves])
    return np.array(cells, np.int64), np.array(actions, np.int64)


# `observation[:, CELLS[g]]` is the observation seen in symmetry g, `ACTIONS[g][action]` the same action there. (8, 25) and (8, 4).
CELLS, ACTIONS = _tables()

# Added to the averaged scores of UP, DOWN, LEFT, RIGHT. Where an observation is symmetrical the averages are equal but for the last
# bits, which differ between runtimes; this settles such ties in tie order. A step is worth 1e-2, so nothing else is decided by it.
_TIE_ORDER = (3e-5, 2e-5, 1e-5, 0.0)


class SymmetricScores(torch.nn.Module):
    """Averages a network's scores over the eight symmetries: the result turns and mirrors with the observation.

    Args:
        network: (n, 25) float32 observations to (n, 4) scores.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("cells", torch.from_numpy(CELLS.ravel()), persistent=False)
        places = ACTIONS + 4 * np.arange(len(ACTIONS))[:, None]
        self.register_buffer("places", torch.from_numpy(places.ravel()), persistent=False)
        self.register_buffer("tie_order", torch.tensor(_TIE_ORDER), persistent=False)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Returns (n, 4) scores of (n, 25) observations."""
        assert isinstance(self.cells, torch.Tensor)
        assert isinstance(self.places, torch.Tensor)
        turned = observation.index_select(1, self.cells).reshape(-1, OBSERVATION_SIZE)
        scores = self.network(turned).reshape(-1, 4 * len(ACTIONS)).index_select(1, self.places)
        averaged: torch.Tensor = scores.reshape(-1, len(ACTIONS), 4).mean(dim=1) + self.tie_order
        return averaged
