"""Landmark losses that papers share."""

from typing import Any

from keras import ops

_SMALLEST_SQUARE = 1e-8


def point_distances(y_true: Any, y_pred: Any) -> Any:
    """Euclidean distances of corresponding points, with a gradient of 0 where they meet.

    Args:
        y_true: `[B, N, D]`.
        y_pred: `[B, N, D]`, same order and frame.

    Returns:
        `[B, N]` in the points' unit.

    Raises:
        ValueError: If the shapes differ.
    """
    if tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
        raise ValueError(
            "`y_true` and `y_pred` must hold the same number of points and coordinates. "
            f"Received: {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    squares = ops.sum(ops.square(y_true - y_pred), axis=-1)
    apart = squares > _SMALLEST_SQUARE
    return ops.where(apart, ops.sqrt(ops.where(apart, squares, ops.ones_like(squares))), ops.zeros_like(squares))


def weighted_point_distance(y_true: Any, y_pred: Any, weights: Any) -> Any:
    """Weighted mean of the distances of corresponding points.

    Args:
        y_true: `[B, N, D]`.
        y_pred: `[B, N, D]`, same order and frame.
        weights: `[B, N]` or `[N]`, 0 or more.

    Returns:
        `[B]` in the points' unit; 0 where every weight is 0.
    """
    weights = ops.broadcast_to(weights, ops.shape(y_true)[:2])
    total = ops.sum(weights, axis=-1)
    return ops.sum(weights * point_distances(y_true, y_pred), axis=-1) / ops.maximum(total, 1e-6)
