"""A camera that shows a given face at a given size, place and pose."""

import math

import numba
import numpy as np

from components.synthetic_face_gen.config_parts import CameraConfig, PoseConfig, Range
from trainer import contract
from trainer.rendering import camera as cameras
from trainer.rendering.scene import Camera

_ITERATIONS = 6
"""Perspective: moving the face sideways changes what of it is seen, and so its box; each round leaves about a tenth."""

_NEARLY = 8
"""Pitch and roll near their range's middle: standard deviation, as the range over this."""


def sample_euler(pose: PoseConfig, rng: np.random.Generator) -> np.ndarray:
    """Draws where a head turns.

    Returns:
        `[3]` float64 yaw, pitch, roll, degrees.
    """
    ranges = (pose.yaw, pose.pitch, pose.roll)
    euler = np.array([_angle(span, pose.step, rng.random()) for span in ranges])
    if rng.random() >= pose.flat_fraction:
        euler[1:] = [_near_middle(span, pose.step, rng) for span in ranges[1:]]
    return euler


def sample_camera(
    settings: CameraConfig, landmarks: np.ndarray, euler: np.ndarray, image_size: int, rng: np.random.Generator
) -> Camera:
    """Draws distance, size and place, and finds the camera.

    Args:
        settings: What is drawn.
        landmarks: `[68, 3]` model frame, millimetres.
        euler: `[3]` yaw, pitch, roll, degrees.
        image_size: Side of the image, pixels.
        rng: Source of randomness.
    """
    distance = math.exp(rng.uniform(math.log(settings.distance[0]), math.log(settings.distance[1])))
    longer_side: float | None = image_size * rng.uniform(*settings.face_size)
    center = image_size * (0.5 + rng.uniform(-settings.face_offset, settings.face_offset, 2))
    if settings.field_of_view is not None:
        longer_side = None
    return place(landmarks, euler, settings.kind, distance, longer_side, center, image_size, settings.field_of_view)


def place(
    landmarks: np.ndarray,
    euler: np.ndarray,
    kind: str,
    distance: float,
    longer_side: float | None,
    center: np.ndarray,
    image_size: int,
    field_of_view: float | None = None,
) -> Camera:
    """Finds the camera.

    Args:
        landmarks: `[68, 3]` model frame, millimetres.
        euler: `[3]` yaw, pitch, roll, degrees.
        kind: `contract.SCALED_ORTHOGRAPHIC` or `contract.PERSPECTIVE`.
        distance: From the camera to the model frame's origin, millimetres; perspective only.
        longer_side: Wanted longer side of the landmark box, pixels; None where `field_of_view` settles it.
        center: `[2]` wanted centre of the landmark box, pixels.
        image_size: Side of the image, pixels.
        field_of_view: Vertical, degrees; perspective only, None where `longer_side` settles it.

    Returns:
        The camera, float64. A scaled orthographic one has t_z = 0.
    """
    rotation = cameras.rotation_from_euler(np.asarray(euler, np.float64))
    if kind == contract.SCALED_ORTHOGRAPHIC:
        if longer_side is None:
            raise ValueError("`longer_side` must be given for a scaled orthographic camera. Received: None")
        flat = (np.asarray(landmarks, np.float64) @ rotation.T)[:, :2] * (1, -1)
        low, high = flat.min(axis=0), flat.max(axis=0)
        scale = longer_side / (high - low).max()
        shift = np.append(center - scale * (low + high) / 2, 0.0)
        return Camera(kind, np.concatenate([scale * rotation, shift[:, None]], axis=1))
    aligned = np.asarray(landmarks, np.float64) @ rotation.T
    focal = image_size / 2 / math.tan(math.radians(field_of_view) / 2) if field_of_view is not None else 0.0
    x, y, focal = _perspective(aligned, distance, longer_side or 0.0, focal, center - image_size / 2)
    field_of_view = math.degrees(2 * math.atan(image_size / 2 / focal))
    shift = np.array([[x], [y], [distance]])
    return Camera(contract.PERSPECTIVE, np.concatenate([rotation, shift], axis=1), field_of_view)


@numba.njit(cache=True, nogil=True)
def _perspective(aligned, distance, longer_side, focal, center):  # type: ignore[no-untyped-def]
    """Translation and focal length of a perspective camera.

    Args:
        aligned: `[68, 3]` float64 landmarks, turned as the head is: x right, y up, z towards the camera; millimetres.
        distance: Of the model frame's origin, millimetres.
        longer_side: Wanted longer side of the box, pixels; 0 where the focal length is given.
        focal: Focal length, pixels; 0 where the longer side is given.
        center: `[2]` wanted centre of the box from the image's centre, pixels.

    Returns:
        Translation along x and y (down), millimetres, and the focal length, pixels.
    """
    x, y, fixed = 0.0, 0.0, focal > 0
    for _ in range(_ITERATIONS):
        low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
        for point in range(aligned.shape[0]):
            away = distance - aligned[point, 2]
            across, down = (x + aligned[point, 0]) / away, (y - aligned[point, 1]) / away
            low_x, high_x = min(low_x, across), max(high_x, across)
            low_y, high_y = min(low_y, down), max(high_y, down)
        if not fixed:
            focal = longer_side / max(high_x - low_x, high_y - low_y)
        x += (center[0] / focal - (low_x + high_x) / 2) * distance
        y += (center[1] / focal - (low_y + high_y) / 2) * distance
    return x, y, focal


def _angle(span: Range, step: float, share: float) -> float:
    """The angle at a share of a range, or of the multiples of a step in it."""
    if not step:
        return span[0] + share * (span[1] - span[0])
    first, last = math.ceil(span[0] / step), math.floor(span[1] / step)
    return step * (first + int(share * (last - first + 1)))


def _near_middle(span: Range, step: float, rng: np.random.Generator) -> float:
    low, high = span
    angle = float(np.clip(rng.normal((low + high) / 2, (high - low) / _NEARLY), low, high))
    if not step:
        return angle
    return float(np.clip(round(angle / step), math.ceil(low / step), math.floor(high / step)) * step)
