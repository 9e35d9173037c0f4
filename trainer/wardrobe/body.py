"""MakeHuman's whole base mesh around the mean of the default head: what `.mhclo` files refer to.

The head was cut from that mesh, moved, scaled and morphed. Its vertices are known again by the head's topology; the rest of the
body, and the helpers around head and body that garments hang on, move like the skin near them.
"""

from pathlib import Path
from typing import Final

import numpy as np
import scipy.spatial

from trainer.morphable import head_mesh, makehuman
from trainer.morphable.model import MorphableModel
from trainer.wardrobe.binding import similarity

NEIGHBOURS: Final = 32
"""Known vertices that a vertex beyond the head follows."""
FALLOFF: Final = 4.0
"""Power of the inverse distance by which they count."""

SHOULDER: Final = (165.0, 575.0, 15.0)
"""Joint of the person's left arm, millimetres in the base mesh at 1 unit = 104 mm."""
ARM_TURN: Final = 40.0
"""The base mesh stretches its arms out; they are lowered by this, degrees, ..."""
ARM_SPAN: Final = (115.0, 215.0)
"""... none at the first distance from the middle, all of it from the second on, millimetres."""


def body_around(model: MorphableModel, makehuman_dir: Path) -> np.ndarray:
    """The base mesh around the mean of a head that was built from it.

    Args:
        model: The default head, as `trainer.morphable.build_head` builds it.
        makehuman_dir: MakeHuman's assets.

    Returns:
        `[19158, 3]` float32 millimetres, model frame.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the model is not such a head.
    """
    base = makehuman.read_base(makehuman_dir / "3dobjs" / "base.obj")
    mirror = makehuman.read_mirror(makehuman_dir / "mesh_metadata" / "hm08.mirror", len(base.vertices))
    mesh = head_mesh.build(base, mirror)
    if not np.array_equal(mesh.triangles, model.triangles):
        raise ValueError(f"`model` must be the head that is cut from {makehuman_dir}. Received: {model.name!r}")
    weights = mesh.weights
    single = np.diff(weights.indptr) == 1
    skin = mesh.part == head_mesh.PARTS.index(makehuman.BODY)
    vertex = np.flatnonzero(single & skin)
    known = mesh.source[weights.indices[weights.indptr[vertex]]]
    return extended(base.vertices, known, model.mean[vertex]).astype(np.float32)


def extended(base: np.ndarray, known: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A mesh of which some vertices were moved; the others follow them.

    Args:
        base: `[B, 3]` before.
        known: `[N]` vertices that were moved.
        places: `[N, 3]` to where, in any frame and unit.

    Returns:
        `[B, 3]` float64 in the frame of `places`.
    """
    turn = similarity(base[known], places)
    moved = (base - base[known].mean(axis=0)) @ turn.T + places.mean(axis=0)
    tree = scipy.spatial.cKDTree(moved[known])
    distance, nearest = tree.query(moved, k=min(NEIGHBOURS, len(known)))
    share = 1 / np.maximum(distance, 1e-6) ** FALLOFF
    share /= share.sum(axis=1, keepdims=True)
    moved += np.einsum("bn,bnd->bd", share, (places - moved[known])[nearest])
    moved[known] = places
    return moved
