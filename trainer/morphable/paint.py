"""Albedo of the default head: MakeHuman's skins reduced to what is not their tone, and tone put back as modes of its own.

The pictures' tones crowd in two places, and the dark ones clip. So each skin is divided by that of `skin_optics` that comes
nearest; what is left (lips, wrinkles, wings of the nose, veins, age) is a factor near 1 whose logarithms are mixed and reduced
to modes. The linear albedo model is then made of painted people: the mean stands between a light and a dark one, the first
mode leads from one to the other (melanin), the second changes the blood, the others are the features at the mean's tone.
Brows and eyes, which the pictures lack, and mouths are painted as on any skin.
"""

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np

from trainer.morphable import skin_features
from trainer.morphable.albedo_detail import filled
from trainer.morphable.hair_color import hair_color
from trainer.morphable.linear import principal_modes
from trainer.morphable.makehuman import read_picture, sample_picture
from trainer.morphable.skin import Skin
from trainer.morphable.skin_detail import brow_density
from trainer.morphable.skin_map import LIP_TINT, SkinMap
from trainer.morphable.skin_optics import SURFACE, skin_tone, tone_of
from trainer.morphable.skin_paint import paint

FEATURE_MODES: Final = 8
FEATURE_LIMIT: Final = 0.5
"""Largest natural logarithm of a feature's factor."""
FEATURE_TINT: Final = 0.5
"""How much of a feature's own hue is kept: dark pictures hold little but noise in blue."""
MIX_SEED: Final = 20240608
MIX_COUNT: Final = 300
MIX_CONCENTRATION: Final = 1.5
"""Sum of the Dirichlet parameters with which skins are mixed: towards 0 one skin each, towards infinity all the mean."""

MEAN: Final = Skin(unevenness=0.0, dark_circles=0.0, scalp=0.4, lashes=0.5, redness=0.1)
"""Whom the albedo model is painted from; the tones follow."""
HAIR: Final = hair_color(2.0, 0.1)
LIGHT: Final = (0.013, 0.008)
DARK: Final = (0.34, 0.015)
"""Melanin and blood of the skins at both ends of the first mode."""
TONE_REACH: Final = 2.2
"""Standard deviations of the first mode from the mean to either end."""
BLOOD_REACH: Final = (0.007, 0.015, 0.027)
"""Blood at two standard deviations of the second mode below the mean, at the mean, and above."""
MEAN_MELANIN: Final = 0.09
"""Of the skin at which blood and features are made linear."""


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """SRGB in [0, 1] to linear (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def sample_skins(folder: Path, uv: np.ndarray, owner: np.ndarray, vertex_count: int) -> np.ndarray:
    """Every skin at the vertices.

    Args:
        folder: MakeHuman's `skins`.
        uv: `[M, 2]` texture coordinates of corners; a vertex on a seam has several and gets their mean.
        owner: `[M]` vertex of each corner.
        vertex_count: V.

    Returns:
        `[S, V, 3]` linear RGB.

    Raises:
        ValueError: If the folder holds no skin.
    """
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise ValueError(f"{folder} holds no skin (*.png).")
    pictures = (srgb_to_linear(read_picture(path)) for path in paths)
    return np.stack([average_corners(sample_picture(picture, uv), owner, vertex_count) for picture in pictures])


def average_corners(values: np.ndarray, owner: np.ndarray, vertex_count: int) -> np.ndarray:
    """Mean over a vertex' corners: `[M, C]` to `[V, C]`, zero where a vertex has none."""
    total = np.stack([np.bincount(owner, column, minlength=vertex_count) for column in values.T], axis=1)
    return total / np.maximum(np.bincount(owner, minlength=vertex_count), 1)[:, None]


def brow_mask(vertices: np.ndarray, landmarks: np.ndarray, front: np.ndarray) -> np.ndarray:
    """`[V]` density of average eyebrows, 0 to 1.

    Args:
        vertices: `[V, 3]` mean head, millimetres, model frame.
        landmarks: `[68, 3]` likewise.
        front: `[V]` bool, where brows may grow.
    """
    band, along, above = skin_features.brow_band(vertices, landmarks)
    return np.where(front, band * brow_density(along, above, 1.0, 0.0), 0)


def features(skins: np.ndarray, where: SkinMap, triangles: np.ndarray) -> np.ndarray:
    """What skins are beside their tone.

    Args:
        skins: `[S, V, 3]` linear RGB.
        where: The head.
        triangles: `[T, 3]` of the head.

    Returns:
        `[S, V, 3]` natural logarithm of the factor on `skin_optics.skin_tone`; 0 on average over bare skin, `LIP_TINT`
        on average over lips; spanned from the neighbourhood where hair grows.
    """
    covered = np.zeros(len(where.vertices))
    for name in ("scalp", "inside"):
        covered[where.parts[name].vertices] += where.parts[name].weights
    lips, found = where.parts["lips"], []
    for colors in SURFACE + (1 - SURFACE) * skins:
        melanin, blood = tone_of(colors[where.bare].mean(axis=0))
        logs = np.log(colors / skin_tone(melanin * where.melanin, blood * where.blood) / where.shade[:, None])
        logs -= logs[where.bare].mean(axis=0)
        logs[lips.vertices] -= lips.weights[:, None] * np.average(logs[lips.vertices], axis=0, weights=lips.weights)
        grey = logs.mean(axis=1, keepdims=True)
        logs = np.clip(grey + FEATURE_TINT * (logs - grey), -FEATURE_LIMIT, FEATURE_LIMIT)
        logs[lips.vertices] += lips.weights[:, None] * np.log(LIP_TINT)
        found.append(filled(logs, covered, triangles))
    return np.stack(found)


def mix_features(values: np.ndarray) -> np.ndarray:
    """People between the skins: `[S, V, 3]` logarithms to `[MIX_COUNT, V, 3]`, averages with random weights."""
    rng = np.random.default_rng(MIX_SEED)
    weights = rng.dirichlet(np.full(len(values), MIX_CONCENTRATION / len(values)), MIX_COUNT)
    return (weights @ values.reshape(len(values), -1)).reshape(MIX_COUNT, *values.shape[1:])


def albedo_model(values: np.ndarray, where: SkinMap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A linear albedo model of people with such features.

    Args:
        values: `[S, V, 3]` logarithms of features.
        where: The head.

    Returns:
        Mean `[V, 3]`; modes `[2 + FEATURE_MODES, V, 3]` per standard deviation: melanin, blood, features; `[2 + FEATURE_MODES]`
        root of the variance that each carries.
    """
    mean, logs, _, _ = principal_modes(mix_features(values), np.ones(len(where.vertices)), FEATURE_MODES)

    def painted(
        change: np.ndarray | float = 0.0, melanin: float = MEAN_MELANIN, blood: float = BLOOD_REACH[1]
    ) -> np.ndarray:
        skin = dataclasses.replace(MEAN, melanin=melanin, blood=blood)
        detail = np.exp(mean + change).astype(np.float32)
        return paint(where, skin, detail, where.vertices, where.points, True, HAIR).astype(np.float64)

    light, dark = painted(0.0, *LIGHT), painted(0.0, *DARK)
    tones = [(light - dark) / (2 * TONE_REACH), (painted(blood=BLOOD_REACH[2]) - painted(blood=BLOOD_REACH[0])) / 4]
    modes = np.stack([*tones, *((painted(mode) - painted(-mode)) / 2 for mode in logs)])
    return (light + dark) / 2, modes, np.sqrt(np.square(modes).sum(axis=(1, 2)))
