"""Rays against a mesh: where a line of sight first meets the surface. For a few thousand rays at build time, not for pictures."""

import dataclasses
from typing import Final

import numpy as np

EDGE: Final = 1e-7
"""Rays count as inside a triangle up to this much beyond its edges, in barycentrics, so that none slips between two."""


@dataclasses.dataclass(frozen=True)
class Hits:
    """Where rays meet a mesh."""

    triangles: np.ndarray
    """`[R]` int64, -1 where a ray meets nothing."""
    barycentrics: np.ndarray
    """`[R, 3]`, zero where a ray meets nothing."""
    distances: np.ndarray
    """`[R]` along the ray from its origin; infinite where it meets nothing."""
    points: np.ndarray
    """`[R, 3]`, NaN where a ray meets nothing."""


def cast(
    vertices: np.ndarray, triangles: np.ndarray, origins: np.ndarray, direction: np.ndarray, last: bool = False
) -> Hits:
    """Meeting points of parallel rays and a mesh.

    Args:
        vertices: `[V, 3]`.
        triangles: `[T, 3]`; both sides stop a ray.
        origins: `[R, 3]`; what lies behind an origin counts too, with a negative distance.
        direction: `[3]` unit vector in which the rays travel.
        last: Take the last meeting point along the ray instead of the first.

    Returns:
        One meeting point a ray.
    """
    origins, direction = np.asarray(origins, np.float64), np.asarray(direction, np.float64)
    across = _plane(direction)
    corners = np.asarray(vertices, np.float64)[triangles]
    flat, starts = corners @ across.T, origins @ across.T
    depth = corners @ direction
    low, high = flat.min(axis=1), flat.max(axis=1)
    edge_1, edge_2 = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    found = np.full(len(origins), -1)
    weights = np.zeros((len(origins), 3))
    distances = np.full(len(origins), np.inf)
    for ray, (start, offset) in enumerate(zip(starts, origins @ direction, strict=True)):
        near = np.flatnonzero(((low <= start) & (high >= start)).all(axis=1) & (np.abs(area) > 1e-12))
        away = start - flat[near, 0]
        second = (away[:, 0] * edge_2[near, 1] - away[:, 1] * edge_2[near, 0]) / area[near]
        third = (edge_1[near, 0] * away[:, 1] - edge_1[near, 1] * away[:, 0]) / area[near]
        inside = (second >= -EDGE) & (third >= -EDGE) & (second + third <= 1 + EDGE)
        if not inside.any():
            continue
        inner = np.stack([1 - second - third, second, third], axis=1)[inside]
        met = (inner * depth[near[inside]]).sum(axis=1) - offset
        best = int(met.argmax() if last else met.argmin())
        found[ray], weights[ray], distances[ray] = near[inside][best], inner[best], met[best]
    points = np.einsum("rc,rcd->rd", weights, corners[found])
    points[found < 0] = np.nan
    return Hits(found, weights, distances, points)


def _plane(direction: np.ndarray) -> np.ndarray:
    """`[2, 3]` orthonormal axes across a unit vector."""
    helper = np.eye(3)[np.abs(direction).argmin()]
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(direction, first)])
