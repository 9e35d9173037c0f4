"""The committed landmark network."""

import functools
import pathlib

import keras

from trainer.landmarks import network
from trainer.landmarks.config import LandmarkNetworkConfig

PATH = pathlib.Path(__file__).parent / "assets" / "landmarks.npz"
"""Weights and configuration; `MODEL_CARD.md` beside it tells how they came about."""


def released_network() -> keras.Model:
    """The released network with its weights: see `trainer.landmarks.network.build` for inputs and outputs.

    Raises:
        ValueError: If the committed file is missing or damaged.
    """
    return network.load(PATH)[0]


@functools.cache
def released_config() -> LandmarkNetworkConfig:
    """Configuration of the released network."""
    return network.load(PATH)[1]
