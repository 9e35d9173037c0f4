"""Which landmarks of a posed head the camera sees: a depth test against the head's own surface."""

import numpy as np


def landmark_visibility(projected: np.ndarray, depth: np.ndarray, tolerance: float) -> np.ndarray:
    """Which points lie within the image and on the nearest surface.

    A point is visible if it lies no more than the tolerance behind the farthest surface seen within a pixel of it: at the edge
    of the nose the surface's depth changes by more than the tolerance from pixel to pixel.

    Args:
        projected: `[N, 3]` image frame.
        depth: `[H, W]` z of the nearest surface, image frame, inf where there is none.
        tolerance: In the projection's scale, pixels.

    Returns:
        `[N]` float32, 1 where visible, else 0.
    """
    height, width = depth.shape
    x, y = np.floor(projected[:, 0]).astype(int), np.floor(projected[:, 1]).astype(int)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    columns = np.clip(x[:, None, None] + _STEPS, 0, width - 1)
    rows = np.clip(y[:, None, None] + _STEPS[:, None], 0, height - 1)
    nearby = depth[rows, columns].reshape(len(x), -1)
    farthest = np.where(np.isfinite(nearby), nearby, -np.inf).max(axis=1)
    return (inside & (projected[:, 2] <= farthest + tolerance)).astype(np.float32)


_STEPS = np.arange(-1, 2)
