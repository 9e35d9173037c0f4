"""Flip averaging: the landmark network looks at a crop and at its mirror image, and the two answers are averaged."""

from typing import Any

import keras
from keras import layers, ops

from trainer import contract


@keras.saving.register_keras_serializable(package="monoface")
class FlippedAverage(layers.Layer):
    """Averages landmarks of images with those of the mirrored images."""

    def call(self, seen: Any) -> tuple[Any, Any]:
        """Averages.

        Args:
            seen: Points `[B, sets, 68, 2]` and log-sigmas `[B, sets, 68]` of images, the same two of the mirrored images, and the
                images `[B, S, S, 3]`, which say how wide they are.

        Returns:
            Points `[B, sets, 68, 2]`: the mean; and log-sigmas `[B, sets, 68]` of the mean sigma, widened where the two disagree.
        """
        points, log_sigma, mirrored_points, mirrored_log_sigma, images = seen
        order = list(contract.LANDMARK_FLIP)
        back = ops.take(mirrored_points, order, axis=2)
        back = ops.concatenate([images.shape[2] - back[..., :1], back[..., 1:]], axis=-1)
        mean = (points + back) / 2
        apart = ops.sum(ops.square(points - mean), axis=-1)
        sigma = (ops.exp(log_sigma) + ops.exp(ops.take(mirrored_log_sigma, order, axis=2))) / 2
        # Half the radial error: so much of it as the two answers show.
        return mean, ops.log(ops.square(sigma) + apart / 4) / 2

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, Any]:
        """Shapes of points and log-sigmas."""
        return tuple(input_shape[0]), tuple(input_shape[1])


def flip_averaged(network: keras.Model) -> keras.Model:
    """A network of the same inputs and outputs that averages over the image and its mirror image, at twice the cost.

    Args:
        network: See `trainer.landmarks.network.build`; its weights are shared.
    """
    image = keras.Input(network.input_shape[1:], name="image")
    mirrored = ops.flip(image, axis=2)
    outputs = FlippedAverage(name="average")([*network(image), *network(mirrored), image])
    return keras.Model(image, list(outputs), name="flip_averaged")
