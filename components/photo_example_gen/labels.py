"""What is known of a photo before anything is detected in it, checked, and turned and scaled with its picture."""

import dataclasses
from typing import Any, Final

import numpy as np

from components.photo_example_gen.photo_file import Problem
from trainer import contract
from trainer.rendering import camera as cameras

MAX_COORDINATE: Final = 1e6
"""Pixels. Points farther out are mistakes, and what is computed of them would not be finite."""

MAX_COEFFICIENT: Final = 1e4
"""Standard deviations; larger coefficients are mistakes."""

MIRRORING: Final = frozenset({2, 4, 5, 7})
"""EXIF orientations whose pixels show the scene mirrored."""

_UPRIGHT: Final[dict[int, tuple[tuple[int, int], tuple[int, int]]]] = {
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, 1), (1, 0)),
    6: ((0, -1), (1, 0)),
    7: ((0, -1), (-1, 0)),
    8: ((0, 1), (-1, 0)),
}
"""EXIF orientation to the matrix that takes (x, y) from the middle of the pixels in the file to that of the upright photo."""


class LabelError(ValueError):
    """Labels that cannot be used.

    Attributes:
        problem: The reason and a sentence for people.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.problem = Problem(reason, message)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.problem.reason, self.problem.message)


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labels of one face, in pixels of the image frame: the centre of the first pixel is (0.5, 0.5)."""

    points: np.ndarray | None = None
    """`[68, 2]` landmarks; NaN where the annotator's scheme has no such point."""
    depths: np.ndarray | None = None
    """`[68]` z of the landmarks by the contract's image frame."""
    visible: np.ndarray | None = None
    """`[68]` 1 where the point can be seen, 0 where not; None where nothing is said."""
    landmark_set: str = "outline"
    """Name of `contract.LANDMARK_SETS`."""
    box: np.ndarray | None = None
    """`[4]` x0, y0, x1, y1."""
    euler: np.ndarray | None = None
    """`[3]` yaw, pitch, roll, degrees; pitch and roll may be NaN."""
    camera: np.ndarray | None = None
    """`[3, 4]` scaled orthographic camera."""
    shape: np.ndarray | None = None
    """Identity coefficients of the face model, standard deviations."""
    expression: np.ndarray | None = None
    """Expression coefficients of the face model, standard deviations."""

    def __post_init__(self) -> None:
        limits = dict.fromkeys(("points", "depths", "box", "camera"), MAX_COORDINATE)
        limits |= {"shape": MAX_COEFFICIENT, "expression": MAX_COEFFICIENT, "euler": 1e4}
        for name, limit in limits.items():
            value = getattr(self, name)
            if value is None:
                continue
            missing = np.isnan(value) if name in ("points", "euler") else np.zeros(value.shape, bool)
            if not np.isfinite(value[~missing]).all():
                raise LabelError("not_finite", f"`{name}` must be finite. It holds NaN or infinity.")
            if value.size and np.abs(value[~missing]).max(initial=0) > limit:
                largest = np.abs(value[~missing]).max()
                raise LabelError("out_of_range", f"`{name}` must be within ±{limit:g}. Received: {largest:g}")
        if self.box is not None and not (self.box[2] > self.box[0] and self.box[3] > self.box[1]):
            raise LabelError("bad_box", f"`box` must be x0, y0, x1, y1 with x0 < x1 and y0 < y1. Received: {self.box}")
        if self.landmark_set not in contract.LANDMARK_SETS:
            known = ", ".join(contract.LANDMARK_SETS)
            raise LabelError(
                "unknown_landmark_set", f"`landmark_set` must be one of {known}. Received: {self.landmark_set[:40]!r}"
            )

    @property
    def known(self) -> np.ndarray:
        """`[68]` bool: which landmarks there are."""
        if self.points is None:
            return np.zeros(contract.LANDMARK_COUNT, bool)
        return ~np.isnan(self.points).any(axis=1)


def upright(labels: Labels, orientation: int, height: int, width: int) -> Labels:
    """Labels of the pixels as they lie in a file, turned as the photo is turned.

    Args:
        labels: In pixels of the file.
        orientation: EXIF, 1 to 8.
        height: Of the upright photo, pixels.
        width: Of the upright photo, pixels.

    Returns:
        In pixels of the upright photo. Where the pixels were mirrored, left and right of the landmarks are exchanged too,
        for the person's right eye stays the right one; a face model's coefficients are then left out.
    """
    if orientation == 1:
        return labels
    turn = np.array(_UPRIGHT[orientation], np.float64)
    after = np.array([width, height], np.float64) / 2
    before = after[::-1] if orientation >= 5 else after
    mirrored = orientation in MIRRORING
    changes: dict[str, Any] = {}
    if labels.box is not None:
        corners = (labels.box.reshape(2, 2) - before) @ turn.T + after
        changes["box"] = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    if labels.points is not None:
        changes["points"] = (labels.points - before) @ turn.T + after
    if mirrored:
        order = list(contract.LANDMARK_FLIP)
        for name in ("points", "depths", "visible"):
            value = changes.get(name, getattr(labels, name))
            changes[name] = None if value is None else value[order]
        changes |= {"shape": None, "expression": None, "camera": None}
    # The turn on the model frame's axes: y points up there.
    space = np.array([[turn[0, 0], -turn[0, 1], 0], [-turn[1, 0], turn[1, 1], 0], [0, 0, 1]])
    reflected = np.diag([-1.0, 1.0, 1.0]) if mirrored else np.eye(3)
    if labels.euler is not None and np.isnan(labels.euler).any():
        changes["euler"] = labels.euler * (-1 if mirrored else 1)  # a turn in the image leaves yaw as it is
    elif labels.euler is not None:
        changes["euler"] = cameras.euler_from_rotation(space @ cameras.rotation_from_euler(labels.euler) @ reflected)
    if labels.camera is not None and not mirrored:
        shift = np.append((labels.camera[:2, 3] - before) @ turn.T + after, labels.camera[2, 3])
        changes["camera"] = np.column_stack([space @ labels.camera[:, :3], shift])
    return dataclasses.replace(labels, **changes)


def scaled(labels: Labels, factor_x: float, factor_y: float) -> Labels:
    """Labels of a photo that was resized, by factors that differ by rounding alone."""
    factors = np.array([factor_x, factor_y])
    mean = float(np.sqrt(factor_x * factor_y))
    changes: dict[str, Any] = {}
    if labels.points is not None:
        changes["points"] = labels.points * factors
    if labels.box is not None:
        changes["box"] = labels.box * np.tile(factors, 2)
    if labels.depths is not None:
        changes["depths"] = labels.depths * mean
    if labels.camera is not None:
        shift = labels.camera[:, 3] * np.append(factors, mean)
        changes["camera"] = np.column_stack([labels.camera[:, :3] * mean, shift])
    return dataclasses.replace(labels, **changes)


def features(labels: Labels, height: int, width: int) -> dict[str, Any]:
    """Features of the contract.

    Args:
        labels: In pixels of the picture that the example holds.
        height: Of that picture, pixels.
        width: Of that picture, pixels.

    Raises:
        LabelError: If box or landmarks lie wholly outside the picture: they were made for one of another size.
    """
    found: dict[str, Any] = {}
    known = labels.known
    box = labels.box
    if labels.points is not None and known.any():
        points = np.where(known[:, None], labels.points, 0.0)
        tight = np.concatenate([points[known].min(axis=0), points[known].max(axis=0)])
        _check_inside("landmarks", tight, height, width)
        found[contract.LANDMARKS_XY] = points
        found[contract.LANDMARKS_SOURCE] = contract.SOURCE_ANNOTATED
        found[contract.LANDMARKS_SET] = labels.landmark_set
        if labels.visible is not None:
            found[contract.LANDMARKS_VISIBLE] = labels.visible * known
        if not known.all():
            found[contract.LANDMARKS_KNOWN] = known
        elif labels.depths is not None:
            found[contract.LANDMARKS_Z] = labels.depths
        if box is None and known.all():
            if not (tight[2:] > tight[:2]).all():
                raise LabelError("degenerate_landmarks", "`landmarks` must spread in width and height.")
            box = tight
    if box is not None:
        _check_inside("box", box, height, width)
        found[contract.FACE_BOX] = box
    if labels.euler is not None:
        found[contract.POSE_YAW_BIN] = contract.yaw_bin(float(labels.euler[0]))
        if np.isfinite(labels.euler).all():
            found[contract.POSE_EULER] = labels.euler
    if labels.camera is not None:
        found[contract.CAMERA_KIND] = contract.SCALED_ORTHOGRAPHIC
        found[contract.CAMERA_MATRIX] = labels.camera
    if labels.shape is not None:
        found[contract.MORPHABLE_SHAPE] = labels.shape
    if labels.expression is not None:
        found[contract.MORPHABLE_EXPRESSION] = labels.expression
    return found


def _check_inside(name: str, box: np.ndarray, height: int, width: int) -> None:
    if box[0] >= width or box[1] >= height or box[2] <= 0 or box[3] <= 0:
        raise LabelError(
            "outside_photo",
            f"`{name}` must lie on the photo. It is of {width} × {height} pixels; they span {np.round(box, 1).tolist()}",
        )
