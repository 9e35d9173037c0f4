"""Nearest points of a mesh."""

from typing import Final

import numpy as np
import scipy.spatial

CANDIDATES: Final = 24
"""Triangles, nearest by their centres, that are tried for each point."""


def nearest_on_mesh(points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest point of a mesh to each of some points, among the triangles whose centres are nearest.

    Args:
        points: `[N, 3]`.
        vertices: `[V, 3]` of the mesh.
        triangles: `[T, 3]`, at least one.

    Returns:
        `[N]` triangle, `[N, 3]` barycentrics of its nearest point, each in [0, 1] and summing to 1.

    Raises:
        ValueError: If there is no triangle.
    """
    if not len(triangles):
        raise ValueError("`triangles` must hold at least one triangle.")
    corners = np.asarray(vertices, np.float64)[triangles]
    _, candidates = scipy.spatial.cKDTree(corners.mean(axis=1)).query(points, k=min(CANDIDATES, len(triangles)))
    candidates = candidates.reshape(len(points), -1)
    best = np.full(len(points), np.inf)
    triangle, weights = np.zeros(len(points), np.int64), np.zeros((len(points), 3))
    for column in candidates.T:
        found = barycentrics_of_nearest(np.asarray(points, np.float64), corners[column])
        distance = np.linalg.norm(np.einsum("nc,ncd->nd", found, corners[column]) - points, axis=1)
        closer = distance < best
        best[closer], triangle[closer], weights[closer] = distance[closer], column[closer], found[closer]
    return triangle, weights


def barycentrics_of_nearest(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Nearest point of a triangle each: inside it, or the nearest on one of its edges.

    Args:
        points: `[N, 3]`.
        corners: `[N, 3, 3]` triangles.

    Returns:
        `[N, 3]` barycentrics.
    """
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    away = points - corners[:, 0]
    a, b, c = (first * first).sum(1), (first * second).sum(1), (second * second).sum(1)
    d, e = (first * away).sum(1), (second * away).sum(1)
    determinant = a * c - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.stack([(c * d - b * e) / determinant, (a * e - b * d) / determinant], axis=1)
    inside = np.isfinite(inner).all(axis=1) & (inner >= 0).all(axis=1) & (inner.sum(axis=1) <= 1)
    weights = np.concatenate([1 - inner.sum(axis=1, keepdims=True), inner], axis=1)
    best = np.full(len(points), np.inf)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        edge = corners[:, end] - corners[:, start]
        length = np.maximum((edge * edge).sum(1), 1e-30)
        along = np.clip(((points - corners[:, start]) * edge).sum(1) / length, 0, 1)
        distance = np.linalg.norm(corners[:, start] + along[:, None] * edge - points, axis=1)
        closer = ~inside & (distance < best)
        best[closer] = distance[closer]
        weights[closer] = 0
        weights[closer, start], weights[closer, end] = 1 - along[closer], along[closer]
    return weights
