"""Scaled orthographic cameras, and the coefficients of a linear model, from image points: in TensorFlow, batched, differentiable.

The NumPy twin for one camera, with its checks, is `trainer.rendering.camera.fit_scaled_orthographic`.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

ITERATIONS = 4
"""Gauss-Newton steps. With expression modes faces are within 1e-4 of their size of the minimum after three, within 1e-5 after
four; cameras alone after two."""

_DAMPING = 1e-6
"""Added to the diagonal of normal equations whose unit is 1, so that points that determine nothing give something finite."""
_SMALLEST_SCALE = 1e-3


class ModelFit(NamedTuple):
    """A linear model laid under image points."""

    camera: Any
    """`[B, 3, 4]` scaled orthographic, `[f R | t]`, t_z = 0."""
    coefficients: Any
    """`[B, K]`."""
    points: Any
    """`[B, N, 3]` the fitted model's points, model frame, millimetres."""


def fit_cameras(points3d: Any, points2d: Any, weights: Any = None, iterations: int = ITERATIONS) -> Any:
    """The scaled orthographic cameras that bring model points nearest, in weighted least squares, to image points.

    Args:
        points3d: `[N, 3]` model frame, millimetres, not in one plane; N at least 4.
        points2d: `[B, N, 2]` image frame, pixels.
        weights: `[B, N]` of the squared distances, 0 or more; None weighs all alike.
        iterations: Gauss-Newton steps after an affine start.

    Returns:
        `[B, 3, 4]` float32, t_z = 0. Differentiable in `points2d` and `weights`. Image points that determine no camera give one
        that is finite and means nothing.
    """
    nothing = np.zeros((0, *np.shape(points3d)), np.float32)
    return fit_linear_model(points3d, nothing, points2d, weights, 0.0, iterations).camera


def fit_linear_model(
    mean: Any, modes: Any, points2d: Any, weights: Any = None, ridge: float = 1.0, iterations: int = ITERATIONS
) -> ModelFit:
    """Cameras and coefficients c that minimise `Σ_n w_n |x_n - project(mean + Σ_k c_k modes_k)_n|² + ridge Σ_k c_k²`.

    Args:
        mean: `[N, 3]` model frame, millimetres, not in one plane.
        modes: `[K, N, 3]` millimetres per standard deviation; K may be 0.
        points2d: `[B, N, 2]` image frame, pixels.
        weights: `[B, N]`, such as 1 / sigma², pixels; None weighs all by 1.
        ridge: Of the coefficients; 1 where weights and modes are true to their standard deviations.
        iterations: Gauss-Newton steps, from the affine fit of the mean; each solves for all unknowns at once.

    Returns:
        The fit; differentiable in `points2d` and `weights`.
    """
    mean, modes = np.asarray(mean, np.float32), np.asarray(modes, np.float32)
    middle = mean.mean(axis=0)
    # In units in which the model's points, and the image's, are about 1 apart: float32 is enough then.
    unit = float(np.sqrt(np.square(mean - middle).sum(axis=1).mean()))
    model, basis = tf.constant((mean - middle) / unit), tf.constant(modes / unit)
    count, modes_count = mean.shape[0], modes.shape[0]
    points2d = tf.cast(points2d, tf.float32) * tf.constant([1.0, -1.0])  # y upwards, as the model's
    weights = tf.ones_like(points2d[..., 0]) if weights is None else tf.cast(weights, tf.float32)
    total = tf.maximum(tf.reduce_sum(weights, axis=1), 1e-12)
    share = weights / total[:, None]
    center = tf.reduce_sum(share[..., None] * points2d, axis=1)
    spread = tf.reduce_sum(share * tf.reduce_sum(tf.square(points2d - center[:, None]), axis=-1), axis=1)
    spread = tf.sqrt(tf.maximum(spread, 1e-12))
    target = (points2d - center[:, None]) / spread[:, None, None]
    prior = ridge / (total * tf.square(spread))  # [B] of the normalised problem

    scale, rotation, shift = (tf.stop_gradient(part) for part in _affine_start(model, target, share))
    coefficients = tf.zeros([tf.shape(target)[0], modes_count])
    flat_basis = tf.constant(np.moveaxis(modes / unit, -1, 0).reshape(3, -1))  # [3, K * N]
    twice_share = tf.concat([share, share], axis=1)[:, None]
    flat_target = tf.concat([target[..., 0], target[..., 1]], axis=1)  # [B, 2 N]: all x, then all y
    pull = tf.concat([tf.zeros([tf.shape(target)[0], 6]), prior[:, None] * tf.ones_like(coefficients)], axis=1)
    for _ in range(iterations):
        shape = model + tf.tensordot(coefficients, basis, 1)
        seen = tf.matmul(scale[:, None, None] * rotation, shape, transpose_b=True)
        x, y, z = tf.unstack(seen, axis=1)
        zero, one = tf.zeros_like(x), tf.ones_like(x)
        # Logarithm of the scale; turns about x, y, z after the rotation; shift; coefficients: x's derivative, then y's.
        derivatives = [x, y, zero, -z, z, zero, -y, x, one, zero, zero, one]
        jacobian = tf.reshape(tf.stack(derivatives, axis=1), [-1, 6, 2 * count])
        if modes_count:
            moved = tf.matmul(scale[:, None, None] * rotation[:, :2], flat_basis[None])
            moved = tf.transpose(tf.reshape(moved, [-1, 2, modes_count, count]), [0, 2, 1, 3])
            jacobian = tf.concat([jacobian, tf.reshape(moved, [-1, modes_count, 2 * count])], axis=1)
        residual = flat_target - tf.concat([x + shift[:, :1], y + shift[:, 1:]], axis=1)
        weighted = jacobian * twice_share
        normal = tf.matmul(weighted, jacobian, transpose_b=True) + tf.linalg.diag(pull + _DAMPING)
        state = tf.concat([tf.zeros_like(pull[:, :6]), coefficients], axis=1)
        right = tf.linalg.matvec(weighted, residual) - pull * state
        step = tf.linalg.solve(normal, right[..., None])[..., 0]
        scale *= tf.exp(tf.clip_by_value(step[:, 0], -1.0, 1.0))
        rotation = tf.matmul(_small_rotation(step[:, 1:4]), rotation)
        shift += step[:, 4:6]
        coefficients += step[:, 6:]

    factor = (scale * spread / unit)[:, None, None]
    linear = factor * rotation
    origin = center + spread[:, None] * shift - tf.linalg.matvec(linear[:, :2], middle)
    flipped = tf.stack([origin[:, 0], -origin[:, 1], tf.zeros_like(origin[:, 0])], axis=-1)
    fitted = unit * (model + tf.tensordot(coefficients, basis, 1)) + middle
    return ModelFit(tf.concat([linear, flipped[..., None]], axis=-1), coefficients, fitted)


def _affine_start(model: Any, target: Any, share: Any) -> tuple[Any, Any, Any]:
    """Scale `[B]`, rotation `[B, 3, 3]` and shift `[B, 2]` near the affine camera `[2, 4]` that fits best."""
    homogeneous = tf.concat([model, tf.ones_like(model[:, :1])], axis=1)  # [N, 4]
    weighted = share[..., None] * homogeneous
    normal = tf.matmul(weighted, tf.broadcast_to(homogeneous, tf.shape(weighted)), transpose_a=True)
    affine = tf.linalg.solve(normal + _DAMPING * tf.eye(4), tf.matmul(weighted, target, transpose_a=True))  # [B, 4, 2]
    first, second = affine[:, :3, 0], affine[:, :3, 1]
    lengths = tf.norm(first, axis=-1), tf.norm(second, axis=-1)
    first, second = _unit(first, [1.0, 0.0, 0.0]), _unit(second, [0.0, 1.0, 0.0])
    # The pair at right angles that is nearest to two unit vectors has the same bisectors.
    sum_, difference = _unit(first + second, [0.6, 0.8, 0.0]), _unit(first - second, [0.8, -0.6, 0.0])
    first, second = (sum_ + difference) * 0.5**0.5, (sum_ - difference) * 0.5**0.5
    rotation = tf.stack([first, second, tf.linalg.cross(first, second)], axis=1)
    return tf.maximum((lengths[0] + lengths[1]) / 2, _SMALLEST_SCALE), rotation, affine[:, 3]


def _unit(vector: Any, instead: list[float]) -> Any:
    """`[B, 3]` vectors of length 1; `instead` of one without a direction."""
    length = tf.norm(vector, axis=-1, keepdims=True)
    return tf.where(length > 1e-6, vector / tf.maximum(length, 1e-6), tf.constant(instead))


def _small_rotation(vector: Any) -> Any:
    """`[B, 3, 3]` the turn by the vectors `[B, 3]`, radians, by Cayley's map: exact rotations, without a singularity at 0."""
    half = vector / 2
    x, y, z = tf.unstack(half, axis=-1)
    zero = tf.zeros_like(x)
    cross = tf.reshape(tf.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1), [-1, 3, 3])
    square = tf.reduce_sum(tf.square(half), axis=-1)[:, None, None]
    return tf.eye(3) + 2 / (1 + square) * (cross + tf.matmul(cross, cross))
