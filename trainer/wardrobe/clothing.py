"""Clothes, hats and the bare chest on one wearer."""

import dataclasses
import functools
from typing import Final

import numpy as np

from trainer.rendering.color import srgb_to_linear
from trainer.rendering.scene import Surface
from trainer.wardrobe.fabric import cloth, sample_dye
from trainer.wardrobe.garment import Garment
from trainer.wardrobe.hats import sample_hats
from trainer.wardrobe.textures import encoded, greyed, mean_color
from trainer.wardrobe.wearer import Wearer, mirrored

OWN_COLOR: Final = 0.35
"""Part of the clothes that keep the colours of their pictures; the others are dyed."""
PATTERNED: Final = 0.3
"""Part of the clothes that are dyed and of patterned cloth."""
PATTERNS: Final = (("stripes", 0), ("checks", 1), ("stripes", 3), ("checks", 2), ("knit", 0))
"""Kinds and variants of `trainer.wardrobe.fabric.cloth`; every second one is turned."""
OWN_VARIATION: Final = 0.25
"""Standard deviation of the logarithm of their brightness; a third of it for each channel apart."""
LIGHTEST: Final = 0.7
"""Mean albedo of white cloth; its pattern is lighter in places."""
ASSET_HATS: Final = 0.15
"""Part of the hats that are garments; the others are procedural."""


def pick(garments: tuple[Garment, ...], weights: list[float], rng: np.random.Generator) -> Garment | None:
    """One of some garments by their weights; None if there is none."""
    draw, total = rng.random(), np.cumsum(weights)
    if not garments or total[-1] <= 0:
        return None
    return garments[min(int(np.searchsorted(total / total[-1], draw, side="right")), len(garments) - 1)]


def hat(wearer: Wearer, rng: np.random.Generator) -> list[Surface]:
    """A hat, not yet worn; the skin that a garment covers is drawn deeper."""
    garments = wearer.wardrobe.of_kind("hat")
    chance = rng.random()
    garment = pick(garments, [1.0] * len(garments), rng)
    if garment is None or chance > ASSET_HATS:
        return sample_hats(wearer.model, wearer.vertices, rng)
    wearer.tuck(garment)
    return [coloured(garment, wearer, rng)]


def clothes(wearer: Wearer, rng: np.random.Generator) -> Garment | None:
    """Puts clothes on; None if the wardrobe has none."""
    garments = wearer.wardrobe.of_kind("clothes")
    garment = pick(garments, [1.0] * len(garments), rng)
    if garment is None:
        return None
    name = garment.name
    if rng.random() < 0.5:
        garment = mirrored(garment, wearer.model)
    wearer.tuck(garment)
    wearer.wear(coloured(garment, wearer, rng), name=name)
    return garment


def torso(wearer: Wearer, head_colors: np.ndarray, clothed: Garment | None) -> None:
    """Puts the bare chest on, as far as the clothes show it.

    Args:
        wearer: Who wears it.
        head_colors: `[V, 3]` linear RGB of the wearer.
        clothed: What covers it.
    """
    for garment in wearer.wardrobe.of_kind("torso"):
        wearer.tuck(garment)
        placed = garment.fit(wearer.vertices, carry=wearer.carry(garment))
        colors = garment.binding.interpolated(head_colors)
        shown = _shown(garment, clothed)
        wearer.wear(Surface("torso", placed, shown, colors), name=garment.name)


def coloured(garment: Garment, wearer: Wearer, rng: np.random.Generator) -> Surface:
    """A garment of cloth in its own colours or dyed."""
    manner, tone = rng.random(), rng.normal(0, OWN_VARIATION, 4)
    pattern, dye = int(rng.integers(len(PATTERNS))), sample_dye(rng)
    if garment.dye is None or manner < OWN_COLOR:
        factor = np.exp(tone[0] + tone[1:] / 3)
        brightest = max(garment.tint)
        return wearer.fitted(garment, np.asarray(garment.tint) * np.minimum(factor, 0.9 / brightest))
    return wearer.fitted(undyed(garment, pattern if manner > 1 - PATTERNED else None), np.minimum(dye, LIGHTEST))


@functools.lru_cache(maxsize=96)
def undyed(garment: Garment, pattern: int | None = None) -> Garment:
    """A garment with its picture as grey detail, on cloth of one of `PATTERNS` or on plain cloth."""
    if garment.texture is None:
        return garment
    texture = greyed(garment.texture)
    if pattern is not None:
        height, width = texture.shape[:2]
        woven = cloth(*PATTERNS[pattern])
        woven = woven.transpose(1, 0, 2) if pattern % 2 else woven
        repeats = (-(-height // len(woven)), -(-width // len(woven)), 1)
        shade = np.asarray(srgb_to_linear(texture[..., :3].astype(np.float32) / 255))
        color = np.asarray(srgb_to_linear(np.tile(woven, repeats)[:height, :width, :3].astype(np.float32) / 255))
        texture = encoded(shade * color, texture[..., 3].astype(np.float32) / 255)
    return dataclasses.replace(garment, texture=texture, tint=mean_color(texture))


@functools.lru_cache(maxsize=128)
def _shown(torso_garment: Garment, clothed: Garment | None) -> np.ndarray:
    """`[S, 3]` triangles of the chest that clothes leave to be seen."""
    if clothed is None or clothed.covered_torso is None:
        return torso_garment.triangles
    return np.delete(torso_garment.triangles, clothed.covered_torso, axis=0)
