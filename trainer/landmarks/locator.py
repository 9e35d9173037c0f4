"""The face locator: a letterboxed photo to the boxes of its faces, in one pass of a small convolutional network.

Anchor-free (Zhou et al., "Objects as Points", 2019): every cell of a grid of stride 8 says how likely a face's box is centred in
it, and what that box would be. Size is found at stride 16, where a cell sees the whole frame, place at stride 8. Plain 3x3
convolutions are the fastest on CPUs.
"""

import os
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import layers, ops

from trainer.landmarks import weight_file
from trainer.landmarks.locator_config import LocatorConfig
from trainer.landmarks.network import convolution, residual_block

STRIDE = 8
"""Pixels of the input a cell of the grid."""

OUTPUTS = 5
"""What a cell says: the logit of a face, the box's centre from the cell's own, in cells, and the logarithms of its width and
height over the input's side."""

_RAREST = 0.02
"""What the untrained network takes for the probability of a face in a cell: few have one."""
_LOG_SIZE_RANGE = (-5.0, 1.5)
_OVERLAP = 0.4
"""Of two boxes with more intersection over union than this, the less likely is dropped."""


class LocatedFaces(NamedTuple):
    """The K likeliest boxes of every image, likeliest first."""

    box: Any
    """`[B, K, 4]` x0, y0, x1, y1, the tight box of the 68 `basel` landmarks, pixels of the input; zeros beyond the last."""
    score: Any
    """`[B, K]` in [0, 1], 0 beyond the last."""


def build(config: LocatorConfig) -> keras.Model:
    """Builds the network with fresh weights.

    Args:
        config: Its size.

    Returns:
        A model from `[B, S, S, 3]` sRGB in [0, 1] to `[B, S / 8, S / 8, 5]`, see `OUTPUTS`.
    """
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    x = layers.Rescaling(4.0, offset=-2.0, name="centre")(image)
    x = convolution(x, config.stem_channels, "stem", strides=2)
    stages = []
    for stage, (channels, blocks) in enumerate(zip(config.channels, config.blocks, strict=True)):
        x = convolution(x, channels, f"stage{stage}_down", strides=2)
        for block in range(blocks):
            x = residual_block(x, channels, f"stage{stage}_block{block}")
        stages.append(x)
    _, fine, coarse = stages
    coarse = layers.Conv2D(config.channels[1], 1, name="lateral")(coarse)
    x = layers.Add(name="merge_add")([fine, layers.UpSampling2D(2, name="enlarge")(coarse)])
    x = convolution(layers.ReLU(name="merge")(x), config.channels[1], "head")
    cells = layers.Conv2D(OUTPUTS, 1, bias_initializer=_initial_bias, dtype="float32", name="cells")(x)
    return keras.Model(image, cells, name="face_locator")


def save(network: keras.Model, config: LocatorConfig, path: str | os.PathLike[str]) -> None:
    """Writes a network's weights as float16 and its configuration, atomically.

    Args:
        network: As `build` returns it.
        config: What it was built from.
        path: The `.npz` to write.
    """
    weight_file.write(network, config, path)


def load(path: str | os.PathLike[str]) -> tuple[keras.Model, LocatorConfig]:
    """Reads what `save` wrote.

    Args:
        path: The `.npz`.

    Returns:
        The network, weights in float32, and its configuration.

    Raises:
        ValueError: If the file is missing, is not such a file, or its weights do not fit its configuration.
    """
    return weight_file.read(path, "face locator", LocatorConfig, build)


def boxes_of_cells(cells: Any) -> Any:
    """What boxes cells speak of.

    Args:
        cells: `[B, h, w, 5]`, see `OUTPUTS`.

    Returns:
        `[B, h, w, 4]` x0, y0, x1, y1, pixels of the input.
    """
    height, width = cells.shape[1], cells.shape[2]
    columns = ops.arange(width, dtype="float32")[None, :] + 0.5
    rows = ops.arange(height, dtype="float32")[:, None] + 0.5
    x, y = (cells[..., 1] + columns) * STRIDE, (cells[..., 2] + rows) * STRIDE
    half = ops.exp(ops.clip(cells[..., 3:], *_LOG_SIZE_RANGE)) * (width * STRIDE / 2)
    return ops.stack([x - half[..., 0], y - half[..., 1], x + half[..., 0], y + half[..., 1]], axis=-1)


def locate(network: keras.Model, images: Any, count: int) -> LocatedFaces:
    """Looks for faces.

    Args:
        network: As `build` returns it.
        images: `[B, S, S, 3]` sRGB in [0, 1].
        count: K, the most faces an image.
    """
    cells = network(images, training=False)
    boxes = tf.reshape(boxes_of_cells(cells), [-1, cells.shape[1] * cells.shape[2], 4])
    score = tf.sigmoid(cells[..., :1])
    is_peak = score >= tf.nn.max_pool2d(score, 3, 1, "SAME")
    score = tf.reshape(tf.where(is_peak, score, 0.0), [-1, cells.shape[1] * cells.shape[2]])
    return apart(boxes, score, count)


def apart(boxes: Any, scores: Any, count: int) -> LocatedFaces:
    """The likeliest of boxes, without those that show a face again.

    Args:
        boxes: `[B, N, 4]` pixels.
        scores: `[B, N]`.
        count: K, the most that are kept.
    """
    kept = tf.image.combined_non_max_suppression(
        boxes[:, :, None],
        scores[:, :, None],
        count,
        count,
        iou_threshold=_OVERLAP,
        score_threshold=0.0,
        clip_boxes=False,
    )
    return LocatedFaces(kept.nmsed_boxes, kept.nmsed_scores)


def _initial_bias(shape: Any, dtype: Any = None) -> Any:
    """Few faces, a quarter of the frame wide."""
    logit, size = float(ops.log(_RAREST / (1 - _RAREST))), float(ops.log(0.25))
    return ops.convert_to_tensor([logit, 0.0, 0.0, size, size][: shape[0]], dtype)
