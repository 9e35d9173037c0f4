"""The facial landmark map (FLM), the fourth input channel of tu2019 (paper, section 3.2)."""

from typing import Any

from keras import ops


def landmark_map(points: Any, size: int, present: Any = None) -> Any:
    """Draws landmarks: -1 everywhere, +1 at the pixel in which a landmark lies.

    Args:
        points: `[B, N, 2]` x, y, pixels of the crop. A point outside is clamped to the nearest pixel of the border.
        size: Side of the map, pixels.
        present: `[B, N]`, 0 leaves a point out; None draws all.

    Returns:
        `[B, size, size, 1]` float32, -1 or +1, indexed by row (y), then column (x).
    """
    cells = ops.cast(ops.clip(ops.floor(points), 0, size - 1), "int32")
    columns = ops.one_hot(cells[..., 0], size, dtype="float32")
    rows = ops.one_hot(cells[..., 1], size, dtype="float32")
    if present is not None:
        rows = rows * ops.cast(present, "float32")[..., None]
    hits = ops.matmul(ops.swapaxes(rows, 1, 2), columns)
    return ops.where(hits > 0.5, 1.0, -1.0)[..., None]
