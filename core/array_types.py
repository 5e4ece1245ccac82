"""Names of NumPy arrays in signatures; a docstring says their shape."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
"""Of any width."""
Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]
Ints = NDArray[np.integer]
"""Of any width."""
Int64s = NDArray[np.int64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
