"""The face model at its landmarks, differentiable: coefficients and a camera to 68 points of the image."""

from typing import Any

import keras
import numpy as np
from keras import ops

from trainer import contract
from trainer.rendering import camera as cameras


@keras.saving.register_keras_serializable(package="monoface")
class LinearLandmarks(keras.layers.Layer):
    """Landmarks of a linear face model under a scaled orthographic camera.

    The basis is kept in weights that no optimiser moves, so a saved model needs no face model file.
    """

    def __init__(self, shape_count: int, expression_count: int, **kwargs: Any) -> None:
        """Sets the sizes.

        Args:
            shape_count: Identity modes, Ks.
            expression_count: Expression modes, Ke.
            **kwargs: Of `keras.layers.Layer`.
        """
        super().__init__(**{"dtype": "float32", **kwargs, "trainable": False})
        self.shape_count, self.expression_count = shape_count, expression_count
        points = (contract.LANDMARK_COUNT, 3)
        self.mean = self.add_weight(shape=points, initializer="zeros", trainable=False, name="mean")
        self.modes = self.add_weight(
            shape=(shape_count + expression_count, *points), initializer="zeros", trainable=False, name="modes"
        )
        self.built = True

    def set_basis(self, mean: np.ndarray, identity: np.ndarray, expression: np.ndarray) -> None:
        """Takes the face model's first modes.

        Args:
            mean: `[68, 3]` millimetres, model frame.
            identity: `[>= Ks, 68, 3]` per standard deviation.
            expression: `[>= Ke, 68, 3]` per unit.

        Raises:
            ValueError: If the face model has fewer modes, or another number of points.
        """
        modes = np.concatenate([identity[: self.shape_count], expression[: self.expression_count]])
        if mean.shape != tuple(self.mean.shape) or modes.shape != tuple(self.modes.shape):
            raise ValueError(
                f"The basis must hold {self.shape_count} identity and {self.expression_count} expression modes of "
                f"{contract.LANDMARK_COUNT} points. Received: mean {mean.shape}, identity {identity.shape}, "
                f"expression {expression.shape}."
            )
        self.mean.assign(mean)
        self.modes.assign(modes)

    def model_points(self, coefficients: Any) -> Any:
        """Landmarks `[B, 68, 3]`, millimetres, model frame, of `[B, Ks + Ke]` coefficients."""
        return self.mean + ops.einsum("bk,knd->bnd", coefficients, self.modes)

    def call(self, camera: Any, coefficients: Any) -> Any:
        """Projects.

        Args:
            camera: `[B, 3, 4]` scaled orthographic.
            coefficients: `[B, Ks + Ke]` shape, then expression.

        Returns:
            `[B, 68, 3]` in the camera's image frame, pixels.
        """
        return cameras.project(self.model_points(coefficients), camera, contract.SCALED_ORTHOGRAPHIC)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "shape_count": self.shape_count,
            "expression_count": self.expression_count,
        }
