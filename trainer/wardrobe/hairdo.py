"""Hair, brows and lashes on one head: which, how long, how full, of which colour, and what of it a hat hides."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from trainer.rendering.scene import Surface
from trainer.wardrobe.clothing import pick
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.hair_shells import sample_hair_shells
from trainer.wardrobe.wearer import Wearer, mirrored

MEN: Final = {"bob01": 0.05, "bob02": 0.1, "braid01": 0.05, "long01": 0.35, "ponytail01": 0.2, "short03": 0.4}
WOMEN: Final = {"bob01": 0.7, "long01": 2.5, "short01": 0.3, "short02": 0.5, "short04": 0.3, "afro01": 0.6}
"""How often hair of this name is worn; 1 for others."""
MEN_BROWS: Final = {"eyebrow005": 0.5, "eyebrow006": 0.0, "eyebrow007": 0.1, "eyebrow010": 0.5, "eyebrow011": 0.3}
WOMEN_BROWS: Final = {"eyebrow009": 0.1, "eyebrow012": 0.4, "eyebrow003": 0.7}
"""The same for brows."""
SOURCES: Final = (0.62, 0.90)
"""Hair is a garment below the first of these chances, layers of strands below the second, else cropped."""
REMAINS: Final = {"horseshoe": (0.35, 0.0), "shaven": (0.35, 0.4)}
"""What men and women without hair have of it, else nothing."""

FULLNESS: Final = (0.94, 1.12)
"""Range of the factor on hair's distance from the scalp."""
LENGTH_SD: Final = 0.28
LENGTHS: Final = (0.45, 1.25)
"""Standard deviation of the logarithm and range of the factor on the length of what hangs below ..."""
EARS: Final = 70.0
"""... this far below the middle of the scalp, millimetres, ..."""
LOOSE: Final = (15.0, 45.0)
"""... and so far off the skin: none of it at the first distance, all at the second."""
ROOT_REACH: Final = 25.0
"""Hair darkens towards its roots within about this, millimetres, ..."""
TIP_REACH: Final = 200.0
"""... and may lighten until so far from the skin, millimetres."""
MOTTLING: Final = 0.07
"""Standard deviation of brightness from vertex to vertex."""

_BINS: Final = 48
"""Azimuths at which a hat's lower border is known."""
_COARSE: Final = 2
_STEP: Final = 18.0
"""A hat of few vertices has azimuths without one of its border: those that are higher by this, millimetres, than one of so many
to each side."""
_BRIM: Final = 20.0
"""What of a hat lies farther off the skull than this is its brim, millimetres."""


def hair(wearer: Wearer, rng: np.random.Generator, rgb: np.ndarray, male: bool, hat: Sequence[Surface]) -> None:
    """Puts hair on.

    Args:
        wearer: Who.
        rng: Where chance comes from.
        rgb: `[3]` linear RGB of the hair.
        male: Whether it is a man's.
        hat: The hat's surfaces, if there is one: hair below it is left out.
    """
    source = rng.random()
    garments = wearer.wardrobe.of_kind("hair")
    weights = MEN if male else WOMEN
    garment = pick(garments, [weights.get(garment.name, 1.0) for garment in garments], rng)
    if source < SOURCES[0] and garment is not None:
        _scalp(wearer, "roots", rgb)
        wearer.wear(_styled(garment, wearer, rng, rgb, hat), name=garment.name)
    elif source < SOURCES[1]:
        kind = "buzz" if hat else None
        wearer.wear(*sample_hair_shells(wearer.model, wearer.vertices, rng, rgb, kind))
    else:
        _scalp(wearer, "receding" if male and rng.random() < 0.5 else "cropped", rgb)


def remains(wearer: Wearer, rng: np.random.Generator, rgb: np.ndarray, male: bool) -> None:
    """What is left of the hair of those who have none."""
    draw = rng.random()
    for name, shares in REMAINS.items():
        share = shares[0 if male else 1]
        if 0 <= draw < share:
            _scalp(wearer, name, rgb)
        draw -= share


def brows(wearer: Wearer, rng: np.random.Generator, rgb: np.ndarray, male: bool, density: float) -> None:
    """Puts brows on, darker than the hair; `density` in [0, 1] is how much skin they hide."""
    garments = wearer.wardrobe.of_kind("brows")
    weights = MEN_BROWS if male else WOMEN_BROWS
    garment = pick(garments, [weights.get(garment.name, 1.0) for garment in garments], rng)
    if garment is not None:
        color = np.asarray(rgb) * rng.uniform(0.4, 0.85)
        surface = wearer.fitted(garment, color)
        wearer.wear(dataclasses.replace(surface, opacity=0.5 + 0.5 * density), name=garment.name)


def lashes(wearer: Wearer, rng: np.random.Generator, rgb: np.ndarray, male: bool, strength: float) -> None:
    """Puts lashes on, nearly black; `strength` in [0, 1]."""
    garments = wearer.wardrobe.of_kind("lashes")
    garment = pick(garments, [3.0 if male and at == 0 else 1.0 for at in range(len(garments))], rng)
    if garment is not None:
        surface = wearer.fitted(garment, 0.004 + 0.1 * np.asarray(rgb))
        opacity = (0.25 if male else 0.4) + 0.6 * strength
        wearer.wear(dataclasses.replace(surface, opacity=min(opacity, 1.0)), name=garment.name)


def _scalp(wearer: Wearer, name: str, rgb: np.ndarray) -> None:
    """Puts short hair of this style on, if the wardrobe has it."""
    for garment in wearer.wardrobe.of_kind("scalp"):
        if garment.name == name:
            wearer.wear(wearer.fitted(garment, rgb), name=name)


def _styled(
    garment: Garment, wearer: Wearer, rng: np.random.Generator, rgb: np.ndarray, hat: Sequence[Surface]
) -> Surface:
    """Hair of a length, fullness and colouring of its own."""
    side, full, root, tip = rng.random(4)
    length = float(np.clip(np.exp(rng.normal(0, LENGTH_SD)), *LENGTHS))
    if side < 0.5:
        garment = mirrored(garment, wearer.model)
    strands = _strands(garment)
    placed = garment.fit(wearer.vertices, float(np.interp(full, (0, 1), FULLNESS)), wearer.carry(garment))
    level = wearer.vertices[wearer.tables.scalp, 1].mean() - EARS
    placed[:, 1] += strands.loose * np.minimum(placed[:, 1] - np.float32(level), 0) * np.float32(length - 1)
    shade = (1 - np.float32(0.4 * root) * strands.root) * (1 + np.float32(0.35 * tip * tip) * strands.tip)
    shade *= 1 + np.float32(MOTTLING) * rng.standard_normal(len(shade), np.float32)
    colors = shade[:, None] * (np.asarray(rgb) / np.asarray(garment.tint)).astype(np.float32)
    triangles = (
        under(hat, placed, garment.triangles, wearer.vertices[wearer.tables.scalp]) if hat else garment.triangles
    )
    return Surface("hair", placed, triangles, colors, garment.uv, garment.texture, gloss=garment.gloss)


class _Strands(NamedTuple):
    """What of hair depends on how far it is from the skin; each `[N]` float32."""

    loose: np.ndarray
    """0 at the skin, 1 where it hangs."""
    root: np.ndarray
    """1 at the skin, falling."""
    tip: np.ndarray
    """0 at the skin, 1 at the ends of long hair."""


@functools.lru_cache(maxsize=128)
def _strands(garment: Garment) -> _Strands:
    away = np.linalg.norm(garment.binding.offsets, axis=1)
    loose = np.clip((away - LOOSE[0]) / (LOOSE[1] - LOOSE[0]), 0, 1)
    return _Strands(loose, np.exp(-away / ROOT_REACH), np.clip(away / TIP_REACH, 0, 1))


def under(hat: Sequence[Surface], placed: np.ndarray, triangles: np.ndarray, skull: np.ndarray) -> np.ndarray:
    """Takes away what of hair is under a hat.

    Args:
        hat: Its surfaces.
        placed: `[N, 3]` of the hair, millimetres, model frame. What is above the hat's lower border is moved down to it.
        triangles: `[T, 3]`.
        skull: `[K, 3]` places of the scalp.

    Returns:
        `[S, 3]` triangles that are left.
    """
    middle = skull.mean(axis=0)
    border = _lower_border(np.concatenate([surface.vertices for surface in hat]), skull, middle)
    level = border[_bin(placed, middle)]
    hidden = placed[:, 1] > level
    placed[hidden, 1] = level[hidden]
    return triangles[~hidden[triangles].all(axis=1)]


def _lower_border(hat: np.ndarray, skull: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """`[_BINS]` height of a hat's border, brim apart, by azimuth; infinite where there is no hat."""
    reach = np.zeros(_BINS)
    np.maximum.at(reach, _bin(skull, middle), np.hypot(*(skull - middle)[:, [0, 2]].T))
    bins = _bin(hat, middle)
    near = np.hypot(*(hat - middle)[:, [0, 2]].T) < reach[bins] + _BRIM
    border = np.full(_BINS, np.inf)
    np.minimum.at(border, bins[near], hat[near, 1])
    known = np.flatnonzero(np.isfinite(border))
    if len(known):
        border = np.interp(np.arange(_BINS), known, border[known], period=_BINS)
    lowest = np.min([np.roll(border, shift) for shift in range(-_COARSE, _COARSE + 1)], axis=0)
    return np.where(border > lowest + _STEP, lowest, border)


def _bin(places: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """`[N]` azimuth around the vertical through the skull's middle, in `_BINS` steps."""
    angle = np.arctan2(places[:, 0] - middle[0], places[:, 2] - middle[2])
    return np.floor(angle / (2 * np.pi) * _BINS).astype(np.int64) % _BINS
