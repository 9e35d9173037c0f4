"""Independent sources of chance: each ingredient of a picture draws from a generator of its own.

A generator is keyed by the data set's seed, what it is for, and the number of the person, moment or view, so that no image
depends on which others were drawn before, and no ingredient on which others are turned on.
"""

import enum

import numpy as np


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


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The generator of one ingredient of one person, moment or view."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, int(stream), number))))
