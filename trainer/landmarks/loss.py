"""Likelihood of the true landmarks under the network's points and sigmas."""

from typing import Any

import numpy as np
from keras import ops

LOWEST_LOG_SIGMA = float(np.log(0.1))
"""Smaller sigmas than 0.1 pixel are not rewarded."""


def landmark_nll(points_true: Any, points_pred: Any, log_sigma: Any) -> Any:
    """Mean negative log-likelihood of the points under an isotropic two-dimensional Laplace law.

    The density is `exp(-r / sigma) / (2 pi sigma^2)` with r the radial error, so the mean error of a calibrated point is
    2 sigma. Against the Gaussian law (Wood et al. 2022) the pull of an outlier is bounded, as in L1 and Wing losses, which
    small networks like.

    Args:
        points_true: `[B, N, 2]` pixels.
        points_pred: `[B, N, 2]` pixels.
        log_sigma: `[B, N]` log pixels.

    Returns:
        `[B]` nats a point, without the constant log(2 pi).
    """
    log_sigma = ops.maximum(log_sigma, LOWEST_LOG_SIGMA)
    radius = ops.sqrt(ops.sum(ops.square(points_true - points_pred), axis=-1) + 1e-4)
    return ops.mean(radius * ops.exp(-log_sigma) + 2 * log_sigma, axis=-1)
