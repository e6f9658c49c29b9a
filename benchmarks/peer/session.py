"""ONNX Runtime as the peers use it."""

from __future__ import annotations

import onnxruntime

OUTPUTS = ["action_scores", "state_value"]


def open_session(path: str) -> onnxruntime.InferenceSession:
    """Loads a policy with the settings that suit a network of a few thousand weights: one thread, nothing spins, no arena, no plan."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
