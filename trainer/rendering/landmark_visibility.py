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
    padded = np.pad(np.where(np.isfinite(depth), depth, -np.inf), 1, constant_values=-np.inf)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    nearby = np.stack([padded[y + dy, x + dx] for dy in range(3) for dx in range(3)])
    return (inside & (projected[:, 2] <= nearby.max(axis=0) + tolerance)).astype(np.float32)
