"""MakeHuman's whole base mesh around the mean of the default head: what `.mhclo` files refer to.

The head was cut from that mesh, moved, scaled and morphed. Its vertices are known again by the head's topology; the rest of the
body, and the helpers around head and body that garments hang on, move like the skin near them.
"""

from pathlib import Path
from typing import Final

import numpy as np
import scipy.spatial

from trainer.morphable import makehuman
from trainer.morphable.model import MorphableModel
from trainer.wardrobe.binding import similarity

FEWEST_SHARED: Final = 1000
AROUND: Final = 12
"""Vertices around one with whose movement its own is compared: ..."""
ODD: Final = 6.0
"""... where they differ by more than this, millimetres, the head's cut was smoothed."""
NEIGHBOURS: Final = 32
"""Known vertices that a vertex beyond the head follows."""
FALLOFF: Final = 4.0
"""Power of the inverse distance by which they count."""

SHOULDER: Final = (150.0, -215.0)
"""Joint of the person's left arm, x and y in the model frame, millimetres."""
ARM_TURN: Final = 36.0
"""The base mesh stretches its arms out; they are lowered by this, degrees, ..."""
ARM_SPAN: Final = (125.0, 250.0)
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
    vertices, known = shared_vertices(model, base)
    kept = ~left_places(base.vertices[known], model.mean[vertices])
    vertices, known = vertices[kept], known[kept]
    return lowered_arms(extended(base.vertices, known, model.mean[vertices])).astype(np.float32)


def shared_vertices(model: MorphableModel, base: makehuman.BaseMesh) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of a head that are vertices of the base mesh: those with the same texture coordinates.

    Args:
        model: A head that was cut from the base mesh and keeps its texture coordinates.
        base: The base mesh.

    Returns:
        `[N]` vertices of the head, `[N]` those of the base mesh.

    Raises:
        ValueError: If fewer than `FEWEST_SHARED` are.
    """
    faces, texture = base.faces[makehuman.BODY].ravel(), base.face_texture[makehuman.BODY].ravel()
    coordinates = base.texture.astype(np.float32)[texture]
    owner = {point.tobytes(): int(vertex) for point, vertex in zip(coordinates, faces, strict=True)}
    pairs = [(at, owner.get(point.tobytes(), -1)) for at, point in enumerate(model.uv)]
    shared = np.array([pair for pair in pairs if pair[1] >= 0], np.int64).reshape(-1, 2)
    if len(shared) < FEWEST_SHARED:
        raise ValueError(
            f"`model` must be a head cut from the base mesh, with its texture coordinates: {FEWEST_SHARED} or more shared "
            f"vertices. Received: {model.name!r}, {len(shared)}"
        )
    return shared[:, 0], shared[:, 1]


def left_places(base: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Vertices that did not move like those around them.

    Args:
        base: `[N, 3]` before.
        places: `[N, 3]` after, in any frame and unit.

    Returns:
        `[N]` bool.
    """
    turn = similarity(base, places)
    change = places - (base - base.mean(axis=0)) @ turn.T
    _, nearest = scipy.spatial.cKDTree(base).query(base, k=min(AROUND, len(base)))
    return np.asarray(np.linalg.norm(change - np.median(change[nearest], axis=1), axis=1) > ODD)


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


def lowered_arms(body: np.ndarray) -> np.ndarray:
    """A body `[B, 3]` in the model frame with its arms turned down at the shoulders."""
    share = np.clip((np.abs(body[:, 0]) - ARM_SPAN[0]) / (ARM_SPAN[1] - ARM_SPAN[0]), 0, 1)
    angle = np.radians(ARM_TURN) * share * share * (3 - 2 * share)
    side = np.where(body[:, 0] < 0, -1.0, 1.0)
    across, up = body[:, 0] * side - SHOULDER[0], body[:, 1] - SHOULDER[1]
    turned = body.copy()
    turned[:, 0] = side * (SHOULDER[0] + np.cos(angle) * across + np.sin(angle) * up)
    turned[:, 1] = SHOULDER[1] - np.sin(angle) * across + np.cos(angle) * up
    return turned
