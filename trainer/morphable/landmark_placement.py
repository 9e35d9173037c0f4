"""Where the landmarks of the default head sit: a table of vertices, moved towards the Basel model's definition.

The table names whole vertices, 3 to 10 mm apart, so that points which should be evenly spaced are not. Each shift below
is the difference to the Basel model's mean landmarks after similarity alignment, rounded to half a millimetre and made
symmetric; the shifted point is then laid onto the nearest skin.
"""

from typing import Final

import numpy as np
import trimesh

from trainer.contract import LANDMARK_COUNT, LANDMARK_FLIP, LANDMARK_GROUPS
from trainer.morphable.model import LandmarkSet

SHIFTS: Final = {
    "jaw": (
        (1.5, 0.0, 0.0),
        (1.0, -1.5, -1.5),
        (1.0, 1.0, -1.5),
        (0.0, -1.0, 1.5),
        (-2.0, 4.0, 0.0),
        (0.5, -0.5, -4.0),
        (0.0, 0.5, 2.5),
        (-0.5, -1.0, 0.0),
        (0.0, -1.0, 1.0),
    ),
    "right_brow": ((1.0, 0.0, 1.5), (0.0, 0.0, -1.5), (3.5, -0.5, 1.0), (-3.0, 1.5, -2.0), (-3.0, 0.0, -1.0)),
    "nose_bridge": ((0.0, 0.0, 0.0), (0.0, 3.0, 2.0), (0.0, 6.0, 0.0), (0.0, 0.0, 0.0)),
    "right_eye": (
        (1.0, 0.5, 0.0),
        (0.5, -1.0, 0.0),
        (-1.0, -1.0, 0.0),
        (0.5, -0.5, 0.0),
        (0.0, -0.5, 1.0),
        (-1.5, -0.5, 0.5),
    ),
    "outer_lips": (
        (-1.5, -0.5, 0.5),
        (0.0, 0.0, 0.0),
        (-0.5, 0.5, 0.0),
        (0.0, 0.0, 0.0),
        (0.5, 0.5, 0.0),
        (0.0, 0.0, 0.0),
        (1.5, -0.5, 0.5),
        (-1.5, -1.5, 0.5),
        (1.5, 0.5, 0.0),
        (0.0, 0.0, 0.0),
        (-1.5, 0.5, 0.0),
        (1.5, -1.5, 0.5),
    ),
    "inner_lips": (
        (0.0, 0.0, 0.0),
        (1.0, -0.5, -1.0),
        (0.0, 0.0, 0.0),
        (-1.0, -0.5, -1.0),
        (0.0, 0.0, 0.0),
        (1.5, 0.5, 0.5),
        (0.0, 0.0, 0.5),
        (-1.5, 0.5, 0.5),
    ),
}
"""Group of the `basel` set to the shifts of its first points, millimetres in the model frame. The other side mirrors it."""

PATCH_RADIUS: Final = 12.0
"""A shifted landmark looks for skin within this distance, millimetres."""


def shifts() -> np.ndarray:
    """`[68, 3]` shifts of the `basel` landmarks, symmetric."""
    table = np.zeros((LANDMARK_COUNT, 3))
    for group, rows in SHIFTS.items():
        for index, row in zip(LANDMARK_GROUPS[group], rows, strict=False):
            table[index] = row
            other = LANDMARK_FLIP[index]
            table[other] = np.multiply(row, (-1, 1, 1)) if other != index else np.multiply(row, (0, 1, 1))
    return table


def place(
    vertices: np.ndarray,
    triangles: np.ndarray,
    mirror: np.ndarray,
    skin: np.ndarray,
    indices: np.ndarray,
    shift: np.ndarray,
) -> LandmarkSet:
    """Lays landmarks onto a mesh, symmetrically: a pair's places are the means of both sides.

    Args:
        vertices: `[V, 3]` mean head, millimetres, symmetric about x = 0.
        triangles: `[T, 3]`.
        mirror: `[V]` mirror vertices.
        skin: `[T]` bool, triangles that may carry a landmark.
        indices: `[68]` vertices from which the landmarks start.
        shift: `[68, 3]` millimetres.

    Raises:
        ValueError: If a landmark's vertex is in no triangle.
    """
    rows, weights = [], []
    flip = np.array(LANDMARK_FLIP)
    numbers = np.arange(LANDMARK_COUNT)
    starts = np.where(numbers <= flip, indices, mirror[indices[flip]])
    wanted = (vertices[indices] + vertices[indices[flip]] * [-1, 1, 1]) / 2 + shift
    corners = vertices[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for number, (vertex, point) in enumerate(zip(starts, wanted, strict=True)):
        touching = (triangles == vertex).any(axis=1)
        if not touching.any():
            raise ValueError(f"landmark {number} starts at vertex {vertex}, which is in no triangle.")
        near = np.linalg.norm(corners.mean(axis=1) - point, axis=1) < PATCH_RADIUS
        outward = normals @ normals[touching].sum(axis=0) > 0
        candidates = np.flatnonzero((near & outward & skin) | touching)
        target = np.tile(point, (len(candidates), 1))
        closest = trimesh.triangles.closest_point(corners[candidates], target)
        best = int(np.linalg.norm(closest - target, axis=1).argmin())
        barycentric = trimesh.triangles.points_to_barycentric(corners[candidates[best]][None], closest[best][None])[0]
        rounded = np.round(np.clip(barycentric, 0, 1), 3)
        rows.append(candidates[best])
        weights.append(rounded / rounded.sum())
    return LandmarkSet(np.array(rows, np.int32), np.array(weights, np.float32))
