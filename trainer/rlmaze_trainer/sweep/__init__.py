"""Sweeps: one training for every configuration of a search space and every seed, on the cores of this machine or on Ray.

Nothing here imports PyTorch, and only `ray_cluster` imports Ray. Trials are the run folders and run processes of the trainer.
"""
