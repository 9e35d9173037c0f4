"""Normalised mean error of landmarks, the release gate, with its three normalisers by name.

A normalised error without the name of its normaliser means nothing: the same points score 3 % by one and 5 % by another.
Values are fractions; multiply by 100 for the per cent of the literature.
"""

from typing import Any, Final

import keras
import numpy as np
from keras import ops

from trainer import contract
from trainer.imaging import alignment

SQRT_BOX: Final = "sqrt_box"
BOX_WIDTH: Final = "box_width"
INTEROCULAR: Final = "interocular"
NORMALIZERS: Final = (SQRT_BOX, BOX_WIDTH, INTEROCULAR)
"""`sqrt_box`: √(width · height) of the true landmarks' box (2DASL, PRNet, 3DDFA). `box_width`: that box's width (Piao 2019,
eq. 10). `interocular`: 3D distance of the true outer eye corners (Piao 2019, eq. 11; Shu 2020, table III)."""

_SMALLEST_NORMALIZER: Final = 1e-6


def point_distance(y_true: Any, y_pred: Any) -> Any:
    """Mean Euclidean distance of corresponding points.

    Args:
        y_true: `[B, N, D]` points.
        y_pred: `[B, N, D]`, same order, frame and unit.

    Returns:
        `[B]` distances in the points' unit.

    Raises:
        ValueError: If the shapes differ.
    """
    if tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
        raise ValueError(
            "`y_true` and `y_pred` must hold the same number of points and coordinates. "
            f"Received: {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    return ops.mean(ops.sqrt(ops.sum(ops.square(y_true - y_pred), axis=-1)), axis=-1)


def normalizer_length(y_true: Any, box: Any = None, normalizer: str = SQRT_BOX) -> Any:
    """Length by which errors are divided.

    Args:
        y_true: `[B, 68, 2 or 3]` true landmarks, pixels; `interocular` needs the third coordinate in the same scale.
        box: `[B, 4]` x0, y0, x1, y1 pixels; None takes the tight box of `y_true`. Not used by `interocular`.
        normalizer: One of `NORMALIZERS`.

    Returns:
        `[B]` pixels, greater than 0.

    Raises:
        ValueError: If the normaliser is unknown, or `interocular` is asked of 2D landmarks.
    """
    if normalizer not in NORMALIZERS:
        raise ValueError(f"`normalizer` must be one of {', '.join(NORMALIZERS)}. Received: {normalizer!r}.")
    if normalizer == INTEROCULAR:
        if y_true.shape[-1] != 3:
            raise ValueError(f"`interocular` needs `y_true` [B, 68, 3]. Received: {tuple(y_true.shape)}.")
        first, second = contract.OUTER_EYE_CORNERS
        length = ops.sqrt(ops.sum(ops.square(y_true[:, first] - y_true[:, second]), axis=-1))
        return ops.maximum(length, _SMALLEST_NORMALIZER)
    if box is None:
        box = alignment.landmark_box(ops.convert_to_tensor(y_true))
    width = box[..., 2] - box[..., 0]
    if normalizer == BOX_WIDTH:
        return ops.maximum(width, _SMALLEST_NORMALIZER)
    area = ops.maximum(width, 0.0) * ops.maximum(box[..., 3] - box[..., 1], 0.0)
    return ops.maximum(ops.sqrt(area), _SMALLEST_NORMALIZER)


def nme(y_true: Any, y_pred: Any, box: Any = None, normalizer: str = SQRT_BOX) -> Any:
    """Normalised mean error: mean over points of the Euclidean error, divided by a length of the true face.

    Args:
        y_true: `[B, 68, D]` true landmarks, pixels, D 2 or 3.
        y_pred: `[B, 68, D]` predicted landmarks, same frame.
        box: `[B, 4]` true box x0, y0, x1, y1, pixels; None takes the tight box of `y_true`.
        normalizer: One of `NORMALIZERS`; `interocular` needs D 3.

    Returns:
        `[B]` fractions.

    Raises:
        ValueError: If shapes differ or the normaliser does not fit.
    """
    y_true = ops.cast(y_true, "float32")
    y_pred = ops.cast(y_pred, "float32")
    box = None if box is None else ops.cast(box, "float32")
    return point_distance(y_true, y_pred) / normalizer_length(y_true, box, normalizer)


def balanced_mean(errors: np.ndarray, yaw: np.ndarray) -> float:
    """Mean of the means of the |yaw| bins that hold a face, the literature's headline.

    Args:
        errors: `[N]` one error per face.
        yaw: `[N]` degrees, any sign.

    Raises:
        ValueError: If there is no face or the lengths differ.
    """
    errors, yaw = np.asarray(errors), np.asarray(yaw)
    if errors.shape != yaw.shape or errors.ndim != 1 or errors.size == 0:
        raise ValueError(f"`errors` and `yaw` must be [N] with N > 0. Received: {errors.shape} and {yaw.shape}.")
    names = np.array([contract.yaw_bin(float(value)) for value in yaw])
    return float(np.mean([errors[names == name].mean() for name in contract.YAW_BINS if (names == name).any()]))


@keras.saving.register_keras_serializable(package="monoface")
class NormalizedMeanError(keras.metrics.Mean):
    """Mean over images of `nme`, named `nme_<normalizer>` unless told otherwise.

    `update_state` takes landmarks `[B, 68, D]`; the box is the tight box of the true ones.
    """

    def __init__(self, normalizer: str = SQRT_BOX, name: str | None = None, dtype: Any = None) -> None:
        if normalizer not in NORMALIZERS:
            raise ValueError(f"`normalizer` must be one of {', '.join(NORMALIZERS)}. Received: {normalizer!r}.")
        super().__init__(name=name or f"nme_{normalizer}", dtype=dtype)
        self.normalizer = normalizer

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; `sample_weight` is `[B]`, 0 leaves an image out."""
        super().update_state(nme(y_true, y_pred, normalizer=self.normalizer), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"normalizer": self.normalizer, "name": self.name, "dtype": self.dtype}
