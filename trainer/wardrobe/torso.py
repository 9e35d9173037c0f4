"""The bare chest, shoulders and arms below the head's cut, so that no head floats and no neckline shows a hole."""

from pathlib import Path
from typing import Final

import numpy as np
import scipy.spatial

from trainer.morphable import makehuman
from trainer.morphable.model import MorphableModel
from trainer.wardrobe.cutting import cut_at, rim_edges, vertex_normals
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.tailor import FLOOR, bound

OVERLAP: Final = 58.0
"""The chest reaches this far over the head's own skin above its cut, millimetres, ..."""
LIFT: Final = 0.4
"""... by so much above it."""
GONE: Final = 9.0
"""The head's skin nearer to its cut than this is not drawn where the chest is: it was smoothed and left its place."""
TUCKED: Final = ((0.0, 40.0, 54.0), (6.0, 4.0, 0.0))
"""Distances from the cut, and how far below itself the head's other skin is drawn there, millimetres."""
LID_SLOPE: Final = -0.5
"""Where the head's cut is closed, normals point down at least as much, ..."""
LID_HEIGHT: Final = 60.0
"""... and it is not higher above the lowest vertex, millimetres."""


def build_torso(model: MorphableModel, body: np.ndarray, makehuman_dir: Path, licence: str, source: str) -> Garment:
    """The body's own skin from the head's cut to the waist.

    Args:
        model: The default head.
        body: `[19158, 3]` base mesh around the mean head, millimetres, model frame.
        makehuman_dir: MakeHuman's assets.
        licence: Theirs.
        source: Where they come from.

    Raises:
        FileNotFoundError: If the base mesh is missing.
        ValueError: If it cannot be read, or the head has no cut.
    """
    base = makehuman.read_base(makehuman_dir / "3dobjs" / "base.obj")
    quads = base.faces[makehuman.BODY]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    rim = model.mean[cut_rim(model)]
    to_rim = scipy.spatial.cKDTree(rim)
    skin = model.regions["skin"] > 0.5
    on_head = scipy.spatial.cKDTree(model.mean[skin]).query(body)[0] < 1.0
    inner = (on_head & (to_rim.query(body)[0] > OVERLAP)) | (body[:, 1] > rim[:, 1].max() + OVERLAP)
    triangles = triangles[~inner[triangles].all(axis=1)]
    places, triangles, _ = cut_at(FLOOR, body, triangles, np.zeros((len(body), 2)), np.arange(len(body)))
    places = places + LIFT * vertex_normals(places, triangles)
    reach = to_rim.query(model.mean)[0]
    covered = np.flatnonzero((model.regions["body"] > 0) & (reach < TUCKED[0][-1]))
    depth = np.where(reach[covered] < GONE, np.inf, np.interp(reach[covered], *TUCKED))
    return Garment(
        name="torso",
        kind="torso",
        triangles=triangles,
        binding=bound(places, "torso", model),
        dye="skin",
        covered_head=covered,
        covered_depth=depth.astype(np.float16),
        licence=licence,
        source=source,
    )


def cut_rim(model: MorphableModel) -> np.ndarray:
    """`[K]` vertices around the lid that closes a head at its cut.

    Raises:
        ValueError: If the head has no such lid.
    """
    corners = np.asarray(model.mean, np.float64)[model.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    faces /= np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
    low = corners[..., 1].max(axis=1) < corners[..., 1].min() + LID_HEIGHT
    lid = model.triangles[(faces[:, 1] < LID_SLOPE) & low]
    if not len(lid):
        raise ValueError(f"`model` must be closed at its cut. Received: {model.name!r}")
    return np.array(sorted({vertex for edge in rim_edges(lid) for vertex in edge}))
