"""A person's skin, and the colours that it gives the vertices of any face model.

Colour = tone(melanin, blood) × detail. Tone is skin as an absorber (`skin_optics`), melanin and blood vary over the face and
with freckles, moles and blush. Detail is what the model's own albedo, of any coefficients, adds to a uniform skin of its own
tone: wrinkles, the shading of lips and wings of the nose. A model without albedo has none and is painted by region alone.
"""

import dataclasses
from typing import Any, Final

import numpy as np

from trainer.contract import LANDMARK_SETS
from trainer.morphable.eye_color import sample_iris
from trainer.morphable.hair_color import hair_color, sample_hair_color
from trainer.morphable.model import MorphableModel
from trainer.morphable.skin_map import SkinMap
from trainer.morphable.skin_optics import BLOOD_RANGE, MELANIN_RANGE
from trainer.morphable.skin_paint import add_inner_parts, detail_of, paint, paint_skin

__all__ = ["Skin", "hair_color", "sample_hair_color", "sample_skin", "skin_colors"]

Color = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Skin:
    """What colours a face. Strengths are 0 for off and 1 for as much as people have.

    Raises:
        ValueError: If a value is out of its range.
    """

    melanin: float = 0.06
    """Share of melanosomes in the epidermis, in `skin_optics.MELANIN_RANGE`."""
    blood: float = 0.015
    """Share of blood in the dermis where the face is bare, in `skin_optics.BLOOD_RANGE`; cheeks, nose, ears, lips have more."""
    carotene: float = 0.0
    """Yellow pigment over that of most people, in [-1, 1]."""
    unevenness: float = 0.3
    """Strength of smooth changes of pigment and blood over the face."""
    freckles: float = 0.0
    moles: int = 0
    """Count."""
    blush: float = 0.0
    """Of the cheeks: more blood."""
    dark_circles: float = 0.2
    """Under the eyes: more blood and melanin."""
    stubble: float = 0.0
    """Shadow of a shaven beard, up to some days' growth."""
    scalp: float = 0.3
    """Density of short hair on the scalp; 0 is bald."""
    lashes: float = 0.5
    """Dark line at the lids' edges."""
    lipstick: float = 0.0
    lipstick_color: Color = (0.35, 0.05, 0.06)
    eye_shadow: float = 0.0
    eye_shadow_color: Color = (0.15, 0.09, 0.08)
    """Linear RGB."""
    iris: Color = (0.055, 0.030, 0.015)
    """Linear RGB."""
    pupil: float = 1.8
    """Radius, millimetres."""
    redness: float = 0.15
    """Of the white of the eyes."""
    brow_density: float = 0.8
    brow_thickness: float = 1.0
    """Factor on an average brow's width."""
    brow_lift: float = 0.0
    """Height over an average brow's, millimetres."""
    seed: int = 0
    """Of where things lie: noise, freckles, moles."""

    def __post_init__(self) -> None:
        spans = {"melanin": MELANIN_RANGE, "blood": BLOOD_RANGE, "pupil": (0.5, 4.5), "brow_thickness": (0.2, 3.0)}
        spans |= dict.fromkeys(STRENGTHS, (0.0, 1.0)) | {
            "carotene": (-1.0, 1.0),
            "brow_lift": (-5.0, 5.0),
            "moles": (0, 100),
        }
        for name, (low, high) in spans.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"`{name}` must be in [{low}, {high}]. Received: {value}")
        for name in ("lipstick_color", "eye_shadow_color", "iris"):
            color = getattr(self, name)
            if len(color) != 3 or not all(0 <= value <= 1 for value in color):
                raise ValueError(f"`{name}` must be linear RGB in [0, 1]. Received: {color}")
        if self.seed < 0:
            raise ValueError(f"`seed` must not be negative. Received: {self.seed}")


STRENGTHS: Final = (
    *("unevenness", "freckles", "blush", "dark_circles", "stubble", "scalp", "lashes", "lipstick", "eye_shadow"),
    *("redness", "brow_density"),
)

TONE_KNOTS: Final = ((0.0, 0.17, 0.34, 0.51, 0.68, 0.88, 1.0), (0.013, 0.022, 0.05, 0.09, 0.14, 0.27, 0.40))
"""Quantiles and melanin: about as many people in each class of the individual typology angle."""

LIPSTICKS: Final = ((0.35, 0.05, 0.06), (0.42, 0.13, 0.14), (0.22, 0.03, 0.05), (0.40, 0.12, 0.10), (0.30, 0.10, 0.09))
EYE_SHADOWS: Final = (
    (0.15, 0.09, 0.08),
    (0.05, 0.05, 0.06),
    (0.10, 0.12, 0.18),
    (0.25, 0.14, 0.12),
    (0.20, 0.12, 0.20),
)


def sample_skin(rng: np.random.Generator) -> Skin:
    """A skin of anyone: tones evenly over the whole human range, details as frequent as they are.

    Args:
        rng: Source of randomness.
    """
    melanin = float(np.interp(rng.random(), *TONE_KNOTS))
    fair = float(np.clip((0.10 - melanin) / 0.08, 0, 1))
    pale = float(np.clip((0.035 - melanin) / 0.02, 0, 1))
    blood = float(np.clip((0.0145 - 0.008 * pale) * np.exp(rng.normal(0, 0.38)), 0.003, 0.03))
    male = rng.random() < 0.5
    made_up = not male and rng.random() < 0.3
    rare = rng.random(4)
    lipstick, shadow = (int(rng.integers(len(table))) for table in (LIPSTICKS, EYE_SHADOWS))
    amounts = rng.random(9)
    return Skin(
        melanin=melanin,
        blood=blood,
        carotene=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        unevenness=float(amounts[0]),
        freckles=float(amounts[1]) if rare[0] < 0.05 + 0.25 * fair else 0.0,
        moles=int(rng.poisson(3 * amounts[2])),
        blush=float(amounts[3] ** 3 * (0.4 + 0.6 * fair)),
        dark_circles=float(amounts[4] ** 1.5),
        stubble=float(amounts[5]) if male and rare[1] < 0.8 else 0.0,
        scalp=float(rng.uniform(0.3, 1.0)) if rare[2] < 0.9 else float(0.15 * amounts[6]),
        lashes=float(rng.uniform(0.2, 0.7)) + 0.3 * made_up,
        lipstick=float(0.3 + 0.6 * amounts[7]) if made_up else 0.0,
        lipstick_color=LIPSTICKS[lipstick],
        eye_shadow=float(amounts[8]) if made_up and rare[3] < 0.5 else 0.0,
        eye_shadow_color=EYE_SHADOWS[shadow],
        iris=sample_iris(rng, melanin),
        pupil=float(np.clip(rng.normal(1.9, 0.4), 1.1, 3.2)),
        redness=float(rng.beta(1.5, 6)),
        brow_density=float(rng.uniform(0.45, 1.0)),
        brow_thickness=float(np.clip(np.exp(rng.normal(0.12 if male else -0.15, 0.25)), 0.4, 2.0)),
        brow_lift=float(np.clip(rng.normal(0, 0.9), -2.5, 2.5)),
        seed=int(rng.integers(2**31)),
    )


def skin_colors(
    model: MorphableModel,
    skin: Skin,
    albedo: Any = None,
    vertices: np.ndarray | None = None,
    brows: bool = False,
    hair: np.ndarray | None = None,
) -> np.ndarray:
    """Vertex colours of a face with a skin.

    Args:
        model: Any face model. What it has no region for is laid around its landmarks.
        skin: The skin.
        albedo: `[K]` coefficients of the model's own albedo, standard deviations; only what they add to a uniform skin
            counts, never their tone. None is the mean.
        vertices: `[V, 3]` the face's vertices, model frame, millimetres: the upper lids' shadow on the eyes and the light in
            the mouth follow them. None is the mean face.
        brows: Whether to paint brows; leave them out where the face wears brows of its own.
        hair: `[3]` linear RGB of brows, stubble and scalp; None is the hair that goes with the skin's melanin.

    Returns:
        `[V, 3]` float32 linear RGB in [0, 1].

    Raises:
        ValueError: If there are more coefficients than modes, or the vertices do not fit the model.
    """
    where = SkinMap.of(model)
    if vertices is None:
        return paint(where, skin, detail_of(where, model, albedo), where.vertices, where.points, brows, hair)
    if np.shape(vertices) != model.mean.shape:
        raise ValueError(f"`vertices` must be {list(model.mean.shape)}. Received: {list(np.shape(vertices))}")
    vertices = np.ascontiguousarray(vertices, np.float32)
    points = model.landmark_points(vertices, LANDMARK_SETS[0])
    colors = _skin_of(where, model, skin, albedo, brows, hair).copy()
    add_inner_parts(colors, where, skin, vertices, points.astype(np.float32))
    return colors


def _skin_of(
    where: SkinMap, model: MorphableModel, skin: Skin, albedo: Any, brows: bool, hair: np.ndarray | None
) -> np.ndarray:
    """`paint_skin` of the last person, kept: a person's pictures follow each other. Not to be changed."""
    global _last
    key = (skin, brows, *(None if part is None else np.asarray(part, np.float32).tobytes() for part in (albedo, hair)))
    last = _last
    if last is None or last[0] is not where or last[1] != key:
        last = where, key, paint_skin(where, skin, detail_of(where, model, albedo), brows, hair)
        _last = last
    return last[2]


_last: tuple[SkinMap, tuple[Any, ...], np.ndarray] | None = None
