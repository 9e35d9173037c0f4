"""The landmark network as losses see it: weights that nobody trains, points of images of any size, gradients to the images."""

import os
from typing import Any

import keras
from keras import ops

from trainer.landmarks import network, released


class FrozenLandmarks:
    """Points of images by a network whose weights stay as they are.

    No Keras layer on purpose: a model that holds one neither trains, counts nor saves its weights.
    """

    def __init__(self, model: keras.Model, margin: float):
        """Takes the network, which is frozen, and the margin that it was trained with."""
        model.trainable = False
        self._model = model
        self.size: int = model.input_shape[1]
        """Side of the network's input, pixels."""
        self.margin = margin
        """Margin of the crops that the network knows, fraction of the landmarks' box's longer side on every side."""

    def __call__(self, images: Any) -> Any:
        """The points; differentiable in the images.

        Args:
            images: `[B, H, W, 3]` sRGB in [0, 1], each a face with about `margin` around it. Sides that are not alike are
                scaled each by its own factor.

        Returns:
            `[B, 2, 68, 2]` float32 x and y, pixels of the images, in the sets of `contract.LANDMARK_SETS`.
        """
        images = ops.cast(images, "float32")
        height, width = (images.shape[axis] or ops.shape(images)[axis] for axis in (1, 2))
        if tuple(images.shape[1:3]) != (self.size, self.size):
            images = ops.einsum("yh,bhwc->bywc", _resampling(height, self.size), images)
            images = ops.einsum("xw,bhwc->bhxc", _resampling(width, self.size), images)
        points, _ = self._model(images, training=False)
        return points * ops.stack([ops.cast(side, "float32") / self.size for side in (width, height)])


def frozen_landmarks(path: str | os.PathLike[str] | None = None) -> FrozenLandmarks:
    """The landmark network for losses.

    Args:
        path: Weights as `trainer.landmarks.network.save` writes them; None takes the released ones.

    Returns:
        A function from images to points, in float32 whatever Keras' policy is.

    Raises:
        ValueError: If the file holds no landmark network.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        model, config = network.load(released.PATH if path is None else path)
    finally:
        keras.config.set_dtype_policy(policy)
    return FrozenLandmarks(model, config.margin)


def _resampling(count: Any, size: int) -> Any:
    """`[size, count]` weights of `count` pixels in `size` of another width: a triangle filter, widened where pixels are joined,
    as `alignment.crop_image` has it. A matrix, because it has a gradient in every backend and compiles with XLA.
    """
    ratio = ops.cast(count, "float32") / size
    centers = (ops.arange(size, dtype="float32") + 0.5) * ratio
    places = ops.cast(ops.arange(count), "float32") + 0.5
    weights = ops.maximum(1 - ops.abs(centers[:, None] - places) / ops.maximum(ratio, 1.0), 0.0)
    return weights / ops.sum(weights, axis=1, keepdims=True)
