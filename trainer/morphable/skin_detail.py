"""Small things on single skins: freckles, moles, and the shape of brows."""

from typing import Final

import numpy as np

from trainer.morphable.skin_map import SkinMap

FRECKLE_MELANIN: Final = (0.010, 0.040)
"""Share of melanin that a freckle adds, least and most."""

MOLE_RADIUS: Final = (0.9, 2.4)
"""Millimetres."""
MOLE_MELANIN: Final = 0.30
"""Share of melanin that a mole adds at its middle."""

BROW_HALF_WIDTH: Final = ((-0.1, 0.0, 0.2, 0.6, 0.9, 1.08), (1.2, 3.0, 3.9, 3.2, 1.9, 0.6))
"""Position along a brow, and half its width there at thickness 1, millimetres."""
BROW_START: Final = (-0.12, 0.08)
"""Where along a brow its hair begins and is full."""
BROW_SOFTNESS: Final = 0.45
"""Part of the half width over which a brow thins out."""
BROW_LIFT: Final = 1.0
"""Brows lie this much above their landmarks' line, millimetres."""


def add_freckles(melanin: np.ndarray, where: SkinMap, strength: float, rng: np.random.Generator) -> None:
    """Adds melanin to single vertices, most on cheeks and nose.

    Args:
        melanin: `[V]` share of melanin, changed in place.
        where: The face.
        strength: 0 to 1.
        rng: Source of randomness.
    """
    face, weights = where.parts["face"]
    found = np.flatnonzero(rng.random(len(face), np.float32) < np.float32(strength) * where.freckle_chances)
    low, high = FRECKLE_MELANIN
    darkness = rng.random(len(found), np.float32) * np.float32(high - low) + np.float32(low)
    melanin[face[found]] += darkness * weights[found]


def add_moles(melanin: np.ndarray, where: SkinMap, count: int, rng: np.random.Generator) -> None:
    """Adds melanin in round spots of a few millimetres.

    Args:
        melanin: `[V]` share of melanin, changed in place.
        where: The face.
        count: How many.
        rng: Source of randomness.
    """
    face, weights = where.parts["face"]
    low, high = MOLE_RADIUS
    for _ in range(count):
        middle = where.vertices[face[int(rng.random() * len(face))]]
        radius = low + (high - low) * rng.random() ** 2
        near = np.array(where.face_tree.query_ball_point(middle, 2 * radius))
        at = face[near]
        away = where.vertices[at] - middle
        squares = np.einsum("nd,nd->n", away, away) / radius**2
        melanin[at] += (MOLE_MELANIN * np.exp(-squares) * weights[near]).astype(np.float32)


def brow_density(along: np.ndarray, above: np.ndarray, thickness: float, lift: float) -> np.ndarray:
    """Density of a brow's hair.

    Args:
        along: `[n]` position along the brow, 0 at its inner end, 1 at its outer.
        above: `[n]` distance above its landmarks' line, millimetres.
        thickness: Factor on the width, about 0.5 to 1.6.
        lift: Millimetres upwards.

    Returns:
        `[n]` float32 in [0, 1].
    """
    half = thickness * np.interp(along, *BROW_HALF_WIDTH, left=0.0, right=0.0)
    distance = np.abs(above - BROW_LIFT - lift) / np.maximum(half, 1e-3)
    start = np.clip((along - BROW_START[0]) / (BROW_START[1] - BROW_START[0]), 0, 1)
    return (start * np.clip((1 + BROW_SOFTNESS - distance) / (2 * BROW_SOFTNESS), 0, 1)).astype(np.float32)
