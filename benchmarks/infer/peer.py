"""The peer of ``infer``: ONNX Runtime from Python, on one thread, timed the way ours is timed.

Prints one JSON object: microseconds a call and CPU microseconds a call for ``session.run`` at batch 1 and 100 and for io_binding at batch 1.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peer"))
import numpy as np
import onnxruntime
from session import OUTPUTS, open_session


def measure(call: Callable[[], object], seconds: float) -> dict[str, float]:
    """Calls for so many seconds, in blocks, after a tenth of that to warm up."""
    for limit in (seconds / 10, seconds):
        calls = 0
        wall, cpu = time.perf_counter(), time.process_time()
        while time.perf_counter() - wall < limit:
            for _ in range(500):
                call()
            calls += 500
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"us": wall * 1e6 / calls, "cpu_us": cpu * 1e6 / calls}


def main(model: str, parity: str, seconds: float) -> None:
    session = open_session(model)
    vectors = json.loads(Path(parity).read_text(encoding="utf-8"))["vectors"]
    observations = np.array([vector["observation"] for vector in vectors], dtype=np.float32)
    single = observations[:1].copy()
    batch = np.resize(observations, (100, 25)).copy()

    scores, value = np.empty((1, 4), np.float32), np.empty((1, 1), np.float32)
    binding = session.io_binding()
    binding.bind_input("observation", "cpu", 0, np.float32, single.shape, single.ctypes.data)
    binding.bind_output("action_scores", "cpu", 0, np.float32, scores.shape, scores.ctypes.data)
    binding.bind_output("state_value", "cpu", 0, np.float32, value.shape, value.ctypes.data)

    print(
        json.dumps(
            {
                "version": onnxruntime.__version__,
                "single": measure(lambda: session.run(OUTPUTS, {"observation": single}), seconds),
                "batch": measure(lambda: session.run(OUTPUTS, {"observation": batch}), seconds),
                "binding": measure(lambda: session.run_with_iobinding(binding), seconds),
                "scores": session.run(OUTPUTS, {"observation": single})[0][0].tolist(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
