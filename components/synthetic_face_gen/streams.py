"""Independent sources of chance: each ingredient of a picture draws from a generator of its own.

A generator is keyed by the data set's seed, what it is for, and the number of the person, moment or view, so that no image
depends on which others were drawn before, and no ingredient on which others are turned on.
"""

import enum
import hashlib
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence


class Stream(enum.IntEnum):
    """What a generator is for. The numbers are part of the data sets' definition: new ones go to the end."""

    IDENTITY = 0
    SKIN = 1
    EXPRESSION = 2
    WARDROBE = 3
    LIGHT = 4
    POSE = 5
    CAMERA = 6
    BACKGROUND = 7
    IMAGE_CHAIN = 8
    BORDER = 9
    POOL = 10
    STATISTICS = 11
    SHOULDERS = 12


class HashedSeed(ISeedSequence):
    """Seed words from a cryptographic hash: as independent as those of `SeedSequence`, at a fraction of its time."""

    def __init__(self, *numbers: int):
        """Takes the numbers that key the generator."""
        self._key = ",".join(str(int(number)) for number in numbers).encode()

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """Seed words.

        Args:
            n_words: How many; at most 64 bytes altogether.
            dtype: `uint32` or `uint64`.

        Returns:
            `[n_words]` of the dtype.
        """
        kind = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(hashlib.blake2b(self._key, digest_size=n_words * kind.itemsize).digest(), kind)


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The generator of one ingredient of one person, moment or view."""
    words: Any = HashedSeed(
        seed, stream, number
    )  # NumPy's annotations name `SeedSequence` where any `ISeedSequence` will do
    return np.random.Generator(np.random.SFC64(words))
