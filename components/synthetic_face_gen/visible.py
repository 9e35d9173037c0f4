"""Which landmarks a picture shows: not hidden by the head itself, nor by what it wears or holds, nor outside of the picture."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from components.synthetic_face_gen.borders import Border
from trainer import contract
from trainer.rendering import camera as cameras
from trainer.rendering.forward import ForwardImage
from trainer.rendering.landmark_visibility import landmark_visibility
from trainer.rendering.scene import Camera, Surface

DEPTH_TOLERANCE: Final = 6.0
"""A landmark this many millimetres behind the nearest surface still counts as on it: the corners of a closed mouth lie
almost 5 behind the lips that they separate, what a nose or a cheek hides lies 8 and more behind."""

PART_OF_THE_FACE: Final = frozenset({"brows", "lashes", "beard", "scalp"})
"""What grows on the skin does not hide the place where it grows."""

SEE_THROUGH: Final = 0.5
"""Surfaces of less opacity do not hide what is behind them: lenses."""

OCCLUDED_SHARE: Final = 0.1
"""An image is `occluded` if things hide more than this share of the landmarks that the head itself would show."""


class Visibility(NamedTuple):
    """What a picture shows of 68 landmarks."""

    visible: np.ndarray
    """`[68]` float32, 1 where the picture shows it, else 0."""
    occluded: bool
    """Whether things, or the picture's end, hide more than `OCCLUDED_SHARE` of what the head itself would show."""


def landmark_visibility_in(
    projected: np.ndarray, image: ForwardImage, surfaces: Sequence[Surface], camera: Camera, border: Border | None
) -> Visibility:
    """Finds out what hides which landmark.

    Args:
        projected: `[68, 3]` image frame.
        image: The rendered scene; square.
        surfaces: What was rendered, the head first.
        camera: With which.
        border: Where the picture ends, if it does before the image.
    """
    tolerance = tolerance_pixels(camera, image.depth.shape[0])
    by_itself = landmark_visibility(projected, image.head_depth, tolerance) > 0
    covered = _hidden_by_things(projected, image, surfaces, tolerance)
    if border is not None:
        covered |= border.contains(projected[:, :2])
    hidden = int((by_itself & covered).sum())
    return Visibility((by_itself & ~covered).astype(np.float32), hidden > OCCLUDED_SHARE * max(int(by_itself.sum()), 1))


def tolerance_pixels(camera: Camera, size: int) -> float:
    """`DEPTH_TOLERANCE` in pixels at the face's distance.

    Args:
        camera: One camera.
        size: Height of the image, pixels.
    """
    if camera.kind == contract.SCALED_ORTHOGRAPHIC:
        return DEPTH_TOLERANCE * float(np.linalg.norm(camera.matrix[0, :3]))
    return DEPTH_TOLERANCE * float(cameras.focal_length(camera.field_of_view, size) / camera.matrix[2, 3])


def _hidden_by_things(
    projected: np.ndarray, image: ForwardImage, surfaces: Sequence[Surface], tolerance: float
) -> np.ndarray:
    """`[68]` whether something that hides, and is not behind it, is nearest in most of the pixels around a landmark."""
    hides = np.array(
        [
            index > 0 and surface.name not in PART_OF_THE_FACE and surface.opacity >= SEE_THROUGH
            for index, surface in enumerate(surfaces)
        ]
        + [False]  # where nothing is, the identifier is -1
    )
    if not hides.any():
        return np.zeros(len(projected), bool)
    height, width = image.depth.shape
    x, y = np.floor(projected[:, 0]).astype(int), np.floor(projected[:, 1]).astype(int)
    columns = np.clip(x[:, None, None] + _STEPS, 0, width - 1)
    rows = np.clip(y[:, None, None] + _STEPS[:, None], 0, height - 1)
    before = image.depth[rows, columns] <= projected[:, 2, None, None] + tolerance
    return (hides[image.surface_ids[rows, columns]] & before).mean(axis=(1, 2)) > 1 / 2


_STEPS: Final = np.arange(-1, 2)
