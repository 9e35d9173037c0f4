"""The committed networks: the landmark network and the face locator."""

import functools
import pathlib

import keras

from trainer.landmarks import locator, network
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.landmarks.finder import FaceNetworks

PATH = pathlib.Path(__file__).parent / "assets" / "landmarks.npz"
"""The landmark network's weights and configuration; `MODEL_CARD.md` beside it tells how they came about."""

LOCATOR_PATH = PATH.with_name("locator.npz")
"""The same of the locator."""


def released_network() -> keras.Model:
    """The released landmark network with its weights: see `trainer.landmarks.network.build` for inputs and outputs.

    Raises:
        ValueError: If the committed file is missing or damaged.
    """
    return network.load(PATH)[0]


def released_locator() -> keras.Model:
    """The released face locator with its weights: see `trainer.landmarks.locator.build` for inputs and outputs.

    Raises:
        ValueError: If the committed file is missing or damaged.
    """
    return locator.load(LOCATOR_PATH)[0]


def released_networks() -> FaceNetworks:
    """The released networks that find faces, with their weights.

    Raises:
        ValueError: If a committed file is missing or damaged.
    """
    return FaceNetworks(released_network(), released_locator())


@functools.cache
def released_config() -> LandmarkNetworkConfig:
    """Configuration of the released landmark network."""
    return network.load(PATH)[1]
