"""Training of the shipped models: configuration, training, evaluation, export.

PyTorch and Stable-Baselines3 are imported here and nowhere else in `ml`; the rules are `rlmaze_env`.
"""
