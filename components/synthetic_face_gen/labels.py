"""Labels of a rendered face that models are sliced by."""

import math
from typing import Final

import numpy as np

from trainer import contract
from trainer.morphable.model import MorphableModel

SKIN_TONES: Final[tuple[tuple[float, str], ...]] = (
    (55.0, "very_light"),
    (41.0, "light"),
    (28.0, "intermediate"),
    (10.0, "tan"),
    (-30.0, "brown"),
    (-90.0, "dark"),
)
"""Least individual typology angle, degrees, and name (Chardon et al. 1991; Del Bino and Bernerd 2013)."""

EXPRESSIONS: Final[tuple[tuple[float, str], ...]] = ((4.0, "strong"), (1.8, "moderate"), (0.0, "neutral"))
"""Least root mean square displacement of the 68 landmarks from the neutral face, millimetres, and name."""

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])
"""Linear sRGB to CIE XYZ, and its white, D65 (IEC 61966-2-1)."""


def skin_tone_bin(color: np.ndarray) -> str:
    """Skin tone of an albedo by its individual typology angle, atan((L* - 50) / b*).

    Args:
        color: `[3]` linear RGB in [0, 1].

    Returns:
        A name of `SKIN_TONES`.
    """
    ratio = _XYZ @ color / _WHITE
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    lightness, yellow = 116 * root[1] - 16, 200 * (root[1] - root[2])
    angle = math.degrees(math.atan2(lightness - 50, max(yellow, 1e-6)))
    return next(name for least, name in SKIN_TONES if angle >= least)


def expression_bin(landmarks: np.ndarray, neutral: np.ndarray) -> str:
    """Strength of an expression by how far it moves the landmarks; works for any model's modes.

    Args:
        landmarks: `[68, 3]` millimetres, model frame.
        neutral: `[68, 3]` the same face without expression.

    Returns:
        A name of `EXPRESSIONS`.
    """
    moved = float(np.sqrt(np.square(landmarks - neutral).sum(axis=-1).mean()))
    return next(name for least, name in EXPRESSIONS if moved >= least)


def skin_color(model: MorphableModel, colors: np.ndarray, landmark_set: str) -> np.ndarray:
    """Median albedo at the landmarks that lie on bare skin: jaw and nose.

    Args:
        model: The face model.
        colors: `[V, 3]` linear RGB.
        landmark_set: Name of the landmarks.

    Returns:
        `[3]` linear RGB.
    """
    bare = [index for group in ("jaw", "nose_bridge") for index in contract.LANDMARK_GROUPS[group]]
    return np.median(model.landmark_points(colors, landmark_set)[bare], axis=0)
