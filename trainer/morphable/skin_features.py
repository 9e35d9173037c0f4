"""Where on a face brows, eyes and the lids' edges are."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.eyeball import IRIS_RADIUS
from trainer.morphable.landmark_fields import ramp, within

BROW_REACH: Final = 11.0
"""How far above and below its landmarks a brow may lie, millimetres."""
LASH_REACH: Final = (0.9, 2.6)
"""Of the dark line along the lids' edges, millimetres."""
LOWER_LASHES: Final = 0.4
"""Strength of that of the lower lid."""
LID_COLUMNS: Final = 25
LID_COLUMN: Final = 0.9
"""Columns, and half their width in millimetres, in which the lids' edges are looked for."""


def brow_band(vertices: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where brows may lie.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        points: `[68, 3]` landmarks.

    Returns:
        `[V]` 1 within reach of a brow's landmarks; `[V]` position along the brow, 0 at the inner end and 1 at the outer, a
        little beyond at either side; `[V]` distance above its line, millimetres.
    """
    inside, along, above = np.zeros(len(vertices)), np.zeros(len(vertices)), np.zeros(len(vertices))
    for name in ("right_brow", "left_brow"):
        line = points[list(LANDMARK_GROUPS[name])]
        line = line[np.argsort(np.abs(line[:, 0]))]
        width = np.abs(line[:, 0])
        place = np.abs(vertices[:, 0])
        ratio = (place - width[0]) / (width[-1] - width[0])
        height = np.interp(place, width, line[:, 1])
        depth = np.interp(place, width, line[:, 2])
        beyond = np.maximum(ratio - 1, 0) * (width[-1] - width[0])
        offset = vertices[:, 1] - height + 0.5 * beyond
        here = (np.sign(vertices[:, 0]) == np.sign(line[-1, 0])) & (ratio > -0.25) & (ratio < 1.2)
        here &= (np.abs(offset) < BROW_REACH) & (np.abs(vertices[:, 2] - depth) < 2 * BROW_REACH)
        inside[here], along[here], above[here] = 1, ratio[here], offset[here]
    return inside, along.astype(np.float32), above.astype(np.float32)


def eyes(
    vertices: np.ndarray, regions: Mapping[str, np.ndarray], points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices that show an eyeball: the model's own, else those of the face between the lids.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        regions: The model's own, name to `[V]`.
        points: `[68, 3]` landmarks.

    Returns:
        `[V]` 1 on eyes; `[V]` distance from the gaze axis, millimetres, infinite elsewhere and behind; `[V]` radians around it.
    """
    weight = np.asarray(regions["eyeballs"], np.float64) if "eyeballs" in regions else np.zeros(len(vertices))
    distance, angle = np.full(len(vertices), np.inf), np.zeros(len(vertices))
    for name in ("right_eye", "left_eye"):
        lids = points[list(LANDMARK_GROUPS[name])]
        if weight.max() > 0.5:
            own = (weight > 0.5) & (np.sign(vertices[:, 0]) == np.sign(lids[0, 0]))
        else:
            near = np.abs(vertices[:, 2] - lids[:, 2].mean()) < 2 * IRIS_RADIUS
            own = near & within(vertices, lids)
        if not own.any():
            continue
        whole = vertices[own] if weight.max() > 0.5 else lids
        center = (whole.min(axis=0) + whole.max(axis=0)) / 2
        offset = vertices[own] - center
        front = offset[:, 2] > 0 if weight.max() > 0.5 else np.ones(len(offset), bool)
        distance[own] = np.where(front, np.hypot(offset[:, 0], offset[:, 1]), np.inf)
        angle[own] = np.arctan2(offset[:, 1], offset[:, 0])
        if weight.max() <= 0.5:
            weight = weight + 0.5 * own
    return np.where(weight > 0, 1.0, 0.0), distance.astype(np.float32), angle.astype(np.float32)


def lid_edges(vertices: np.ndarray, points: np.ndarray, eyeballs: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """The lids' edges as the front sees them: the skin before an eyeball nearest to the line between the eye's corners.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        points: `[68, 3]` landmarks.
        eyeballs: `[V]` bool.
        visible: `[V]` bool, seen from the front.

    Returns:
        `[V]` 1 on the upper edge, `LOWER_LASHES` on the lower, 0 elsewhere.
    """
    edges = np.zeros(len(vertices))
    for name in ("right_eye", "left_eye"):
        corners = points[[LANDMARK_GROUPS[name][0], LANDMARK_GROUPS[name][3]]]
        own = vertices[eyeballs & (np.sign(vertices[:, 0]) == np.sign(corners[0, 0]))]
        if not len(own):
            continue
        center = (own.min(axis=0) + own.max(axis=0)) / 2
        radius = np.linalg.norm(own - center, axis=1).max()
        away = np.linalg.norm(vertices - center, axis=1)
        before = visible & ~eyeballs & (vertices[:, 2] > center[2]) & (away > radius) & (away < 1.6 * radius)
        before &= (vertices[:, 0] > corners[0, 0] - 1) & (vertices[:, 0] < corners[1, 0] + 1)
        height = vertices[:, 1] - np.interp(vertices[:, 0], corners[:, 0], corners[:, 1])
        columns = np.linspace(corners[0, 0], corners[1, 0], LID_COLUMNS)
        for lid, strength in ((1, 1.0), (-1, LOWER_LASHES)):
            here = np.flatnonzero(before & (lid * height > 0))
            near = np.abs(vertices[here, 0] - columns[:, None]) < LID_COLUMN
            lowest = np.where(near, lid * height[here], np.inf).min(axis=1, initial=np.inf)
            found = np.isfinite(lowest)
            if found.any():
                rim = np.interp(vertices[here, 0], columns[found], lowest[found])
                weight = strength * (1 - ramp(lid * height[here] - rim, *LASH_REACH))
                edges[here] = np.maximum(edges[here], weight)
    return edges
