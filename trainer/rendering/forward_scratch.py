"""Arrays that the forward renderer works in, kept from one image to the next: fresh memory costs more than what is done in it."""

import math
import threading
from typing import Any

import numpy as np


class Scratch(threading.local):
    """Each thread's own arrays by name."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, Any], np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An array with anything in it, until the name is taken again.

        Args:
            name: What it is for.
            shape: Of the array.
            dtype: Of the array.
        """
        count = math.prod(shape)
        held = self._arrays.get((name, dtype))
        if held is None or held.size < count:
            held = np.empty(count + count // 4, dtype)
            self._arrays[name, dtype] = held
        return held[:count].reshape(shape)


SCRATCH = Scratch()
