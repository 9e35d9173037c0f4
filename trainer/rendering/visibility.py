"""Visibility: which triangle each pixel sees. It has no gradient, so it has interchangeable backends.

- `numba`: compiled for CPUs; NumPy in, NumPy out, no TensorFlow; given tensors it runs as a `tf.numpy_function`.
- `xla`: TensorFlow ops, compiled by XLA where the caller compiles; CPUs, GPUs, and inside a SavedModel.
"""

from typing import Any

import numpy as np

from trainer.imaging.arrays import namespace

BACKENDS = ("numba", "xla")


def rasterize(projected: Any, triangles: Any, height: int, width: int, backend: str = "numba") -> Any:
    """Index of the nearest triangle at every pixel's centre, (column + 0.5, row + 0.5).

    Both sides of a triangle are drawn. A centre exactly on an edge belongs to the triangle; where several triangles have the
    same z there, the lowest index wins. Degenerate triangles (zero area) and those with a vertex that is not finite (behind a
    perspective camera) are left out. z is interpolated linearly across the image, so that a perspective camera's must be
    affine in 1 / distance to be exact within a triangle.

    Args:
        projected: `[B, V, 3]` float x, y in pixels, z growing away from the camera.
        triangles: `[T, 3]` int vertex indices, in [0, V).
        height: Of the image, pixels.
        width: Of the image, pixels.
        backend: One of `BACKENDS`.

    Returns:
        `[B, height, width]` int32; -1 where there is nothing. A NumPy array for NumPy arguments with `numba`, else a tensor.

    Raises:
        ValueError: If a shape, size, index or the backend is wrong.
    """
    if backend not in BACKENDS:
        raise ValueError(f"`backend` must be one of {BACKENDS}. Received: {backend!r}")
    if len(projected.shape) != 3 or projected.shape[-1] != 3:
        raise ValueError(f"`projected` must be [B, V, 3]. Received: {tuple(projected.shape)}")
    if len(triangles.shape) != 2 or triangles.shape[-1] != 3:
        raise ValueError(f"`triangles` must be [T, 3]. Received: {tuple(triangles.shape)}")
    if height < 1 or width < 1:
        raise ValueError(f"`height` and `width` must be positive. Received: height={height}, width={width}")
    if isinstance(triangles, np.ndarray) and triangles.size and projected.shape[1] is not None:
        low, high = int(triangles.min()), int(triangles.max())
        if low < 0 or high >= projected.shape[1]:
            raise ValueError(
                f"`triangles` must be vertex indices in [0, {projected.shape[1]}). Received: {low} to {high}"
            )
    if backend == "xla":
        from trainer.rendering import visibility_xla

        return visibility_xla.rasterize(projected, triangles, height, width)
    from trainer.rendering import visibility_numba

    if namespace(projected, triangles) is np:
        return visibility_numba.rasterize(projected, triangles, height, width)
    return _rasterize_in_graph(projected, triangles, height, width)


def _rasterize_in_graph(projected: Any, triangles: Any, height: int, width: int) -> Any:
    """The numba backend on tensors, eagerly or as a node of a graph on the CPU."""
    import tensorflow as tf

    from trainer.rendering import visibility_numba

    def draw(vertices: np.ndarray, corners: np.ndarray) -> np.ndarray:
        if corners.size and (corners.min() < 0 or corners.max() >= vertices.shape[1]):
            raise ValueError(f"`triangles` must be vertex indices in [0, {vertices.shape[1]}).")
        return visibility_numba.rasterize(vertices, corners, height, width)

    triangle_ids = tf.numpy_function(draw, [tf.stop_gradient(projected), triangles], tf.int32, stateful=False)
    return tf.ensure_shape(triangle_ids, [projected.shape[0], height, width])
