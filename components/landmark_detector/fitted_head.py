"""Pose and visibility of a face's landmarks, by laying a head model under them."""

from typing import Final, NamedTuple

import numpy as np

from trainer import contract
from trainer.imaging import alignment
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.landmark_visibility import landmark_visibility
from trainer.rendering.visibility_numba import rasterize_into

DEPTH_TOLERANCE: Final = 8.0
"""A landmark this many millimetres behind the nearest surface still counts as on it: corners of eyes and mouth lie deep in their
folds, and the mean head is not the person's."""

LEAST_POINTS: Final = 6
"""Landmarks that a pose is fitted to, at least."""

LEAST_SPREAD: Final = (15.0, 5.0)
"""Root mean square extents, millimetres, that those landmarks must have on the head across their longest direction, second and
third: both brows with both eyes lie too flat to tell pitch, the mouth alone is too small."""

DEPTH_MAP_SIZE: Final = 160
"""Side of the head's depth map in which landmarks are tested, pixels."""


class PoseError(ValueError):
    """Landmarks that do not tell a pose."""


class FittedHead(NamedTuple):
    """What the model's mean head says about a face."""

    euler: np.ndarray
    """`[3]` yaw, pitch, roll, degrees."""
    points: np.ndarray
    """`[68, 2]` image frame, pixels: the given landmarks, and the head's own where none is known."""
    visible: np.ndarray
    """`[68]` float32: 1 where the landmark lies in the image and the posed head does not hide it, else 0. Hands, hair and glasses
    are not known."""


def fit_head(
    points: np.ndarray,
    model: MorphableModel,
    landmark_set: str,
    height: int,
    width: int,
    known: np.ndarray | None = None,
) -> FittedHead:
    """Poses the mean head so that its landmarks come nearest to a face's, and looks which of them it hides.

    Depths take no part: those of detectors are too flat at large yaws, and annotated points have none.

    Args:
        points: `[68, 2 or 3]` image frame, pixels.
        model: Head model.
        landmark_set: Which 68 points of it correspond, a name of `contract.LANDMARK_SETS`.
        height: Of the image, pixels.
        width: Of the image, pixels.
        known: `[68]` 1 where there is a point, else 0; None where all are.

    Raises:
        PoseError: If too few points are known, or they lie in one place or plane.
    """
    flat = np.asarray(points, np.float64)[:, :2]
    vertices = model.vertices()
    landmarks = model.landmark_points(vertices, landmark_set)
    chosen = np.ones(len(flat), bool) if known is None else np.asarray(known) > 0
    if not determines_pose(landmarks[chosen]):
        raise PoseError(
            f"At least {LEAST_POINTS} landmarks, spread over the face, must be known to tell its pose. "
            f"Received: {int(chosen.sum())}"
        )
    matrix = cameras.fit_scaled_orthographic(landmarks[chosen], flat[chosen])
    scale, euler, _ = cameras.decompose(matrix)
    if not scale > 0:
        raise PoseError(f"The {int(chosen.sum())} points must spread over more than one place.")
    fitted = cameras.project(landmarks.astype(np.float64), matrix, contract.SCALED_ORTHOGRAPHIC)[:, :2]
    flat = np.where(chosen[:, None], flat, fitted)
    transform = alignment.crop_transform(alignment.landmark_box(flat), 0.1, DEPTH_MAP_SIZE)
    crop_camera = cameras.crop_matrix(matrix, transform)
    projected = cameras.project(vertices.astype(np.float64), crop_camera, contract.SCALED_ORTHOGRAPHIC)
    depth = np.full((DEPTH_MAP_SIZE, DEPTH_MAP_SIZE), np.inf, np.float32)
    ids = np.full(depth.shape, -1, np.int32)
    rasterize_into(projected.astype(np.float32), model.triangles, ids, depth)
    on_head = cameras.project(landmarks.astype(np.float64), crop_camera, contract.SCALED_ORTHOGRAPHIC)
    tolerance = DEPTH_TOLERANCE * float(scale * transform[0])
    visible = landmark_visibility(on_head, depth, tolerance)
    inside = (flat >= 0).all(axis=1) & (flat[:, 0] < width) & (flat[:, 1] < height)
    return FittedHead(np.asarray(euler, np.float32), flat, visible * inside.astype(np.float32))


def determines_pose(landmarks: np.ndarray) -> bool:
    """Whether a head can be posed by some of its landmarks: enough of them, and far enough apart.

    Args:
        landmarks: `[N, 3]` model frame, millimetres.
    """
    if len(landmarks) < LEAST_POINTS:
        return False
    extents = np.linalg.svd(landmarks - landmarks.mean(axis=0), compute_uv=False) / np.sqrt(len(landmarks))
    return bool((extents[1:] >= LEAST_SPREAD).all())
