"""Small meshes put together from swept tubes, sheets and ellipsoids. Counter-clockwise seen from outside."""

import functools
import math
from collections.abc import Sequence

import numba
import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]
"""`[N, 3]` float32 vertices, millimetres, and `[T, 3]` int32 triangles."""


@functools.lru_cache(maxsize=256)
def sheet_triangles(rows: int, columns: int, wraps: bool = False, closes: bool = False) -> np.ndarray:
    """Triangles of a sheet of points, row by row.

    Args:
        rows: Points from bottom to top.
        columns: Points from left to right, seen from outside.
        wraps: Whether the last column is joined to the first.
        closes: Whether the last row is joined to the first.

    Returns:
        `[T, 3]` int32, read-only.
    """
    r = np.arange(rows if closes else rows - 1)[:, None]
    c = np.arange(columns if wraps else columns - 1)[None, :]
    above, beside = (r + 1) % rows, (c + 1) % columns
    a, b, d, e = r * columns + c, r * columns + beside, above * columns + beside, above * columns + c
    triangles = np.stack([np.stack([a, b, d], -1), np.stack([a, d, e], -1)], axis=2).reshape(-1, 3).astype(np.int32)
    triangles.flags.writeable = False
    return triangles


@functools.lru_cache(maxsize=256)
def _tube_triangles(rings: int, sides: int, closed: bool) -> np.ndarray:
    """Triangles of a tube; an open one has the middles of its caps as the last two points."""
    triangles = sheet_triangles(rings, sides, wraps=True, closes=closed)
    if not closed:
        side = np.arange(sides)
        beside, last, start = (side + 1) % sides, (rings - 1) * sides, np.full(sides, rings * sides)
        caps = np.concatenate(
            [np.stack([start, beside, side], -1), np.stack([start + 1, last + side, last + beside], -1)]
        )
        triangles = np.concatenate([triangles, caps]).astype(np.int32)
    triangles.flags.writeable = False
    return triangles


@functools.lru_cache(maxsize=16)
def _circle(sides: int) -> np.ndarray:
    """`[sides, 2]` cosines and sines."""
    angle = 2 * np.pi * np.arange(sides) / sides
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """`[..., 3]` vectors at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def tube(path: np.ndarray, radii: np.ndarray, up: np.ndarray, sides: int = 6, closed: bool = False) -> Mesh:
    """A closed tube along a path.

    Args:
        path: `[P, 3]` its middle.
        radii: `[P, 2]` or what broadcasts to it: half its width across `up`, half its height along `up`.
        up: `[3]` or `[P, 3]`, nowhere along the path.
        sides: Corners of its cross-section.
        closed: Whether the last point is joined to the first; else both ends get a cap.

    Returns:
        `P * sides` vertices, two more if not closed.
    """
    count = len(path)
    vertices = np.empty((count * sides + (0 if closed else 2), 3), np.float32)
    _tube_vertices(
        np.array(path, np.float64, order="C"),
        np.array(np.broadcast_to(radii, (count, 2)), np.float64, order="C"),
        np.array(np.broadcast_to(up, (count, 3)), np.float64, order="C"),
        _circle(sides),
        closed,
        vertices,
    )
    return vertices, _tube_triangles(count, sides, closed)


@numba.njit(cache=True, nogil=True)
def _tube_vertices(path, radii, up, circle, closed, vertices):  # type: ignore[no-untyped-def]
    """Fills `vertices` `[P * S (+ 2), 3]` with the rings of `tube`, from `[P, 3]`, `[P, 2]`, `[P, 3]` and `[S, 2]`."""
    count, sides = len(path), len(circle)
    along, side, raised = np.empty(3), np.empty(3), np.empty(3)
    for point in range(count):
        before, after = max(point - 1, 0), min(point + 1, count - 1)
        if closed:
            before, after = (point - 1) % count, (point + 1) % count
        for axis in range(3):
            along[axis] = path[after, axis] - path[before, axis]
        for turned, first, second in ((side, up[point], along), (raised, along, side)):
            for axis in range(3):
                one, two = (axis + 1) % 3, (axis + 2) % 3
                turned[axis] = first[one] * second[two] - first[two] * second[one]
            turned /= max(math.sqrt(turned[0] ** 2 + turned[1] ** 2 + turned[2] ** 2), 1e-9)
        for corner in range(sides):
            across, height = radii[point, 0] * circle[corner, 0], radii[point, 1] * circle[corner, 1]
            for axis in range(3):
                vertices[point * sides + corner, axis] = path[point, axis] + across * side[axis] + height * raised[axis]
    if not closed:
        for axis in range(3):
            vertices[count * sides, axis] = path[0, axis]
            vertices[count * sides + 1, axis] = path[count - 1, axis]


def capsule(
    path: np.ndarray,
    radii: np.ndarray,
    up: np.ndarray,
    sides: int = 8,
    flat: float = 1.0,
    ends: Sequence[float] = (1, 1),
) -> Mesh:
    """A tube of varying radius with round ends.

    Args:
        path: `[P, 3]` its middle.
        radii: `[P]` half its width.
        up: `[3]` direction in which it is flattened, nowhere along the path.
        sides: Corners of its cross-section.
        flat: Its height over its width.
        ends: How far the round ends reach, in radii.
    """
    first, last = unit(path[0] - path[1]), unit(path[-1] - path[-2])
    bulge = np.array([[0.98, 0.25], [0.75, 0.68]])
    start = path[0] + first * radii[0] * ends[0] * bulge[:, :1]
    end = path[-1] + last * radii[-1] * ends[1] * bulge[::-1, :1]
    full = np.concatenate([start, path, end])
    width = np.concatenate([radii[0] * bulge[:, 1], radii, radii[-1] * bulge[::-1, 1]])
    return tube(full, np.stack([width, width * flat], -1), up, sides)


@functools.lru_cache(maxsize=16)
def _sphere(rows: int, columns: int) -> Mesh:
    """A unit sphere: `rows` rings between its two poles, which are its last two points."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rows + 2)[1:-1, None]
    ring = np.stack(
        np.broadcast_arrays(
            np.sin(2 * np.pi * np.arange(columns) / columns) * np.cos(latitude),
            np.sin(latitude),
            np.cos(2 * np.pi * np.arange(columns) / columns) * np.cos(latitude),
        ),
        axis=-1,
    ).reshape(-1, 3)
    return np.concatenate([ring, [[0, -1, 0], [0, 1, 0]]]).astype(np.float32), _tube_triangles(rows, columns, False)


def ellipsoid(center: np.ndarray, axes: np.ndarray, rows: int = 7, columns: int = 12) -> Mesh:
    """A closed ellipsoid.

    Args:
        center: `[3]`.
        axes: `[3]` half axes along x, y, z; or `[3, 3]` rows that are the half axes themselves, right-handed.
        rows: Rings between the poles, which lie along the second axis.
        columns: Points of a ring.
    """
    sphere, triangles = _sphere(rows, columns)
    axes = np.asarray(axes, np.float32)
    return (sphere @ (axes if axes.ndim == 2 else np.diag(axes)) + np.asarray(center, np.float32)), triangles


def slab(center: np.ndarray, axes: np.ndarray, rounding: float = 0.15, corners: int = 4) -> Mesh:
    """A closed board with round corners.

    Args:
        center: `[3]`.
        axes: `[3, 3]` rows: half width, half height, half thickness, right-handed.
        rounding: Radius of the corners over the half width.
        corners: Points of a corner.
    """
    width, height = np.linalg.norm(axes[0]), np.linalg.norm(axes[1])
    radius = float(np.minimum(rounding * width, 0.95 * height))
    turn = np.linspace(0, np.pi / 2, corners)
    angle = (turn + np.array([0, 1, 2, 3])[:, None] * np.pi / 2).reshape(-1)
    sign = np.repeat([[1, 1], [-1, 1], [-1, -1], [1, -1]], corners, axis=0)
    outline = sign * [width - radius, height - radius] + radius * np.stack([np.cos(angle), np.sin(angle)], -1)
    flat = outline / [width, height]
    bevel = float(np.clip(0.8 * np.linalg.norm(axes[2]) / width, 0, 0.3))
    rings = []
    for depth, shrink in ((-1, 1 - bevel), (-0.6, 1), (0.6, 1), (1, 1 - bevel)):
        rings.append(flat * shrink @ axes[:2] + depth * axes[2])
    vertices = np.concatenate([*rings, [-axes[2], axes[2]]]) + center
    return vertices.astype(np.float32), _tube_triangles(4, len(outline), False)


def merged(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    triangles = [triangles + start for (_, triangles), start in zip(meshes, starts, strict=True)]
    return np.concatenate([vertices for vertices, _ in meshes]), np.concatenate(triangles).astype(np.int32)


def tinted(color: np.ndarray, vertices: np.ndarray, rng: np.random.Generator, spread: float = 0.06) -> np.ndarray:
    """Colours of vertices `[N, 3]`, a little uneven in space: `[N, 3]` float32 linear RGB in [0, 1].

    Args:
        color: `[3]` or `[N, 3]` linear RGB.
        vertices: `[N, 3]` millimetres.
        rng: Draws the unevenness: three waves of 15 to 60 mm.
        spread: Its standard deviation, as a share of the colour.
    """
    waves = rng.normal(size=(3, 3)) * (2 * np.pi / rng.uniform(15, 60, size=(3, 1)))
    starts = rng.uniform(0, 2 * np.pi, 3)
    result = np.empty((len(vertices), 3), np.float32)
    base = np.broadcast_to(np.asarray(color, np.float32), result.shape)
    _tint(
        base,
        np.asarray(vertices, np.float32),
        waves.astype(np.float32),
        starts.astype(np.float32),
        0.8 * spread,
        result,
    )
    return result


@numba.njit(cache=True, nogil=True)
def _tint(base, vertices, waves, starts, spread, result):  # type: ignore[no-untyped-def]
    """`tinted` into `result` `[N, 3]`."""
    for vertex in range(len(vertices)):
        noise = 0.0
        for wave in range(3):
            x = waves[wave, 0] * vertices[vertex, 0] + waves[wave, 1] * vertices[vertex, 1]
            noise += math.sin(x + waves[wave, 2] * vertices[vertex, 2] + starts[wave])
        for channel in range(3):
            result[vertex, channel] = min(max(base[vertex, channel] * (1 + spread * noise), 0.0), 1.0)
