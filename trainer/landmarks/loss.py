"""Likelihood of the true landmarks under the network's points and sigmas."""

from typing import Any

import numpy as np
from keras import ops

LOWEST_LOG_SIGMA = float(np.log(0.1))
"""Smaller sigmas than 0.1 pixel are not rewarded."""


def landmark_distance(points_true: Any, points_pred: Any) -> Any:
    """Distance of each point from the true one, smooth at 0.

    Args:
        points_true: `[..., 2]` pixels.
        points_pred: `[..., 2]` pixels.

    Returns:
        `[...]` pixels.
    """
    return ops.sqrt(ops.sum(ops.square(points_true - points_pred), axis=-1) + 1e-4)


def landmark_nll(points_true: Any, points_pred: Any, log_sigma: Any, known: Any = None) -> Any:
    """Mean negative log-likelihood of the points under an isotropic two-dimensional Laplace law.

    The density is `exp(-r / sigma) / (2 pi sigma^2)` with r the radial error, so the mean error of a calibrated point is
    2 sigma. Against the Gaussian law (Wood et al. 2022) the pull of an outlier is bounded, as in L1 and Wing losses, which
    small networks like.

    Args:
        points_true: `[B, ..., 2]` pixels.
        points_pred: `[B, ..., 2]` pixels.
        log_sigma: `[B, ...]` log pixels.
        known: `[B, ...]` weight of each point, 0 where there is no true one; None counts all alike.

    Returns:
        `[B]` nats a point, without the constant log(2 pi); 0 where nothing is known.
    """
    log_sigma = ops.maximum(log_sigma, LOWEST_LOG_SIGMA)
    each = landmark_distance(points_true, points_pred) * ops.exp(-log_sigma) + 2 * log_sigma
    return mean_known(each, known)


def mean_known(values: Any, known: Any = None) -> Any:
    """Mean over all but the first axis of what is known: `[B, ...]` values and weights (None: all alike) to `[B]`."""
    axes = tuple(range(1, len(values.shape)))
    if known is None:
        return ops.mean(values, axis=axes)
    return ops.sum(values * known, axis=axes) / ops.maximum(ops.sum(known, axis=axes), 1e-6)
