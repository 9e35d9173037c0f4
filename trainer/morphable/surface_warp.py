"""A smooth map from one face surface onto another: a similarity, then a thin-plate spline.

The field's standard in small: landmarks start it; alternating between nearest points and the best similarity (ICP, Besl & McKay
1992), then a smoothed thin-plate spline (Chui & Rangarajan 2003), brings the surfaces together. Normals must agree (Amberg et al.
2007).
"""

import dataclasses
from typing import Final

import numpy as np
import trimesh
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

CONTROL_COUNT: Final = 700
"""Points of the source surface that pull the spline onto the target."""

ROUNDS: Final[tuple[tuple[float, float], ...]] = (
    (25.0, 30.0),
    (15.0, 10.0),
    (10.0, 10.0),
    (7.0, 3.0),
    *((5.0, 3.0),) * 7,
)
"""One round each: greatest distance of a correspondence, millimetres; smoothing of the spline."""

RIGID_ROUNDS: Final = (30.0,) * 6 + (15.0,) * 10
"""Before that, rounds in which the surfaces as wholes come together, and their greatest distance, millimetres: few points in the
face say little of where ears and jaw are."""

KNOWN_WEIGHT: Final = 8
"""Each known point counts as so many points of the surface in those."""

KNOWN_SMOOTHING: Final = 0.3
"""Smoothing at known points; lower holds them tighter than the surface."""

NORMAL_AGREEMENT: Final = 0.6
"""Least cosine between the normals of a correspondence."""

CANDIDATES: Final = 12
"""Triangles whose centroids are nearest, among which the nearest point of a surface is looked for."""

_PIECE: Final = 4096
"""Points for which nearest ones are looked for at once."""


@dataclasses.dataclass(frozen=True)
class SurfacePoints:
    """Points of a surface, each in a triangle."""

    points: np.ndarray
    """`[N, 3]`."""
    triangles: np.ndarray
    """`[N]` index of the triangle."""
    barycentrics: np.ndarray
    """`[N, 3]` weights of its corners."""
    distances: np.ndarray
    """`[N]` from the point asked for; infinite where no triangle faces the same way."""


class Surface:
    """A triangle mesh that answers which of its points is nearest."""

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        """Prepares the search.

        Args:
            vertices: `[V, 3]`.
            triangles: `[T, 3]`; those without area are passed over.
        """
        corners = vertices[triangles].astype(np.float64)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        areas = np.linalg.norm(normals, axis=1)
        self._kept = np.flatnonzero(areas > 1e-9)
        if not len(self._kept):
            raise ValueError("`triangles` must have an area; none has.")
        self._corners = corners[self._kept]
        self._normals = normals[self._kept] / areas[self._kept, None]
        self._tree = cKDTree(self._corners.mean(axis=1))

    def nearest(
        self, points: np.ndarray, normals: np.ndarray | None = None, agreement: float = NORMAL_AGREEMENT
    ) -> SurfacePoints:
        """Nearest points of the surface.

        Args:
            points: `[N, 3]`.
            normals: `[N, 3]` unit normals; a triangle counts only if its normal agrees. None lets all count.
            agreement: Least cosine between the normals.

        Returns:
            `N` points. Where no candidate agrees, the nearest one comes with an infinite distance.
        """
        points = np.asarray(points, np.float64)
        normals = None if normals is None else np.asarray(normals, np.float64)
        parts = [
            self._nearest(
                points[start : start + _PIECE], None if normals is None else normals[start : start + _PIECE], agreement
            )
            for start in range(0, max(len(points), 1), _PIECE)
        ]
        return SurfacePoints(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in dataclasses.fields(SurfacePoints)
            )
        )

    def _nearest(self, points: np.ndarray, normals: np.ndarray | None, agreement: float) -> SurfacePoints:
        """`nearest` for as many points as memory is meant for."""
        count = min(CANDIDATES if normals is None else 4 * CANDIDATES, len(self._kept))
        _, found = self._tree.query(points, k=count)
        found = found.reshape(len(points), count)
        agrees = np.ones(found.shape, bool)
        if normals is not None:
            agrees = np.einsum("nkd,nd->nk", self._normals[found], normals) > agreement
        closest = trimesh.triangles.closest_point(self._corners[found.ravel()], np.repeat(points, count, axis=0))
        closest = closest.reshape(*found.shape, 3)
        distances = np.linalg.norm(closest - points[:, None], axis=2)
        best = np.where(agrees, distances, distances + 1e6).argmin(axis=1)
        rows = np.arange(len(points))
        chosen, place = found[rows, best], closest[rows, best]
        weights = np.clip(trimesh.triangles.points_to_barycentric(self._corners[chosen], place), 0, 1)
        weights /= weights.sum(axis=1, keepdims=True)
        return SurfacePoints(
            points=place,
            triangles=self._kept[chosen],
            barycentrics=weights,
            distances=np.where(agrees[rows, best], distances[rows, best], np.inf),
        )


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals.

    Args:
        vertices: `[V, 3]`.
        triangles: `[T, 3]`, counter-clockwise seen from outside.

    Returns:
        `[V, 3]`; zero where a vertex is in no triangle.
    """
    corners = vertices[triangles].astype(np.float64)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, axis], 3), len(vertices)) for axis in range(3)], axis=1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, length, out=np.zeros_like(total), where=length > 0)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The scaled rotation and shift that brings points nearest to others in least squares (Umeyama 1991).

    Args:
        source: `[N, 3]`, at least 3 points not in a line.
        target: `[N, 3]`.

    Returns:
        Scale, rotation `[3, 3]`, shift `[3]`: target ≈ scale · source @ rotationᵀ + shift.
    """
    middle, center = source.mean(axis=0), target.mean(axis=0)
    offset = source - middle
    u, singular, vt = np.linalg.svd((target - center).T @ offset)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt)) or 1.0])
    rotation = (u * signs) @ vt
    scale = float((singular * signs).sum() / np.square(offset).sum())
    return scale, rotation, center - scale * rotation @ middle


class Warp:
    """A map from the source's space to the target's."""

    def __init__(self, scale: float, rotation: np.ndarray, shift: np.ndarray, spline: RBFInterpolator | None) -> None:
        """A similarity, followed by a spline of displacements in the target's space."""
        self._linear, self._shift, self._spline = scale * rotation, shift, spline

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Maps `[N, 3]` points."""
        moved = np.asarray(points, np.float64) @ self._linear.T + self._shift
        return moved if self._spline is None else moved + self._spline(moved)


def fit_warp(
    source_vertices: np.ndarray,
    source_triangles: np.ndarray,
    source_weights: np.ndarray,
    source_known: np.ndarray,
    target: Surface,
    target_known: np.ndarray,
) -> Warp:
    """Brings a surface onto another.

    Args:
        source_vertices: `[V, 3]` millimetres.
        source_triangles: `[T, 3]`, counter-clockwise seen from outside.
        source_weights: `[V]` above 0 where the surface has a counterpart; 0 elsewhere.
        source_known: `[N, 3]` points of the source whose counterparts are known, at least 4.
        target: The other surface, millimetres, the same orientation of its triangles.
        target_known: `[N, 3]` the counterparts.

    Returns:
        The map. It is the same for the same arguments.

    Raises:
        ValueError: If fewer than 4 points are known, or they or their counterparts lie in a line.
    """
    source_known, target_known = np.asarray(source_known, np.float64), np.asarray(target_known, np.float64)
    if len(source_known) < 4 or source_known.shape != target_known.shape:
        raise ValueError(f"`source_known` must hold at least 4 points with counterparts. Received: {len(source_known)}")
    for name, points in (("source_known", source_known), ("target_known", target_known)):
        if not np.isfinite(points).all() or np.linalg.matrix_rank(points - points.mean(axis=0), tol=1.0) < 2:
            raise ValueError(f"`{name}` must be finite and must not lie in a line.")
    has_normal = np.isin(np.arange(len(source_vertices)), source_triangles)
    chosen = _spread(source_vertices, np.flatnonzero((source_weights > 0) & has_normal), CONTROL_COUNT)
    around, patch, place = _one_ring(source_triangles, chosen)
    frame = similarity(source_known, target_known)
    for reach in RIGID_ROUNDS:
        current = Warp(*frame, None)(source_vertices[around])
        found = target.nearest(current[place], vertex_normals(current, patch)[place])
        good = found.distances < reach
        frame = similarity(
            np.concatenate([np.tile(source_known, (KNOWN_WEIGHT, 1)), source_vertices[chosen][good]]),
            np.concatenate([np.tile(target_known, (KNOWN_WEIGHT, 1)), found.points[good]]),
        )
    scale, rotation, shift = frame
    aligned = Warp(*frame, None)
    moved, known = aligned(source_vertices), aligned(source_known)
    spline: RBFInterpolator | None = None
    for reach, smoothing in ROUNDS:
        current = moved[around] + (0 if spline is None else spline(moved[around]))
        found = target.nearest(current[place], vertex_normals(current, patch)[place])
        good = found.distances < reach
        at = np.concatenate([known, moved[chosen][good]])
        to = np.concatenate([target_known, found.points[good]])
        stiffness = np.concatenate([np.full(len(known), KNOWN_SMOOTHING), np.full(int(good.sum()), smoothing)])
        spline = _spline(at, to - at, stiffness)
    return Warp(scale, rotation, shift, spline)


def _one_ring(triangles: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of a mesh that the chosen vertices' normals need: its vertices, its triangles, rows of the chosen in it."""
    touching = triangles[np.isin(triangles, chosen).any(axis=1)]
    around, inverse = np.unique(touching, return_inverse=True)
    return around, inverse.reshape(-1, 3), np.searchsorted(around, chosen)


def _spline(points: np.ndarray, displacements: np.ndarray, smoothing: np.ndarray) -> RBFInterpolator:
    """Thin-plate spline through distinct points."""
    _, first = np.unique(np.round(points, 3), axis=0, return_index=True)
    first = np.sort(first)
    spread = float(np.linalg.norm(points - points.mean(axis=0), axis=1).mean())
    degree = 1 if np.linalg.matrix_rank(points[first] - points[first].mean(axis=0), tol=0.05 * spread) == 3 else 0
    kernel = "thin_plate_spline" if degree else "linear"
    return RBFInterpolator(
        points[first], displacements[first], kernel=kernel, degree=degree, smoothing=smoothing[first] * spread
    )


def _spread(points: np.ndarray, candidates: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of the candidates, about one a cell of a grid: dense parts of a mesh pull no harder than others."""
    if len(candidates) <= count:
        return candidates
    low = points[candidates].min(axis=0)
    size = float((points[candidates].max(axis=0) - low).max())
    chosen = candidates
    for _ in range(40):
        cells = np.floor((points[candidates] - low) / size).astype(np.int64)
        _, first = np.unique(cells, axis=0, return_index=True)
        if len(first) > count:
            break
        chosen = candidates[np.sort(first)]
        size *= 0.85
    return chosen
