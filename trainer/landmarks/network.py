"""The landmark network: one square image to 68 points with an uncertainty each.

Plain 3x3 convolutions (on CPUs they train three times as fast as depthwise ones of the same accuracy class). The head is fully
convolutional: every cell of the last grid votes, for every point, with a weight, an offset from its own centre and a
log-sigma; a point is the softmax-weighted mean of the votes. So a face that moves in the frame moves the votes, and one
network serves whole photos, in which it finds the face, and crops, in which it refines the points.
"""

import io
import json
import os
import pathlib
import tempfile
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from trainer import contract
from trainer.configuration import from_mapping, to_mapping
from trainer.landmarks.config import LandmarkNetworkConfig

STRIDE = 16
"""Pixels of the input a cell of the last grid."""

_CONFIG_ENTRY = "config"


@keras.saving.register_keras_serializable(package="monoface")
class VotedLandmarks(layers.Layer):
    """Votes of a grid's cells to points and log-sigmas."""

    def __init__(self, stride: int = STRIDE, **kwargs: Any):
        """Takes the pixels a cell and Keras' own arguments."""
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, votes: Any) -> tuple[Any, Any]:
        """Reduces the votes.

        Args:
            votes: `[B, h, w, 4 * 68]`: weights' logits, x and y offsets in cells, log-sigmas in log cells.

        Returns:
            `[B, 68, 2]` points, pixels of the input, and `[B, 68]` log-sigmas, log pixels.
        """
        height, width = votes.shape[1], votes.shape[2]
        count = contract.LANDMARK_COUNT
        votes = ops.reshape(ops.cast(votes, "float32"), (-1, height * width, 4, count))
        rows, columns = np.meshgrid(np.arange(height) + 0.5, np.arange(width) + 0.5, indexing="ij")
        weights = ops.softmax(votes[:, :, 0], axis=1)
        x = ops.sum(weights * (votes[:, :, 1] + columns.reshape(1, -1, 1).astype("float32")), axis=1)
        y = ops.sum(weights * (votes[:, :, 2] + rows.reshape(1, -1, 1).astype("float32")), axis=1)
        log_sigma = ops.sum(weights * votes[:, :, 3], axis=1)
        return ops.stack([x, y], axis=-1) * self.stride, log_sigma + float(np.log(self.stride))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """Shapes of points and log-sigmas."""
        return (input_shape[0], contract.LANDMARK_COUNT, 2), (input_shape[0], contract.LANDMARK_COUNT)

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        return {**super().get_config(), "stride": self.stride}


def build(config: LandmarkNetworkConfig) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        config: Its size.

    Returns:
        A model from `[B, S, S, 3]` sRGB in [0, 1] to `[B, 68, 2]` points, pixels of the input, and `[B, 68]` log-sigmas: the
        logarithm of a point's expected radial error scale, pixels of the input.
    """
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    x = layers.Rescaling(4.0, offset=-2.0, name="centre")(image)
    x = _convolution(x, config.stem_channels, "stem", strides=2)
    for stage, (channels, blocks) in enumerate(zip(config.channels, config.blocks, strict=True)):
        x = _convolution(x, channels, f"stage{stage}_down", strides=2)
        for block in range(blocks):
            name = f"stage{stage}_block{block}"
            y = _convolution(x, channels, f"{name}_a")
            y = _convolution(y, channels, f"{name}_b", activation=False)
            x = layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))
    votes = layers.Conv2D(4 * contract.LANDMARK_COUNT, 1, name="votes")(x)
    points, log_sigma = VotedLandmarks(name="landmarks")(votes)
    return keras.Model(image, [points, log_sigma], name="landmark_network")


def save(network: keras.Model, config: LandmarkNetworkConfig, path: str | os.PathLike[str]) -> None:
    """Writes a network's weights as float16 and its configuration, atomically.

    Args:
        network: As `build` returns it.
        config: What it was built from.
        path: The `.npz` to write.
    """
    path = pathlib.Path(path)
    arrays: dict[str, Any] = {
        f"weight_{index:03d}": np.asarray(weight, np.float16) for index, weight in enumerate(network.get_weights())
    }
    arrays[_CONFIG_ENTRY] = np.array(json.dumps(to_mapping(config), sort_keys=True))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(buffer.getvalue())
    temporary = pathlib.Path(file.name)
    temporary.chmod(0o644)  # temporary files are private
    temporary.replace(path)


def load(path: str | os.PathLike[str]) -> tuple[keras.Model, LandmarkNetworkConfig]:
    """Reads what `save` wrote.

    Args:
        path: The `.npz`.

    Returns:
        The network, weights in float32, and its configuration.

    Raises:
        ValueError: If the file is missing, is not such a file, or its weights do not fit its configuration.
    """
    try:
        # From memory: on a damaged file NumPy leaves its own handle open.
        with np.load(io.BytesIO(pathlib.Path(path).read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        config = from_mapping(LandmarkNetworkConfig, json.loads(str(arrays.pop(_CONFIG_ENTRY))))
        network = build(config)
        network.set_weights([arrays[name].astype(np.float32) for name in sorted(arrays)])
    except Exception as error:  # zip, zlib, header, key and shape errors alike: the file is not a landmark network
        raise ValueError(f"{os.fspath(path)}: not a landmark network: {error}") from error
    return network, config


def _convolution(x: Any, channels: int, name: str, strides: int = 1, activation: bool = True) -> Any:
    """A 3x3 convolution with batch normalisation and, where asked, a ReLU."""
    x = layers.Conv2D(channels, 3, strides, "same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if activation else x
