"""How far landmarks lie beneath the skin that is seen: 0 for a point that can be drawn on a picture of the head."""

from typing import Final

import numpy as np

from trainer.contract import LANDMARK_SETS
from trainer.morphable.model import MorphableModel
from trainer.morphable.surface_rays import cast

YAWS: Final = (-90, -60, -30, 0, 30, 60, 90)
PITCHES: Final = (-35, 0, 35)
"""Directions from which the skin is looked at, degrees; positive pitches look from below."""


def landmark_depths(model: MorphableModel, landmark_set: str = LANDMARK_SETS[0]) -> np.ndarray:
    """Depth of each landmark of the mean face beneath the visible surface, from where it is least.

    Args:
        model: Any face model.
        landmark_set: Name of the set.

    Returns:
        `[68]` millimetres along the line of sight, least over the directions; 0 where a direction sees the point.
    """
    points = model.landmark_points(model.mean, landmark_set).astype(np.float64)
    least = np.full(len(points), np.inf)
    for yaw in np.radians(YAWS):
        for pitch in np.radians(PITCHES):
            towards = np.array([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
            hits = cast(model.mean, model.triangles, points, -towards)
            least = np.minimum(least, np.maximum(-hits.distances, 0))
    return least
