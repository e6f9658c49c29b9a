"""The trainer: `rlmaze.training.v1.TrainingService` over one process a run.

This process never imports PyTorch: it starts in a second, and a crash of a training cannot take it down.
"""
