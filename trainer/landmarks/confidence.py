"""How far a set of predicted landmarks is to be trusted."""

from typing import Any

from keras import ops

EXPECTED_ERROR = 0.04
"""Expected error at which confidence is 0.5, fraction of the square root of the box's area. Accurate faces lie near 0.015 to
0.03, images without a face beyond 0.1."""
_STEEPNESS = 3.0


def confidence(points: Any, log_sigma: Any) -> Any:
    """Confidence of predicted landmarks, falling as the network's own expected error grows.

    With e = 2 sigma, the mean radial error that the sigmas announce, averaged over the points and divided by the square root of
    the points' box, `confidence = 1 / (1 + (e / EXPECTED_ERROR)^3)`: strictly falling in every sigma, 1 at sigma = 0, 0.5 at
    `EXPECTED_ERROR`. Points whose box is smaller than 4 pixels a side have collapsed: they count as a box of 4 pixels.

    Args:
        points: `[B, 68, 2]` pixels.
        log_sigma: `[B, 68]` log pixels.

    Returns:
        `[B]` in [0, 1].
    """
    extent = ops.maximum(ops.max(points, axis=1) - ops.min(points, axis=1), 4.0)
    scale = ops.sqrt(extent[:, 0] * extent[:, 1])
    error = 2 * ops.mean(ops.exp(ops.clip(log_sigma, -10.0, 10.0)), axis=-1) / scale
    return 1 / (1 + (error / EXPECTED_ERROR) ** _STEEPNESS)
