"""Who is in the pictures: shape, skin and hair of each identity, the same in all of its images."""

import dataclasses
from typing import Final

import numpy as np

from components.synthetic_face_gen import labels
from components.synthetic_face_gen.blending import Modes
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_parts import PHYSICAL
from components.synthetic_face_gen.streams import Stream, generator
from trainer.morphable.freeform import FreeForm
from trainer.morphable.model import MorphableModel
from trainer.morphable.skin import Skin, sample_hair_color, sample_skin, skin_colors
from trainer.morphable.skin_optics import MELANIN_RANGE, skin_tone
from trainer.rendering.lighting import LUMINANCE

LARGEST_COEFFICIENT: Final = 3.0
"""Identity and albedo coefficients stay within so many standard deviations."""

SKIN_LUMINANCE: Final = (0.03, 0.55)
"""Linear luminance of the albedo of the darkest and the lightest skin (ColorChecker's dark and light skin: 0.10 and 0.34)."""

_ALBEDO_TRIES: Final = 12
_MELANIN_STEPS: Final = 64


@dataclasses.dataclass(frozen=True)
class Person:
    """An identity without expression."""

    identity: int
    shape: np.ndarray
    """`[K_identity]` float32 standard deviations."""
    albedo: np.ndarray
    """`[K_albedo]` float32 standard deviations."""
    freeform: np.ndarray | None
    """`[4]` float32 coefficients of the free-form deformation, lengths of its lattice; None where there is none."""
    vertices: np.ndarray
    """`[V, 3]` float32 millimetres, model frame."""
    landmarks: np.ndarray
    """`[68, 3]` float32 millimetres, model frame."""
    skin: Skin
    skin_color: np.ndarray
    """`[3]` linear RGB of bare skin."""
    hair_color: np.ndarray
    """`[3]` float32 linear RGB."""


class People:
    """Draws the people of a data set. The last one is kept: images of one person follow each other."""

    def __init__(self, config: SyntheticFaceConfig, model: MorphableModel):
        """Prepares.

        Args:
            config: The data set.
            model: The face model.
        """
        self._config, self._model = config, model
        self._freeform = FreeForm(model, config.landmark_set) if config.population.freeform_sd else None
        self._physical = config.population.skin == PHYSICAL
        self._painted_brows = config.wardrobe is None or config.wardrobe.brows == 0
        self._shapes, self._albedos = Modes(model.identity), Modes(model.albedo)
        self._last: Person | None = None
        self._painted: tuple[Person, np.ndarray] | None = None

    def person(self, identity: int) -> Person:
        """The person of a number."""
        if self._last is None or self._last.identity != identity:
            self._last = self._draw(identity)
        return self._last

    def colors(self, person: Person, vertices: np.ndarray) -> np.ndarray:
        """Colours of a person's face.

        Args:
            person: Who.
            vertices: `[V, 3]` the face with its expression: light in mouth and eyes follows the lips and lids.

        Returns:
            `[V, 3]` float32 linear RGB.
        """
        if self._physical:
            return skin_colors(
                self._model, person.skin, person.albedo, vertices, self._painted_brows, person.hair_color
            )
        if self._painted is None or self._painted[0] is not person:
            self._painted = person, np.clip(self._albedos.added(self._model.albedo_mean, person.albedo), 0, 1)
        return self._painted[1]

    def _draw(self, identity: int) -> Person:
        model, population = self._model, self._config.population
        rng = generator(self._config.seed, Stream.IDENTITY, identity)
        shape = _coefficients(len(model.identity), population.identity_scale, rng)
        vertices = self._shapes.added(model.mean, shape)
        freeform = None
        if self._freeform is not None:
            freeform = self._freeform.sample(rng, population.freeform_sd)
            vertices = self._freeform.deform(vertices, freeform)
        landmarks = model.landmark_points(vertices, self._config.landmark_set)
        rng = generator(self._config.seed, Stream.SKIN, identity)
        albedo = _coefficients(len(model.albedo), population.albedo_scale, rng)
        skin = sample_skin(rng)
        if self._physical:
            skin_color = skin_tone(np.array([skin.melanin]), np.array([skin.blood]))[0]
        else:
            albedo, skin_color = self._possible(albedo)
            skin = dataclasses.replace(skin, melanin=_melanin(float(skin_color @ LUMINANCE)))
        hair = sample_hair_color(rng, skin)
        return Person(identity, shape, albedo, freeform, vertices, landmarks, skin, skin_color, hair)

    def _possible(self, albedo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients, drawn back towards the mean as long as no one's skin is that dark or light, and the skin's colour."""
        for attempt in range(_ALBEDO_TRIES):
            albedo = np.float32(0.8) * albedo if attempt else albedo
            colors = self._albedos.added(self._model.albedo_mean, albedo)
            color = labels.skin_color(self._model, np.clip(colors, 0, 1), self._config.landmark_set)
            if SKIN_LUMINANCE[0] <= float(color @ LUMINANCE) <= SKIN_LUMINANCE[1]:
                break
        return albedo, color


def _melanin(luminance: float) -> float:
    """Melanin of a skin of this luminance, for what else has the person's skin: hands."""
    melanin = np.geomspace(*MELANIN_RANGE, _MELANIN_STEPS)
    tones = skin_tone(melanin.astype(np.float32), np.full(_MELANIN_STEPS, Skin.blood, np.float32)) @ LUMINANCE
    return float(np.interp(-luminance, -tones, melanin))


def _coefficients(count: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    drawn = np.clip(scale * rng.standard_normal(count), -LARGEST_COEFFICIENT, LARGEST_COEFFICIENT)
    return drawn.astype(np.float32)
