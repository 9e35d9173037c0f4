"""Supervised losses of tu2019: the weighted coefficient loss (section 3.3) and the landmark consistency (section 3.4).

Vectors of parameters are 12 camera elements, the 3 × 4 matrix row by row, then shape, then expression coefficients.
"""

from typing import Any, Final

import numpy as np
from keras import ops

from trainer import contract
from trainer.losses import landmarks

CAMERA_SIZE: Final = 12
_DEPTH_SHIFT: Final = 11
"""Position of t_z, which moves no landmark of the image."""

# A control point is one landmark, or the midpoint of two: (group, place in it), .... The weight follows.
_CONTROL_POINTS: Final = (
    ((("right_brow", 0),), 1.0),
    ((("right_brow", 2),), 1.0),
    ((("right_brow", 4),), 1.0),
    ((("left_brow", 0),), 1.0),
    ((("left_brow", 2),), 1.0),
    ((("left_brow", 4),), 1.0),
    ((("right_eye", 0),), 4.0),
    ((("right_eye", 1), ("right_eye", 4)), 2.0),
    ((("right_eye", 3),), 4.0),
    ((("left_eye", 0),), 4.0),
    ((("left_eye", 1), ("left_eye", 4)), 2.0),
    ((("left_eye", 3),), 4.0),
    ((("nose_base", 0),), 2.0),
    ((("nose_bridge", 3),), 4.0),
    ((("nose_base", 4),), 2.0),
    ((("outer_lips", 0),), 4.0),
    ((("inner_lips", 2), ("inner_lips", 6)), 2.0),
    ((("outer_lips", 6),), 4.0),
)


def _control_matrix() -> np.ndarray:
    """`[18, 68]`: what makes the control points of the landmarks."""
    matrix = np.zeros((len(_CONTROL_POINTS), contract.LANDMARK_COUNT), np.float32)
    for row, (parts, _) in enumerate(_CONTROL_POINTS):
        for group, place in parts:
            matrix[row, contract.LANDMARK_GROUPS[group][place]] = 1.0 / len(parts)
    return matrix


CONTROL_MATRIX: Final = _control_matrix()
CONTROL_WEIGHTS: Final = np.array([weight for _, weight in _CONTROL_POINTS], np.float32)
"""4 for eye corners, nose tip and mouth corners, 2 for eye centres, nose wings and the mouth's centre, 1 for brows."""


def landmark_consistency(y_true: Any, y_pred: Any) -> Any:
    """L_2d-con = Σ v_i ‖x_i - y_i‖ over 18 control points.

    Args:
        y_true: `[B, 68, 2]` given landmarks, crop frame, pixels.
        y_pred: `[B, 68, 2]` projected landmarks.

    Returns:
        `[B]` pixels.
    """
    control = ops.convert_to_tensor(CONTROL_MATRIX)
    distances = landmarks.point_distances(ops.matmul(control, y_true), ops.matmul(control, y_pred))
    return ops.sum(CONTROL_WEIGHTS * distances, axis=-1)


def coefficient_weights(parameters: Any, difference: Any, points: Any, modes: Any) -> Any:
    """The diagonal of W: how far each predicted element alone would move the projected landmarks, as a share of the sum.

    Because the projection H is linear in every single element, ‖H(α̂_i) - H(α*)‖ is |α̂_i - α*_i| times the length of one
    derivative: of the model's points for a rotation element, √68 for a shift, of the turned mode for a coefficient. t_z weighs 0.
    No gradient flows into the weights.

    Args:
        parameters: `[B, P]` true parameters α*, not whitened.
        difference: `[B, P]` α̂ - α*, not whitened.
        points: `[B, 68, 3]` true landmarks in the model frame, millimetres.
        modes: `[P - 12, 68, 3]` shape, then expression modes at the landmarks.

    Returns:
        `[B, P]`, 0 or more, each row with sum 1, or 0 if the prediction is perfect.
    """
    linear = ops.reshape(parameters[:, :CAMERA_SIZE], (-1, 3, 4))[..., :3]
    of_axis = ops.sqrt(ops.sum(ops.square(points), axis=1))
    of_shift = ops.full_like(of_axis[:, :1], contract.LANDMARK_COUNT**0.5)
    of_camera = ops.tile(ops.concatenate([of_axis, of_shift], axis=-1), (1, 3))
    counted = ops.convert_to_tensor([float(index != _DEPTH_SHIFT) for index in range(CAMERA_SIZE)])
    # ‖L m‖² of a mode m [68, 3] turned by L is the trace of LᵀL mᵀm.
    gram = ops.einsum("kni,knj->kij", modes, modes)
    squares = ops.einsum("bij,kij->bk", ops.matmul(ops.swapaxes(linear, 1, 2), linear), gram)
    of_modes = ops.sqrt(ops.maximum(squares, 0.0))
    moved = ops.abs(difference) * ops.concatenate([of_camera * counted, of_modes], axis=-1)
    total = ops.sum(moved, axis=-1, keepdims=True)
    return ops.stop_gradient(moved / ops.maximum(total, 1e-9))


def weighted_coefficient_loss(y_true: Any, y_pred: Any, weights: Any) -> Any:
    """L_3d = (α* - α̂)ᵀ W (α* - α̂).

    Args:
        y_true: `[B, P]` true parameters, whitened.
        y_pred: `[B, P]` predicted parameters, whitened.
        weights: `[B, P]` from `coefficient_weights`.

    Returns:
        `[B]`.
    """
    return ops.sum(weights * ops.square(y_true - y_pred), axis=-1)
