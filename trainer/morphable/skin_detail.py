"""What single people have on their skin: freckles, moles, stubble, brows, lashes, make-up. Every strength is 0 for off."""

from typing import Final

import numpy as np

from trainer.morphable.skin_map import Part, SkinMap

FRECKLE_MELANIN: Final = (0.02, 0.06)
"""Share of melanin that a freckle adds, least and most."""

MOLE_RADIUS: Final = (0.9, 2.6)
"""Millimetres."""
MOLE_MELANIN: Final = 0.30
"""Share of melanin that a mole adds at its middle."""

STUBBLE_COVER: Final = 0.42
"""Part of the skin that stubble of strength 1 hides."""
SCALP_COVER: Final = 0.8
"""The same of short hair on the scalp."""
BROW_COVER: Final = 0.88
LASH_COVER: Final = 0.75

BROW_HALF_WIDTH: Final = ((-0.1, 0.0, 0.2, 0.6, 0.9, 1.08), (1.2, 3.0, 3.9, 3.2, 1.9, 0.6))
"""Position along a brow, and half its width there at thickness 1, millimetres."""
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
    chances = where.freckle_chances
    drawn = rng.random(len(face), np.float32)
    found = np.flatnonzero(drawn < strength * chances)
    low, high = FRECKLE_MELANIN
    darkness = rng.random(len(found), np.float32) * np.float32(high - low) + np.float32(low)
    melanin[face[found]] += darkness * weights[found] * np.float32(0.4 + 0.6 * strength)


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
        middle = face[int(rng.random() * len(face))]
        radius = low + (high - low) * rng.random() ** 2
        near = where.face_tree.query_ball_point(where.vertices[middle], 2 * radius)
        distance = np.linalg.norm(where.vertices[face[near]] - where.vertices[middle], axis=1)
        amount = MOLE_MELANIN * np.exp(-((distance / radius) ** 2))
        melanin[face[near]] += (amount * weights[near]).astype(np.float32)


def cover(colors: np.ndarray, part: Part, color: np.ndarray, share: np.ndarray | float) -> None:
    """Hides a share of the skin of a region behind a colour.

    Args:
        colors: `[V, 3]`, changed in place.
        part: The region's n vertices.
        color: `[3]` or `[n, 3]` linear RGB.
        share: `[n]` or one, 0 to 1.
    """
    weight = (part.weights * share)[:, None]
    below = colors[part.vertices]
    colors[part.vertices] = below + weight * (color - below)


def brow_density(where: SkinMap, thickness: float, lift: float) -> np.ndarray:
    """Density of hair in the band where brows may lie.

    Args:
        where: The face.
        thickness: Factor on the width, about 0.5 to 1.6.
        lift: Millimetres upwards.

    Returns:
        `[n]` in [0, 1], for the vertices of `parts["brow_band"]`.
    """
    half = thickness * np.interp(where.brow_along, *BROW_HALF_WIDTH, left=0.0, right=0.0)
    distance = np.abs(where.brow_above - BROW_LIFT - lift) / np.maximum(half, 1e-3)
    return np.clip((1 + BROW_SOFTNESS - distance) / (2 * BROW_SOFTNESS), 0, 1).astype(np.float32)
