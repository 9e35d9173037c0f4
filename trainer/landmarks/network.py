"""The landmark network M: a face in a square crop to its 68 points in both landmark sets, with an uncertainty each.

Plain 3x3 convolutions (on CPUs they train three times as fast as depthwise ones of the same accuracy class); the last grid is
flattened, so that every point is regressed from the whole face. Nothing in it stops a gradient: losses that compare landmarks
of two pictures reach the pictures.
"""

import math
import os
from typing import Any

import keras
from keras import layers, ops

from trainer import contract
from trainer.landmarks import weight_file
from trainer.landmarks.config import LandmarkNetworkConfig


@keras.saving.register_keras_serializable(package="monoface")
class PointsAndSigmas(layers.Layer):
    """Raw numbers to points in pixels and log-sigmas in log pixels."""

    def __init__(self, image_size: int, **kwargs: Any):
        """Takes the side of the input in pixels and Keras' own arguments."""
        super().__init__(**kwargs)
        self.image_size = image_size

    def call(self, raw: Any) -> tuple[Any, Any]:
        """Scales and sorts.

        Args:
            raw: `[B, sets * 68 * 3]`: offsets from the middle in quarters of the side, and log-sigmas in a fiftieth of it.

        Returns:
            `[B, sets, 68, 2]` points, pixels of the input, and `[B, sets, 68]` log-sigmas, log pixels.
        """
        raw = ops.reshape(ops.cast(raw, "float32"), (-1, len(contract.LANDMARK_SETS), contract.LANDMARK_COUNT, 3))
        points = self.image_size * (0.5 + 0.25 * raw[..., :2])
        return points, raw[..., 2] + math.log(self.image_size / 50)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """Shapes of points and log-sigmas."""
        shape = (input_shape[0], len(contract.LANDMARK_SETS), contract.LANDMARK_COUNT)
        return (*shape, 2), shape

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "image_size": self.image_size}


def build(config: LandmarkNetworkConfig) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        config: Its size.

    Returns:
        A model from `[B, S, S, 3]` sRGB in [0, 1] to `[B, 2, 68, 2]` points, pixels of the input, in the sets of
        `contract.LANDMARK_SETS`, and `[B, 2, 68]` log-sigmas: half a point's expected radial error, log pixels of the input.
    """
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    x = layers.Rescaling(4.0, offset=-2.0, name="centre")(image)
    x = convolution(x, config.stem_channels, "stem", strides=2)
    for stage, (channels, blocks) in enumerate(zip(config.channels, config.blocks, strict=True)):
        x = convolution(x, channels, f"stage{stage}_down", strides=2)
        for block in range(blocks):
            x = residual_block(x, channels, f"stage{stage}_block{block}")
    x = convolution(x, config.pooled_channels, "pooled", kernel=1)
    x = layers.Flatten(name="grid")(x)
    x = layers.Dense(config.features, activation="relu", name="features")(x)
    raw = layers.Dense(
        3 * len(contract.LANDMARK_SETS) * contract.LANDMARK_COUNT,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.003),
        name="raw",
    )(x)
    points, log_sigma = PointsAndSigmas(config.image_size, dtype="float32", name="landmarks")(raw)
    return keras.Model(image, [points, log_sigma], name="landmark_network")


def save(network: keras.Model, config: LandmarkNetworkConfig, path: str | os.PathLike[str]) -> None:
    """Writes a network's weights as float16 and its configuration, atomically.

    Args:
        network: As `build` returns it.
        config: What it was built from.
        path: The `.npz` to write.
    """
    weight_file.write(network, config, path)


def load(path: str | os.PathLike[str]) -> tuple[keras.Model, LandmarkNetworkConfig]:
    """Reads what `save` wrote.

    Args:
        path: The `.npz`.

    Returns:
        The network, weights in float32, and its configuration.

    Raises:
        ValueError: If the file is missing, is not such a file, or its weights do not fit its configuration.
    """
    return weight_file.read(path, "landmark network", LandmarkNetworkConfig, build)


def convolution(x: Any, channels: int, name: str, strides: int = 1, kernel: int = 3, activation: bool = True) -> Any:
    """A convolution with batch normalisation and, where asked, a ReLU."""
    x = layers.Conv2D(channels, kernel, strides, "same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if activation else x


def residual_block(x: Any, channels: int, name: str) -> Any:
    """Two 3x3 convolutions around which the input goes, too; it must have as many channels."""
    y = convolution(x, channels, f"{name}_a")
    y = convolution(y, channels, f"{name}_b", activation=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))
