"""Where on a face skin differs: what `trainer.morphable.skin` needs to know of a mesh, found once a model.

Regions are the model's own where it has them (`MorphableModel.regions`), else they are laid around the landmarks, so that
any model can be painted.
"""

import dataclasses
import weakref
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from trainer.contract import LANDMARK_SETS
from trainer.morphable import skin_features, skin_regions
from trainer.morphable.albedo_detail import adjacency, albedo_detail, knows_skin
from trainer.morphable.landmark_fields import ramp
from trainer.morphable.model import MorphableModel
from trainer.morphable.openness import openness, visible_from

BLOOD: Final = {"cheeks": 0.55, "nose": 0.6, "ears": 0.9, "eyelids": 0.25, "lips": 1.7}
"""How much more blood than bare skin a region has; 1 is twice as much."""
MELANIN: Final = {"eyelids": 0.10, "cheeks": -0.06, "lips": -0.30, "neck": -0.03}
"""The same for melanin."""

WAVELENGTHS: Final = (18.0, 110.0)
"""Of the waves whose sums are uneven pigmentation, millimetres."""
WAVE_COUNT: Final = 16
WAVE_SEED: Final = 20240611

FRECKLE_DENSITY: Final = 0.03
FRECKLE_CHANCE: Final = 0.16
"""Freckles per square millimetre of cheek, and per vertex at most, where people have as many as can be."""
FRECKLE_AREA: Final = 6.0
"""Vertices with more area around them bear fewer, none from twice as much on: there they would be blotches."""

LIP_TINT: Final = (1.12, 0.97, 1.08)
"""Factor on the colour of the lips that are seen, on average, beside their blood."""

CAVITY: Final = 1.6
"""Power of the share of light that reaches a cavity which darkens its colour: light that enters it is absorbed more than once."""
OPEN: Final = 0.85
"""Share of the sky that open skin sees; only what is less counts as a cavity."""
LEAST_SHADE: Final = 0.15
"""Of the deepest cavity."""
NOSTRIL_OPEN: Final = (0.7, 0.84)
"""A nostril is where this much of the sky or less is seen, and where more is, the nose around it."""
NOSTRIL_SHADE: Final = 0.12
"""Of a nostril: models end it a few millimetres in, while a real one goes on into the dark."""
SHADE_ROUNDS: Final = 3
"""Rounds of averaging over neighbours that take the grain out of it."""
DETAIL_MODES: Final = 40
"""As many of a model's albedo modes count."""
BARE: Final = 0.15
"""Vertices where no special region weighs more than this are bare skin."""


class Part(NamedTuple):
    """A region as the few vertices that belong to it."""

    vertices: np.ndarray
    """`[n]` int32 indices."""
    weights: np.ndarray
    """`[n]` float32 in (0, 1]."""


@dataclasses.dataclass(frozen=True)
class SkinMap:
    """What is where on a mesh of V vertices. Arrays are float32 unless said."""

    vertices: np.ndarray
    """`[V, 3]` mean face, millimetres, model frame."""
    points: np.ndarray
    """`[68, 3]` its landmarks."""
    melanin: np.ndarray
    """`[V]` factor on the skin's melanin."""
    blood: np.ndarray
    """`[V]` factor on the skin's blood."""
    shade: np.ndarray
    """`[V]` factor on the colour in cavities: nostrils, ears, corners of the eyes."""
    detail: np.ndarray
    """`[V, 3]` the model's mean albedo, without `shade`, over that of uniform skin; where it has
    none, 1 but for the lips."""
    detail_modes: np.ndarray
    """`[K, V, 3]` what the first albedo modes add to it, their tone taken out; K is 0 where the model has no albedo."""
    bare: np.ndarray
    """`[n]` int, vertices of bare facial skin."""
    waves: np.ndarray
    """`[WAVE_COUNT, V]` smooth noises, each of variance 1."""
    freckle_chances: np.ndarray
    """`[n]` chance that a vertex of `parts["face"]` bears a freckle where people have as many as can be."""
    parts: Mapping[str, Part]
    """Regions by name, see `skin_regions.find`; with `brow_band` and `eyes`."""
    brow_along: np.ndarray
    """`[n]` position along a brow of the vertices of `parts["brow_band"]`: 0 at its inner end, 1 at its outer."""
    brow_above: np.ndarray
    """`[n]` their distance above the brow's line, millimetres; negative below."""
    eye_distance: np.ndarray
    """`[n]` distance from the gaze axis of the vertices of `parts["eyes"]`, millimetres."""
    eye_angle: np.ndarray
    """`[n]` radians around it."""
    face_tree: cKDTree
    """Over the vertices of `parts["face"]`."""

    @staticmethod
    def of(model: MorphableModel) -> "SkinMap":
        """The map of a model, found at the first call (half a second) and kept as long as the model lives."""
        key = id(model)
        if key not in _MAPS:
            points = model.landmark_points(model.mean, LANDMARK_SETS[0])
            _MAPS[key] = build_map(
                model.mean, model.triangles, model.regions, points, model.albedo_mean, model.albedo[:DETAIL_MODES]
            )
            weakref.finalize(model, _MAPS.pop, key, None)
        return _MAPS[key]


def build_map(
    vertices: np.ndarray,
    triangles: np.ndarray,
    regions: Mapping[str, np.ndarray],
    points: np.ndarray,
    albedo_mean: np.ndarray | None = None,
    albedo: np.ndarray | None = None,
) -> SkinMap:
    """The map of a mesh.

    Args:
        vertices: `[V, 3]` mean face, millimetres, model frame.
        triangles: `[T, 3]`.
        regions: Name to `[V]` weights; what is not there is laid around the landmarks.
        points: `[68, 3]` landmarks.
        albedo_mean: `[V, 3]` linear RGB; None, zero or uniform where the model knows nothing of skin.
        albedo: `[K, V, 3]` its modes.
    """
    visible = visible_from(vertices, triangles, np.array([0.0, 0.0, 1.0]))
    found = skin_regions.find(vertices, regions, points, visible)
    found["brow_band"], along, above = skin_features.brow_band(vertices, points)
    found["eyes"], distance, angle = skin_features.eyes(vertices, regions, points)
    blood, melanin = _factor(BLOOD, found), _factor(MELANIN, found)
    special = np.max(
        [found[name] for name in ("lips", "nose", "ears", "eyelids", "brow_band", "eyes", "scalp", "inside")], 0
    )
    bare = np.flatnonzero((special < BARE) & (found["face"] > 0.5))
    covered = np.max([found[name] for name in ("scalp", "brow_band", "lashes", "inside")], 0)
    sky = _smooth(openness(vertices, triangles), triangles)
    nostrils = found["nostrils"] * (1 - ramp(sky, *NOSTRIL_OPEN))
    shade = _shade(sky) * (1 - nostrils) + NOSTRIL_SHADE * nostrils
    eyeballs = found["eyes"] > 0
    if (eyeballs & visible).any():  # eyeballs turn: what the lids of the mean face hide of them may show
        shade[eyeballs] = np.median(shade[eyeballs & visible])
    parts = {name: _part(weights) for name, weights in found.items()}
    face, brows, eyes = (parts[name].vertices for name in ("face", "brow_band", "eyes"))
    detail = (1 + found["lips"][:, None] * (np.array(LIP_TINT) - 1)).astype(np.float32)
    modes = np.zeros((0, *vertices.shape), np.float32)
    if albedo_mean is not None and albedo is not None and knows_skin(albedo_mean[bare]):
        values = np.concatenate([albedo_mean[None], albedo]) / shade[:, None]
        detail, modes = albedo_detail(values, melanin, blood, bare, covered, triangles)
        lips = found["lips"] * visible
        if lips.any():
            factor = LIP_TINT / np.average(detail, axis=0, weights=lips)
            tint = (1 + found["lips"][:, None] * (factor - 1)).astype(np.float32)
            detail, modes = detail * tint, modes * tint
    return SkinMap(
        vertices=np.ascontiguousarray(vertices, np.float32),
        points=np.ascontiguousarray(points, np.float32),
        melanin=melanin.astype(np.float32),
        blood=blood.astype(np.float32),
        shade=shade.astype(np.float32),
        detail=detail,
        detail_modes=modes,
        bare=bare,
        waves=_waves(vertices),
        freckle_chances=_freckle_chances(found, _area(vertices, triangles))[face],
        parts=parts,
        brow_along=along[brows],
        brow_above=above[brows],
        eye_distance=distance[eyes],
        eye_angle=angle[eyes],
        face_tree=cKDTree(vertices[face]),
    )


def _factor(gains: Mapping[str, float], found: Mapping[str, np.ndarray]) -> np.ndarray:
    """`[V]` one plus the gain of each region."""
    return 1 + np.sum([gain * found[name] for name, gain in gains.items()], axis=0)


def _smooth(sky: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[V]` averaged over neighbours."""
    average = adjacency(len(sky), triangles)
    for _ in range(SHADE_ROUNDS):
        sky = (sky + average @ sky) / 2
    return sky


def _shade(sky: np.ndarray) -> np.ndarray:
    """`[V]` factor on the colour by the share of the sky that a vertex sees."""
    return np.maximum(np.minimum(sky / OPEN, 1) ** CAVITY, LEAST_SHADE)


def _part(weights: np.ndarray) -> Part:
    indices = np.flatnonzero(weights > 1 / 256).astype(np.int32)
    return Part(indices, weights[indices].astype(np.float32))


def _waves(vertices: np.ndarray) -> np.ndarray:
    """Plane waves in random directions, of log-uniform length."""
    rng = np.random.default_rng(WAVE_SEED)
    directions = rng.standard_normal((WAVE_COUNT, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shortest, longest = WAVELENGTHS
    lengths = shortest * (longest / shortest) ** rng.random(WAVE_COUNT)
    phases = rng.uniform(0, 2 * np.pi, WAVE_COUNT)
    waves = np.cos(2 * np.pi / lengths[:, None] * (directions @ vertices.T) + phases[:, None])
    return (np.sqrt(2) * waves).astype(np.float32)


def _freckle_chances(found: Mapping[str, np.ndarray], area: np.ndarray) -> np.ndarray:
    """`[V]` float32; per area, so that a finer mesh has no more freckles."""
    places = 0.25 + 0.75 * found["cheeks"] + 0.55 * found["nose"]
    places *= (1 - found["lips"]) * (1 - found["scalp"]) * found["face"]
    places *= np.clip(2 - area / FRECKLE_AREA, 0, 1)
    return np.minimum(FRECKLE_DENSITY * places * area, FRECKLE_CHANCE).astype(np.float32)


def _area(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[V]` a third of the area of the triangles around each vertex, square millimetres."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), minlength=len(vertices)).astype(np.float32)


_MAPS: dict[int, SkinMap] = {}
