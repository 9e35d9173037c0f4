"""How much of the sky each vertex of a mesh sees: dark in nostrils, ears and corners, by z-buffers from many directions."""

from typing import Final

import numpy as np

from trainer.morphable.skin_kernels import nearest_depths

DIRECTIONS: Final = 48
CELL: Final = 1.5
"""Side of a z-buffer's cell, millimetres."""
BIAS: Final = 0.8
"""What is not further than this behind the nearest point of its cell counts as seen, millimetres."""
MOST_SLOPE: Final = 4.0
"""Surfaces seen at a slant differ in depth within a cell: the bias grows with the tangent of the angle, up to this."""
LIFT: Final = 0.3
"""Vertices look from this far above the surface, millimetres."""
SPACING: Final = 1.5
"""Triangles are sampled at least this densely, millimetres; at most `MOST_SAMPLES` an edge."""
MOST_SAMPLES: Final = 8


def openness(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Ambient occlusion's complement.

    Args:
        vertices: `[V, 3]` millimetres.
        triangles: `[T, 3]` counter-clockwise seen from outside.

    Returns:
        `[V]` float32 cosine-weighted share of the directions above the surface that nothing blocks, in [0, 1]; 1 where a
        vertex belongs to no triangle.
    """
    normals = _normals(vertices, triangles)
    samples = _samples(vertices, triangles).astype(np.float32)
    raised = (vertices + LIFT * normals).astype(np.float32)
    seen = np.zeros(len(vertices))
    total = np.zeros(len(vertices))
    for direction in _directions():
        cosine = np.maximum(normals @ direction, 0)
        slope = np.sqrt(1 - np.minimum(cosine, 1) ** 2) / np.maximum(cosine, 1 / MOST_SLOPE)
        seen += cosine * _visible(raised, samples, direction, BIAS + CELL * np.minimum(slope, MOST_SLOPE))
        total += cosine
    return np.where(total > 0, seen / np.maximum(total, 1e-9), 1.0).astype(np.float32)


def visible_from(vertices: np.ndarray, triangles: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """`[V]` bool: nothing hides a vertex from an observer far away in a direction.

    Args:
        vertices: `[V, 3]` millimetres.
        triangles: `[T, 3]`.
        direction: `[3]` unit vector towards the observer.
    """
    samples = _samples(vertices, triangles).astype(np.float32)
    return _visible(vertices.astype(np.float32), samples, direction, BIAS + CELL)


def _directions() -> np.ndarray:
    """`[DIRECTIONS, 3]` spread evenly over the sphere (Fibonacci)."""
    index = np.arange(DIRECTIONS) + 0.5
    height = 1 - 2 * index / DIRECTIONS
    turn = np.pi * (1 + np.sqrt(5)) * index
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], axis=1)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[V, 3]` unit normals, zero for lone vertices."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, axis], 3), len(vertices)) for axis in range(3)], axis=1
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def _samples(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[N, 3]` points that cover the surface: the vertices, and a grid inside each triangle."""
    corners = vertices[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max(axis=1)
    counts = np.clip(np.ceil(longest / SPACING), 1, MOST_SAMPLES).astype(int)
    parts = [vertices]
    for count in np.unique(counts):
        steps = [(i, j, count - 1 - i - j) for i in range(count) for j in range(count - i)]
        weights = (np.array(steps) + 1 / 3) / count
        parts.append(np.einsum("wc,tcd->twd", weights, corners[counts == count]).reshape(-1, 3))
    return np.concatenate(parts)


def _visible(points: np.ndarray, samples: np.ndarray, direction: np.ndarray, bias: np.ndarray | float) -> np.ndarray:
    """`[V]` bool: no sample of a point's cell lies in front of it by more than the bias, seen against a direction."""
    side = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    frame = np.stack([side / CELL, np.cross(direction, side) / CELL, direction], axis=1).astype(np.float32)
    placed = points @ frame
    low = placed[:, :2].min(axis=0) - 2
    cells = (placed[:, :2] - low).astype(np.int32)
    width, height = cells.max(axis=0) + 3
    nearest = np.full((width, height), -np.inf, np.float32)
    nearest_depths(samples, frame, low, nearest)
    return placed[:, 2] >= nearest[cells[:, 0], cells[:, 1]] - bias
