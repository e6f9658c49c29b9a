"""Names for the array types that the compiled kernels share."""

import numpy as np
from numpy.typing import NDArray

U8Array = NDArray[np.uint8]
I8Array = NDArray[np.int8]
I32Array = NDArray[np.int32]
I64Array = NDArray[np.int64]
U64Array = NDArray[np.uint64]
F32Array = NDArray[np.float32]
F64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
