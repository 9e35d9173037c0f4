"""A camera that shows a given face at a given size, place and pose."""

import math

import numpy as np

from trainer import contract
from trainer.imaging.alignment import landmark_box
from trainer.rendering import camera as cameras
from trainer.rendering.scene import Camera

_ITERATIONS = 4
"""Perspective: moving the face sideways changes what of it is seen, and so its box; each round leaves about a tenth."""


def place(
    landmarks: np.ndarray,
    euler: np.ndarray,
    kind: str,
    distance: float,
    longer_side: float,
    center: np.ndarray,
    image_size: int,
) -> Camera:
    """Finds the camera.

    Args:
        landmarks: `[68, 3]` model frame, millimetres.
        euler: `[3]` yaw, pitch, roll, degrees.
        kind: `contract.SCALED_ORTHOGRAPHIC` or `contract.PERSPECTIVE`.
        distance: From the camera to the model frame's origin, millimetres; perspective only.
        longer_side: Wanted longer side of the landmark box, pixels.
        center: `[2]` wanted centre of the landmark box, pixels.
        image_size: Side of the image, pixels.

    Returns:
        The camera, float64. A scaled orthographic one has t_z = 0.
    """
    if kind == contract.SCALED_ORTHOGRAPHIC:
        unit = Camera(kind, cameras.scaled_orthographic_matrix(euler, np.float64(1), np.zeros(3)))
        middle, side = _middle_and_side(landmarks, unit, image_size)
        scale = longer_side / side
        shift = np.append(center - scale * middle, 0.0)
        return Camera(kind, cameras.scaled_orthographic_matrix(euler, np.float64(scale), shift))
    translation = np.array([0.0, 0.0, distance])
    focal = float(image_size)
    for _ in range(_ITERATIONS):
        camera = _perspective(euler, translation, focal, image_size)
        middle, side = _middle_and_side(landmarks, camera, image_size)
        focal *= longer_side / side
        # The middle's offset from the image's centre grows with the focal length.
        missing = center - image_size / 2 - (middle - image_size / 2) * longer_side / side
        translation[:2] += missing * distance / focal
    return _perspective(euler, translation, focal, image_size)


def _perspective(euler: np.ndarray, translation: np.ndarray, focal: float, image_size: int) -> Camera:
    field_of_view = math.degrees(2 * math.atan(image_size / 2 / focal))
    return Camera(contract.PERSPECTIVE, cameras.perspective_matrix(euler, translation), field_of_view)


def _middle_and_side(landmarks: np.ndarray, camera: Camera, image_size: int) -> tuple[np.ndarray, float]:
    """`[2]` centre and the longer side of the projected landmarks' box, pixels."""
    projected = cameras.project(landmarks, camera.matrix, camera.kind, camera.field_of_view, image_size, image_size)
    x0, y0, x1, y1 = landmark_box(projected)
    return np.array([x0 + x1, y0 + y1]) / 2, float(max(x1 - x0, y1 - y0))
