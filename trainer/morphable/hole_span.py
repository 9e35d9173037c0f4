"""Triangles over the holes of a map: between the vertices of a hole's edge, symmetric where the hole is."""

import numpy as np

from trainer.morphable.conformal_map import signed_areas


def span_holes(coordinates: np.ndarray, loops: tuple[np.ndarray, ...], mirror: np.ndarray | None) -> np.ndarray:
    """Spans holes of a planar mesh.

    Args:
        coordinates: `[N, 2]` vertices in the plane.
        loops: Edges of the holes, each `[n]` vertices clockwise (the mesh is to the left).
        mirror: `[N]` the vertex at the other side of the middle, -1 for none; or None.

    Returns:
        `[sum of n - 2, 3]` int32 triangles, counter-clockwise. Holes that are mirror images of each other, or of themselves with
        two vertices on the middle, get mirrored triangles.

    Raises:
        ValueError: If a loop crosses itself.
    """
    spans: list[np.ndarray] = [np.zeros((0, 3), np.int32)]
    done: dict[frozenset[int], np.ndarray] = {}
    for loop in loops:
        polygon = loop[::-1]
        image = frozenset() if mirror is None else frozenset(mirror[polygon].tolist())
        if mirror is not None and image in done:
            span = mirror[done[image]][:, ::-1]
        elif mirror is not None and image == frozenset(polygon.tolist()) and (mirror[polygon] == polygon).sum() == 2:
            span = _halves(coordinates, polygon, mirror)
        else:
            span = ear_clipping(coordinates, polygon)
        done[frozenset(polygon.tolist())] = span
        spans.append(span.astype(np.int32))
    return np.concatenate(spans)


def ear_clipping(coordinates: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Triangulates a simple polygon by cutting off its roundest ear, again and again.

    Args:
        coordinates: `[N, 2]` vertices in the plane.
        polygon: `[n]` indices of its corners, counter-clockwise, at least 3.

    Returns:
        `[n - 2, 3]` int32 indices, counter-clockwise.

    Raises:
        ValueError: If the polygon crosses itself.
    """
    remaining, triangles = [int(vertex) for vertex in polygon], []
    while len(remaining) > 3:
        ears = np.stack([np.roll(remaining, 1), remaining, np.roll(remaining, -1)], axis=-1)
        a, b, c = (coordinates[ears[:, corner]] for corner in range(3))
        rim = np.square(a - b).sum(axis=1) + np.square(b - c).sum(axis=1) + np.square(c - a).sum(axis=1)
        roundness = signed_areas(coordinates, ears) / np.maximum(rim, 1e-300)
        for index in np.argsort(-roundness, kind="stable"):
            if roundness[index] > 0 and not _holds_another(coordinates, ears[index], remaining):
                break
        else:
            break
        triangles.append(ears[index])
        del remaining[index]
    spanned = np.array([*triangles, remaining[:3]], np.int32)
    if len(remaining) > 3 or not (signed_areas(coordinates, spanned) > 0).all():
        raise ValueError("`polygon` must be simple. Received: one whose edge crosses itself")
    return spanned


def _halves(coordinates: np.ndarray, polygon: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """A polygon that is its own mirror image, by one half and its image."""
    first, second = np.flatnonzero(mirror[polygon] == polygon)
    half = polygon[first : second + 1]
    span = ear_clipping(coordinates, half)
    return np.concatenate([span, mirror[span][:, ::-1]])


def _holds_another(coordinates: np.ndarray, ear: np.ndarray, corners: list[int]) -> bool:
    """Whether a corner of the polygon other than an ear's own lies in the ear."""
    others = np.setdiff1d(corners, ear)
    sides = [np.column_stack([np.tile(ear[[i, (i + 1) % 3]], (len(others), 1)), others]) for i in range(3)]
    return bool((np.stack([signed_areas(coordinates, side) for side in sides]) >= 0).all(axis=0).any())
