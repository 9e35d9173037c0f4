"""Weights over a mesh by distance from its landmarks."""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree


def near(vertices: np.ndarray, line: np.ndarray, full: float, none: float) -> np.ndarray:
    """`[V]` 1 within `full` of a polyline `[n, 3]`, smoothly 0 from `none` on."""
    steps = np.linspace(0, len(line) - 1, max(12 * len(line), 2))
    dense = np.stack([np.interp(steps, np.arange(len(line)), line[:, axis]) for axis in range(3)], axis=1)
    distance, _ = cKDTree(dense).query(vertices)
    return 1 - ramp(distance, full, none)


def within(vertices: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """`[V]` bool: inside a polygon `[n, 3]` seen from the front (crossing numbers)."""
    x, y = vertices[:, 0], vertices[:, 1]
    crossings = np.zeros(len(vertices), int)
    for (x0, y0, _), (x1, y1, _) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        spans = (y0 > y) != (y1 > y)
        at = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, np.inf, y1 - y0)
        crossings += spans & (x < at)
    return crossings % 2 == 1


def smooth_outline(points: np.ndarray) -> np.ndarray:
    """`[49, 3]` closed curve through an eye's landmarks `[6, 3]`."""
    steps = np.linspace(0, len(points), 8 * len(points) + 1)
    return CubicSpline(np.arange(len(points) + 1), closed(points), bc_type="periodic")(steps)


def closed(line: np.ndarray) -> np.ndarray:
    """`[n + 1, 3]` a line `[n, 3]` that ends where it begins."""
    return np.concatenate([line, line[:1]])


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
