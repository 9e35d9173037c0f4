"""Geometry is written once for NumPy arrays (data generation) and tensors (training): which of the two a value is."""

from typing import Any

import numpy as np


def namespace(*values: Any) -> Any:
    """`numpy` where every value is a NumPy array or a Python number, else `keras.ops`.

    Keras, and with it TensorFlow, is imported only for the second case, so that a data worker never pays for it.
    """
    if all(isinstance(value, np.ndarray | np.generic | int | float) for value in values):
        return np
    import keras

    return keras.ops
