"""Values of the entropy that have a meaning for `sweep_actor.py`."""

ORDINARY, ENDLESS, DIVERGES, CRASHES, DEAF = 0.0, 0.25, 0.5, 0.75, 1.0
