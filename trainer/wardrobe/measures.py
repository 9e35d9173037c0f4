"""Lengths and places of a head that decide how a procedural thing sits on it, from its landmarks alone."""

import dataclasses

import numpy as np

from trainer import contract
from trainer.morphable.model import MorphableModel

_JAW = contract.LANDMARK_GROUPS["jaw"]
_BRIDGE = contract.LANDMARK_GROUPS["nose_bridge"]
_LIPS = contract.LANDMARK_GROUPS["outer_lips"]
_USUAL_EYE_DISTANCE = 62.0
"""Millimetres between the eyes' centres of the mean adult."""


@dataclasses.dataclass(frozen=True)
class Measures:
    """Places in the model frame, millimetres; pairs are image-left first (the person's right)."""

    points: np.ndarray
    """`[68, 3]` the landmarks."""
    eyes: np.ndarray
    """`[2, 3]` middles of the eyes."""
    ears: np.ndarray
    """`[2, 3]` ends of the jaw line, in front of the ears."""
    scale: float
    """Size of the head: 1 for the mean adult's distance between the eyes."""

    @property
    def brows(self) -> np.ndarray:
        """`[3]` middle of the brows."""
        groups = contract.LANDMARK_GROUPS
        return self.points[list(groups["right_brow"] + groups["left_brow"])].mean(0)

    @property
    def bridge(self) -> np.ndarray:
        """`[4, 3]` the ridge of the nose, from its root to its tip."""
        return self.points[list(_BRIDGE)]

    @property
    def lips(self) -> np.ndarray:
        """`[12, 3]` the outer lips, from the image-left corner over the upper lip."""
        return self.points[list(_LIPS)]

    @property
    def mouth(self) -> np.ndarray:
        """`[3]` middle of the mouth."""
        return self.lips.mean(0)

    @property
    def corners(self) -> np.ndarray:
        """`[2, 3]` corners of the mouth."""
        return self.lips[[0, len(_LIPS) // 2]]

    @property
    def nose_base(self) -> np.ndarray:
        """`[5, 3]` under the nose, image-left to right."""
        return self.points[list(contract.LANDMARK_GROUPS["nose_base"])]

    @property
    def jaw(self) -> np.ndarray:
        """`[17, 3]` the jaw, image-left ear to right ear."""
        return self.points[list(_JAW)]

    @property
    def chin(self) -> np.ndarray:
        """`[3]`."""
        return self.jaw[len(_JAW) // 2]


def landmark_set(model: MorphableModel) -> str:
    """The landmark set that things are fitted to: the contract's first one that the model has."""
    return next((name for name in contract.LANDMARK_SETS if name in model.landmarks), next(iter(model.landmarks)))


def measure(model: MorphableModel, vertices: np.ndarray) -> Measures:
    """Measures a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` one head of it, model frame, millimetres.

    Raises:
        ValueError: If the vertices are not the model's.
    """
    if vertices.shape != model.mean.shape:
        raise ValueError(f"`vertices` must be {list(model.mean.shape)}, the model's. Received: {list(vertices.shape)}")
    points = model.landmark_points(vertices, landmark_set(model))
    groups = contract.LANDMARK_GROUPS
    eyes = np.stack([points[list(groups[name])].mean(0) for name in ("right_eye", "left_eye")])
    distance = float(np.linalg.norm(eyes[1] - eyes[0]))
    return Measures(points, eyes, points[[_JAW[0], _JAW[-1]]], distance / _USUAL_EYE_DISTANCE)
