"""Paints a skin onto a mesh whose `SkinMap` is known."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable import skin_detail
from trainer.morphable.eye_color import paint_eyes
from trainer.morphable.hair_color import hair_color
from trainer.morphable.model import MorphableModel
from trainer.morphable.skin_kernels import cover, cover_lit, densities, finish, mottle
from trainer.morphable.skin_map import SkinMap
from trainer.morphable.skin_optics import BASE, CAROTENE_DENSITY, SLOPES, SURFACE

if TYPE_CHECKING:
    from trainer.morphable.skin import Skin

UNEVEN_MELANIN: Final = 0.06
UNEVEN_BLOOD: Final = 0.15
"""Standard deviation of the share over the face at `unevenness` 1, as a part of it."""
BLUSH_BLOOD: Final = 0.026
CIRCLE_BLOOD: Final = 0.012
CIRCLE_MELANIN: Final = 0.35
"""Share that blush and dark circles add at strength 1; for melanin, as a part of the skin's own."""

STUBBLE_COVER: Final = 0.36
SCALP_COVER: Final = 0.7
BROW_COVER: Final = 0.95
LASH_COVER: Final = 0.9
MAKEUP_COVER: Final = 0.8
"""Part of the skin that each hides at strength 1."""
BROW_DARKER: Final = 0.7
STUBBLE_DARKER: Final = 0.6
"""Brows are darker than the hair of a head, and stubble too, of which the roots show; factor on its colour."""

STUBBLE_LIGHTEST: Final = 0.12
"""Linear RGB that white stubble has between the shadows of its roots."""

TEETH: Final = np.array([0.56, 0.51, 0.42], np.float32)
TONGUE: Final = np.array([0.31, 0.105, 0.09], np.float32)
MOUTH: Final = np.array([0.20, 0.055, 0.05], np.float32)
LASH: Final = np.array([0.018, 0.014, 0.012], np.float32)
DARKEST: Final = np.float32(0.004)
"""Linear RGB."""

MOUTH_REACH: Final = (0.6, 1.2)
"""Depth behind the lips at which half of the light is left, millimetres: with the lips as the mean face's, and more per
millimetre that they are further apart."""

DETAIL_RANGE: Final = (0.35, 1.8)
"""What a model's own albedo may add to a uniform skin: a factor."""


def detail_of(where: SkinMap, model: MorphableModel, albedo: Any) -> np.ndarray:
    """What a model's albedo adds to a uniform skin.

    Args:
        where: The model's map.
        model: The model.
        albedo: `[K]` coefficients, standard deviations; None is the mean.

    Returns:
        `[V, 3]` float32 factor in `DETAIL_RANGE`.

    Raises:
        ValueError: If there are more coefficients than modes.
    """
    if albedo is None:
        return where.detail
    weights = np.asarray(albedo, np.float32)
    if weights.ndim != 1 or len(weights) > len(model.albedo):
        raise ValueError(f"`albedo` must be [K] with K at most {len(model.albedo)}. Received: {list(weights.shape)}")
    modes = where.detail_modes[: len(weights)]
    if not len(modes):
        return where.detail
    detail = (weights[: len(modes)] @ modes.reshape(len(modes), -1)).reshape(where.detail.shape)
    detail += where.detail
    return np.clip(detail, *DETAIL_RANGE, out=detail)


def paint(
    where: SkinMap,
    skin: "Skin",
    detail: np.ndarray,
    vertices: np.ndarray,
    points: np.ndarray,
    brows: bool,
    hair: np.ndarray | None,
) -> np.ndarray:
    """Vertex colours.

    Args:
        where: The mesh.
        skin: The skin.
        detail: `[V, 3]` float32 factor on a uniform skin's colour.
        vertices: `[V, 3]` float32 the face's vertices, model frame, millimetres.
        points: `[68, 3]` its landmarks.
        brows: Whether to paint brows.
        hair: `[3]` linear RGB of brows, stubble and scalp; None is the hair that goes with the skin's melanin.

    Returns:
        `[V, 3]` float32 linear RGB in [0, 1].
    """
    colors = paint_skin(where, skin, detail, brows, hair)
    add_inner_parts(colors, where, skin, vertices, points.astype(np.float32))
    return colors


def paint_skin(where: SkinMap, skin: "Skin", detail: np.ndarray, brows: bool, hair: np.ndarray | None) -> np.ndarray:
    """The part of `paint` that no expression changes: all but the inside of mouth and eyes.

    Returns:
        `[V, 3]` float32 linear RGB.
    """
    rng = np.random.default_rng(skin.seed)
    melanin, blood = _pigments(where, skin, rng)
    colors = np.empty((len(melanin), 3), np.float32)
    densities(melanin, blood, BASE - np.float32(skin.carotene) * CAROTENE_DENSITY, SLOPES, colors)
    np.exp(colors, out=colors)
    finish(colors, np.float32(SURFACE), detail, where.shade, DARKEST)
    hair = usual_hair(skin.melanin) if hair is None else np.asarray(hair, np.float32)
    _add_hair(colors, where, skin, hair, brows)
    for name, strength, color in (
        ("lips", skin.lipstick, skin.lipstick_color),
        ("eye_shadow", skin.eye_shadow, skin.eye_shadow_color),
    ):
        if strength:
            cover(colors, *where.parts[name], np.array(color, np.float32), np.float32(MAKEUP_COVER * strength))
    return colors


def usual_hair(melanin: float) -> np.ndarray:
    """`[3]` linear RGB of the hair of most people whose skin holds this share of melanin."""
    return hair_color(float(np.interp(melanin, [0.013, 0.06, 0.12], [0.9, 2.5, 7.0])), 0.1)


def _pigments(where: SkinMap, skin: "Skin", rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`[V]` melanin and `[V]` blood."""
    melanin, blood = np.float32(skin.melanin) * where.melanin, np.float32(skin.blood) * where.blood
    if skin.unevenness:
        amplitude = np.array([[UNEVEN_MELANIN], [UNEVEN_BLOOD]]) * skin.unevenness / np.sqrt(len(where.waves))
        heights = (rng.standard_normal((2, len(where.waves))) * amplitude).astype(np.float32)
        mottle(melanin, blood, where.waves, heights)
    if skin.dark_circles:
        at, weights = where.parts["under_eye"]
        blood[at] += np.float32(CIRCLE_BLOOD * skin.dark_circles) * weights
        melanin[at] *= 1 + np.float32(CIRCLE_MELANIN * skin.dark_circles) * weights
    if skin.blush:
        at, weights = where.parts["cheeks"]
        blood[at] += np.float32(BLUSH_BLOOD * skin.blush) * weights
    if skin.freckles:
        skin_detail.add_freckles(melanin, where, skin.freckles, rng)
    if skin.moles:
        skin_detail.add_moles(melanin, where, skin.moles, rng)
    return melanin, blood


def _add_hair(colors: np.ndarray, where: SkinMap, skin: "Skin", hair: np.ndarray, brows: bool) -> None:
    parts = where.parts
    if skin.scalp:
        cover(colors, *parts["scalp"], hair, np.float32(SCALP_COVER * skin.scalp))
    if not hair[0] >= hair[1] >= hair[2]:
        hair = usual_hair(skin.melanin)  # dye of a colour that no hair has stays on the scalp
    if skin.stubble:
        roots = np.minimum(np.float32(STUBBLE_DARKER) * hair, np.float32(STUBBLE_LIGHTEST))
        cover(colors, *parts["beard"], roots, np.float32(STUBBLE_COVER * skin.stubble))
    if brows and skin.brow_density:
        density = skin_detail.brow_density(where.brow_along, where.brow_above, skin.brow_thickness, skin.brow_lift)
        share = np.float32(BROW_COVER * skin.brow_density)
        cover(colors, parts["brow_band"].vertices, density, np.float32(BROW_DARKER) * hair, share)
    if skin.lashes:
        cover(colors, *parts["lashes"], LASH, np.float32(LASH_COVER * skin.lashes))


def add_inner_parts(colors: np.ndarray, where: SkinMap, skin: "Skin", vertices: np.ndarray, points: np.ndarray) -> None:
    """Mouth, teeth and tongue in the light that the lips let in; eyes in the shadow of their lids."""
    inner = points[_INNER_LIPS]
    opened = max(_lip_gap(inner) - _lip_gap(where.points[_INNER_LIPS]), 0.0)
    reach = np.float32(MOUTH_REACH[0] + MOUTH_REACH[1] * opened)
    for name, color in (("mouth_interior", MOUTH), ("teeth", TEETH), ("tongue", TONGUE)):
        cover_lit(colors, *where.parts[name], color, vertices, inner[:, 2].mean(), reach)
    paint_eyes(
        colors,
        where.parts["eyes"].vertices,
        where.eye_distance,
        where.eye_angle,
        vertices,
        points[_UPPER_LIDS],
        where.shade,
        np.array(skin.iris, np.float32),
        np.float32(skin.pupil),
        np.float32(skin.redness),
    )


def _lip_gap(inner: np.ndarray) -> float:
    """Mean distance of the upper lip's lower edge from the lower lip's upper edge, `inner` `[8, 3]`, millimetres."""
    return float(np.abs(inner[1:4, 1] - inner[7:4:-1, 1]).mean())


_INNER_LIPS: Final = list(LANDMARK_GROUPS["inner_lips"])
_UPPER_LIDS: Final = [list(LANDMARK_GROUPS[name][:4]) for name in ("right_eye", "left_eye")]
"""Corner, two points and corner of each upper lid, x ascending."""
