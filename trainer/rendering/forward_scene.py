"""Surfaces of a scene behind one another in one set of arrays, as the compiled loops of the forward renderer want them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from trainer.rendering.scene import Surface


class Scene(NamedTuple):
    """The arrays."""

    surfaces: Sequence[Surface]
    vertices: np.ndarray
    """`[V, 3]` float32 model frame, millimetres."""
    colors: np.ndarray
    """`[V, 3]` float32 linear RGB."""
    uv: np.ndarray
    """`[V, 2]` float32; 0 for surfaces without."""
    triangles: np.ndarray
    """`[T, 3]` int32 indices of `vertices`."""
    starts: np.ndarray
    """`[S + 1]` int32 number of each surface's first triangle; the last entry is T."""


def gather(surfaces: Sequence[Surface]) -> Scene:
    """Copies surfaces into one set of arrays.

    Raises:
        ValueError: If there are none, or a shape or an index of one is wrong; the message names it.
    """
    if not surfaces:
        raise ValueError("`surfaces` must hold at least one surface. Received: none")
    for surface in surfaces:
        _validate(surface)
    vertex_starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    starts = np.cumsum([0, *(len(surface.triangles) for surface in surfaces)]).astype(np.int32)
    vertices, colors = np.empty((vertex_starts[-1], 3), np.float32), np.empty((vertex_starts[-1], 3), np.float32)
    uv, triangles = np.zeros((vertex_starts[-1], 2), np.float32), np.empty((starts[-1], 3), np.int32)
    for index, surface in enumerate(surfaces):
        own = slice(vertex_starts[index], vertex_starts[index + 1])
        vertices[own], colors[own] = surface.vertices, surface.colors
        if surface.uv is not None:
            uv[own] = surface.uv
        np.add(
            surface.triangles, vertex_starts[index], out=triangles[starts[index] : starts[index + 1]], casting="unsafe"
        )
    return Scene(surfaces, vertices, colors, uv, triangles, starts)


def _validate(surface: Surface) -> None:
    name, count = surface.name, len(surface.vertices)
    for field, value, width in (
        ("vertices", surface.vertices, 3),
        ("colors", surface.colors, 3),
        ("uv", surface.uv, 2),
    ):
        if value is not None and value.shape != (count, width):
            raise ValueError(f"`{field}` of {name!r} must be [V, {width}], V = {count}. Received: {value.shape}")
    triangles, texture = surface.triangles, surface.texture
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f"`triangles` of {name!r} must be [T, 3]. Received: {triangles.shape}")
    if triangles.size and not (triangles.min() >= 0 and triangles.max() < count):
        raise ValueError(
            f"`triangles` of {name!r} must be vertex indices in [0, {count}). "
            f"Received: {triangles.min()} to {triangles.max()}"
        )
    if texture is not None and not (
        texture.ndim == 3 and texture.shape[2] == 4 and texture.dtype == np.uint8 and texture.size
    ):
        raise ValueError(f"`texture` of {name!r} must be [H, W, 4] uint8. Received: {texture.shape} {texture.dtype}")
