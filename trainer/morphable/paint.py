"""Albedo of the default head, per vertex: skins sampled through UV, and what the skins lack painted by geometry.

The skins carry no eyebrows and no eyes, and at 512² little of the lips. Brows are painted around the brow landmarks,
iris and pupil by the distance from the gaze axis.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.eyeball import IRIS_RADIUS, PUPIL_RADIUS
from trainer.morphable.makehuman import read_picture, sample_picture

SCLERA: Final = (0.62, 0.58, 0.55)
PUPIL: Final = (0.006, 0.006, 0.006)
IRIS: Final = (0.085, 0.055, 0.035)
TEETH: Final = (0.62, 0.56, 0.45)
TONGUE: Final = (0.32, 0.085, 0.075)
MOUTH: Final = (0.16, 0.035, 0.032)
BROW: Final = (0.030, 0.020, 0.014)
"""Linear RGB."""

TEETH_SHADOW: Final = (-16.0, -4.0)
"""Depths behind the front teeth at which the mouth's shadow is full and at which it begins, millimetres."""

LIP_TINT: Final = (0.88, 0.62, 0.62)
"""Factor on the skin's colour where lips are, beside what the skin's own picture shows."""

SURFACE: Final = 0.03
"""Share of light that leaves any skin uncoloured; the pictures of dark skin lack it (they are more saturated than the
colour chart's dark skin, linear 0.17 0.08 0.06)."""

BROW_STRENGTH: Final = 0.85
"""Part of the skin that the densest part of a brow hides."""

ALBEDO_MODES: Final = 10

TONE_REACH: Final = 2.2
"""Standard deviations of the first albedo mode from the mean to the darkest and to the lightest skin."""

MIX_SEED: Final = 20240608
MIX_COUNT: Final = 300
MIX_CONCENTRATION: Final = 1.5
"""Sum of the Dirichlet parameters with which skins are mixed: towards 0 one skin each, towards infinity all the mean."""
DARKEST: Final = 0.004
"""Linear RGB floor of a skin before its logarithm is taken."""


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
    return np.stack(
        [average_corners(sample_picture(_albedo(read_picture(path)), uv), owner, vertex_count) for path in paths]
    )


def mix_skins(skins: np.ndarray) -> np.ndarray:
    """People between the skins: geometric means with random weights, so that tones fill the range and none leaves it.

    Args:
        skins: `[S, V, 3]` linear RGB.

    Returns:
        `[MIX_COUNT, V, 3]` linear RGB.
    """
    rng = np.random.default_rng(MIX_SEED)
    weights = rng.dirichlet(np.full(len(skins), MIX_CONCENTRATION / len(skins)), MIX_COUNT)
    logs = np.log(np.maximum(skins, DARKEST)).reshape(len(skins), -1)
    return np.exp(weights @ logs).reshape(MIX_COUNT, *skins.shape[1:])


def _albedo(picture: np.ndarray) -> np.ndarray:
    """Linear RGB of a skin's picture, with the light that the surface reflects whatever is below."""
    return SURFACE + (1 - SURFACE) * srgb_to_linear(picture)


def average_corners(values: np.ndarray, owner: np.ndarray, vertex_count: int) -> np.ndarray:
    """Mean over a vertex' corners: `[M, C]` to `[V, C]`, zero where a vertex has none."""
    total = np.stack([np.bincount(owner, column, minlength=vertex_count) for column in values.T], axis=1)
    return total / np.maximum(np.bincount(owner, minlength=vertex_count), 1)[:, None]


def brow_mask(vertices: np.ndarray, landmarks: np.ndarray, front: np.ndarray) -> np.ndarray:
    """`[V]` density of the eyebrows, 0 to 1: a band along each brow's landmarks that tapers outwards.

    Args:
        vertices: `[V, 3]` mean head, millimetres, model frame.
        landmarks: `[68, 3]` likewise.
        front: `[V]` bool, where brows may grow.
    """
    mask = np.zeros(len(vertices))
    for group in ("right_brow", "left_brow"):
        line = landmarks[list(LANDMARK_GROUPS[group])][:, :2]
        line = line if group == "left_brow" else line[::-1]
        dense = np.stack([np.interp(np.linspace(0, 4, 81), np.arange(5), line[:, axis]) for axis in (0, 1)], axis=1)
        along = np.linspace(0, 1, len(dense))
        half_width = np.interp(along, [0, 0.15, 0.6, 1], [3.0, 4.2, 3.4, 1.2])
        distance = np.linalg.norm(vertices[:, None, :2] - dense[None], axis=-1) / half_width
        mask = np.maximum(mask, np.clip(2.2 - 1.7 * distance.min(axis=1), 0, 1))
    return np.where(front, mask, 0)


def eye_colors(axis_distance: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """`[V, 3]` linear RGB of an eyeball: pupil, iris with radial streaks and a dark limbus, sclera.

    Args:
        axis_distance: `[V]` millimetres from the gaze axis.
        angle: `[V]` radians around it.
    """
    streaks = 1 + 0.25 * np.sin(7 * angle) * np.sin(3 * angle + 1)
    limbus = np.where(axis_distance > 0.9 * IRIS_RADIUS, 0.5, 1.0)
    iris = np.asarray(IRIS) * (streaks * limbus)[:, None]
    colors = np.where((axis_distance < IRIS_RADIUS)[:, None], iris, np.asarray(SCLERA))
    return np.where((axis_distance < PUPIL_RADIUS)[:, None], np.asarray(PUPIL), colors)


def teeth_layer(teeth: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """`[V, 4]` linear RGB and weight of the teeth: bright in front, in the mouth's shadow behind.

    Args:
        teeth: `[V]` 1 on teeth, 0 elsewhere.
        depth: `[V]` z in the model frame, millimetres.
    """
    front = depth[teeth > 0].max(initial=-np.inf)
    light = np.interp(depth - front, TEETH_SHADOW, (0.25, 1.0))
    return np.concatenate([np.asarray(TEETH) * light[:, None], teeth[:, None]], axis=1)


def paint(skins: np.ndarray, masks: Mapping[str, np.ndarray], parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Skins with what they lack.

    Args:
        skins: `[S, V, 3]` linear RGB.
        masks: `brows`, `lips` and `mouth_interior`, `[V]` in [0, 1].
        parts: Name of a part with a colour of its own to its `[V, 4]` linear RGB and weight.

    Returns:
        `[S, V, 3]` linear RGB.
    """
    lips = masks["lips"][:, None]
    painted = skins * (1 - lips + lips * np.asarray(LIP_TINT))
    layers = {
        "brows": _layer(BROW, BROW_STRENGTH * masks["brows"]),
        "mouth_interior": _layer(MOUTH, masks["mouth_interior"]),
        **parts,
    }
    for layer in layers.values():
        weight = layer[:, 3:]
        painted = painted * (1 - weight) + layer[:, :3] * weight
    return painted


def _layer(color: tuple[float, float, float], weight: np.ndarray) -> np.ndarray:
    """`[V, 4]` one colour with a weight."""
    return np.concatenate([np.broadcast_to(np.asarray(color), (len(weight), 3)), weight[:, None]], axis=1)


def flat_part(color: tuple[float, float, float], where: np.ndarray) -> np.ndarray:
    """`[V, 4]` one colour where `where` `[V]` is true."""
    return _layer(color, where.astype(np.float64))


def tone_range(skins: np.ndarray, mean: np.ndarray, mode: np.ndarray) -> tuple[float, float]:
    """How to move and scale the first albedo mode so that `TONE_REACH` of its deviations meet darkest and lightest skin.

    Skins are not normal along it: without this, a deviation and a half of darkness leaves the colours that exist.

    Args:
        skins: `[S, V, 3]` linear RGB.
        mean: `[V, 3]`.
        mode: `[V, 3]` per standard deviation.

    Returns:
        Shift of the mean in the old deviations; the new deviation in the old ones.
    """
    scores = (skins - mean).reshape(len(skins), -1) @ mode.ravel() / np.square(mode).sum()
    darkest, lightest = float(scores.min()), float(scores.max())
    return (darkest + lightest) / 2, (lightest - darkest) / (2 * TONE_REACH)
