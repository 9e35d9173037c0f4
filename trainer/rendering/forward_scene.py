"""Surfaces of a scene behind one another in one set of arrays, as the compiled loops of the forward renderer want them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numba
import numpy as np

from trainer.rendering.forward_holes import CELL, alpha_bounds, sort_by_holes
from trainer.rendering.forward_scratch import SCRATCH
from trainer.rendering.scene import Surface

_WORTH_SORTING: Final = 500
"""Triangles of a surface from which on sorting them by their holes takes less time than it saves."""

_MOST_KEPT: Final = 256
"""Surfaces of read-only triangles, coordinates and texture for which the order is kept."""


class Scene(NamedTuple):
    """The arrays. They are the thread's scratch: the next `gather` overwrites them."""

    surfaces: Sequence[Surface]
    vertices: np.ndarray
    """`[V, 3]` float32 model frame, millimetres."""
    colors: np.ndarray
    """`[V, 3]` float32 linear RGB."""
    uv: np.ndarray
    """`[V, 2]` float32; anything for surfaces without."""
    triangles: np.ndarray
    """`[T, 3]` int32 indices of `vertices`; those of a surface in the order of `forward_holes.sort_by_holes`."""
    order: np.ndarray
    """`[T]` int32 each one's number within its surface."""
    holes: tuple[tuple[int, int], ...]
    """For each surface, how many of its triangles have no hole, and how many are not wholly one."""
    vertex_starts: tuple[int, ...]
    """`S + 1` numbers of the surfaces' first vertices; the last entry is V."""
    starts: np.ndarray
    """`[S + 1]` int32 numbers of the surfaces' first triangles; the last entry is T."""


def gather(surfaces: Sequence[Surface]) -> Scene:
    """Copies surfaces into one set of arrays.

    Raises:
        ValueError: If there are none, or a shape or an index of one is wrong; the message names it.
    """
    if not surfaces:
        raise ValueError("`surfaces` must hold at least one surface. Received: none")
    vertex_starts, starts = [0], [0]
    for surface in surfaces:
        _validate(surface)
        vertex_starts.append(vertex_starts[-1] + len(surface.vertices))
        starts.append(starts[-1] + len(surface.triangles))
    vertices = SCRATCH.take("vertices", (vertex_starts[-1], 3), np.float32)
    colors = SCRATCH.take("colors", (vertex_starts[-1], 3), np.float32)
    uv = SCRATCH.take("uv", (vertex_starts[-1], 2), np.float32)
    triangles = SCRATCH.take("triangles", (starts[-1], 3), np.int32)
    order = SCRATCH.take("order of triangles", (starts[-1],), np.int32)
    holes = []
    for index, surface in enumerate(surfaces):
        own = slice(vertex_starts[index], vertex_starts[index + 1])
        vertices[own], colors[own] = surface.vertices, surface.colors
        if surface.uv is not None:
            uv[own] = surface.uv
        corners = np.ascontiguousarray(surface.triangles, np.int32)
        part = slice(starts[index], starts[index + 1])
        low, high = _shift(corners, own.start, triangles[part], order[part])
        if corners.size and not (low >= 0 and high < own.stop - own.start):
            raise ValueError(
                f"`triangles` of {surface.name!r} must be vertex indices in [0, {own.stop - own.start}). "
                f"Received: {low} to {high}"
            )
        holes.append(_sort(surface, corners, own.start, triangles[part], order[part]))
    return Scene(
        surfaces,
        vertices,
        colors,
        uv,
        triangles,
        order,
        tuple(holes),
        tuple(vertex_starts),
        np.array(starts, np.int32),
    )


def _sort(
    surface: Surface, corners: np.ndarray, first: int, triangles: np.ndarray, order: np.ndarray
) -> tuple[int, int]:
    """Sorts a surface's triangles by their holes and returns how many have none and how many are not wholly one."""
    count, texture = len(corners), surface.texture
    if texture is None or surface.uv is None:
        return (count if surface.opacity == 1 else 0), count
    if count < _WORTH_SORTING:
        return 0, count
    arrays = (surface.triangles, surface.uv, texture)
    lasting = not any(array.flags.writeable for array in arrays)
    key = (*map(id, arrays), surface.opacity < 1)
    known = _SORTED.get(key) if lasting else None
    if known is not None:
        order[:] = known.order
        np.add(known.triangles, np.int32(first), out=triangles)
        return known.holes
    shape = (-(-texture.shape[0] // CELL), -(-texture.shape[1] // CELL))
    least, greatest = SCRATCH.take("least", shape, np.uint8), SCRATCH.take("greatest", shape, np.uint8)
    alpha_bounds(np.ascontiguousarray(texture), least, greatest)
    uv = np.ascontiguousarray(surface.uv, np.float32)
    whole, seen = sort_by_holes(
        corners, uv, texture.shape[0], texture.shape[1], least, greatest, surface.opacity < 1, first, order, triangles
    )
    holes = int(whole), int(seen)
    if lasting:
        while len(_SORTED) >= _MOST_KEPT:
            _SORTED.pop(next(iter(_SORTED)), None)
        _SORTED[key] = _Sorted(arrays, order.copy(), triangles - np.int32(first), holes)
    return holes


class _Sorted(NamedTuple):
    """What `_sort` found out about a surface that cannot change."""

    arrays: tuple[np.ndarray, ...]
    """What it was found out about: as long as these are held, no other array has their identity."""
    order: np.ndarray
    """`[T]` int32."""
    triangles: np.ndarray
    """`[T, 3]` int32 within the surface."""
    holes: tuple[int, int]


_SORTED: Final[dict[tuple[int, ...], _Sorted]] = {}


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _shift(corners, first, out, order):  # type: ignore[no-untyped-def]
    """Writes `corners + first` into `out` and 0, 1, 2, … into `order`; returns the least and the greatest corner."""
    low, high, step = np.int32(0x7FFFFFFF), np.int32(-0x80000000), np.int32(first)
    source, target = corners.reshape(-1), out.reshape(-1)
    for index in range(source.shape[0]):
        corner = source[index]
        low, high = min(low, corner), max(high, corner)
        target[index] = np.int32(corner + step)
    for index in range(order.shape[0]):
        order[index] = index
    return low, high


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
    if texture is not None and not (
        texture.ndim == 3 and texture.shape[2] == 4 and texture.dtype == np.uint8 and texture.size
    ):
        raise ValueError(f"`texture` of {name!r} must be [H, W, 4] uint8. Received: {texture.shape} {texture.dtype}")
