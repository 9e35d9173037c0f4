"""What one image shows, drawn from the configuration. Deterministic in (config, model, index) and in nothing else.

An identity owns its shape and skin; a moment owns expression, clothes and light; a view owns pose, camera and background. Without
`views_per_moment` every view is a moment of its own.
"""

import dataclasses
from typing import Final

import numpy as np

from components.synthetic_face_gen import lights, placement
from components.synthetic_face_gen.blending import Modes, turn_body
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.expressions import ExpressionSampler
from components.synthetic_face_gen.paired_set import PairedSet
from components.synthetic_face_gen.people import People, Person
from components.synthetic_face_gen.streams import Stream, generator
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering import lighting
from trainer.rendering.scene import Camera, Light

BODY: Final = "body"
"""The model's region that turns with the shoulders."""

NECK_LIMITS: Final = (65.0, 35.0, 25.0)
"""How far a head turns against its shoulders: yaw, pitch, roll, degrees (Youdas et al. 1992, adults' range of motion)."""


@dataclasses.dataclass(frozen=True)
class FaceSample:
    """One face in one scene."""

    index: int
    view: int
    moment: int
    """Number of the moment among those of the person."""
    person: Person
    expression: np.ndarray
    """`[K_expression]` float32 weights."""
    vertices: np.ndarray
    """`[V, 3]` float32 millimetres, model frame; follows from person and expression, but for the shoulders."""
    landmarks: np.ndarray
    """`[68, 3]` float32 millimetres, model frame; follows from vertices."""
    colors: np.ndarray
    """`[V, 3]` float32 linear RGB."""
    euler: np.ndarray
    """`[3]` float64 yaw, pitch, roll, degrees."""
    shoulders: np.ndarray
    """`[3]` float64 where the shoulders turn, likewise."""
    camera: Camera
    light: Light
    shadow: bool
    """Whether the parallel light casts shadows."""

    @property
    def identity(self) -> int:
        """Number of the person."""
        return self.person.identity


class Sampler:
    """Draws the images of one data set with one model."""

    def __init__(self, config: SyntheticFaceConfig, model: MorphableModel):
        """Prepares what does not depend on the image.

        Args:
            config: The data set.
            model: The face model.

        Raises:
            ValueError: If the model lacks the landmark set, or the paired set's statistics do not fit it.
        """
        self._config, self._model = config, model
        model.landmark_points(model.mean, config.landmark_set)
        self._people = People(config, model)
        self._expressions, self._units = ExpressionSampler(model), Modes(model.expression)
        self._paired = PairedSet(config, model, self._expressions) if config.paired_set else None
        self._body = model.regions.get(BODY) if config.pose.shoulder_turn[1] > 0 else None

    def sample(self, index: int) -> FaceSample:
        """Draws an image's face and scene.

        Args:
            index: Number of the image, in [0, count).

        Raises:
            ValueError: If the index is out of range.
        """
        config, model = self._config, self._model
        if not 0 <= index < config.count:
            raise ValueError(f"`index` must be in [0, {config.count}). Received: {index}")
        identity, view = config.identity_of(index)
        moment = index // config.views_per_moment
        person = self._people.person(identity)
        expression = self._expression(moment)
        vertices = self._units.added(person.vertices, expression)
        landmarks = model.landmark_points(vertices, config.landmark_set)
        euler = self._euler(index)
        camera = placement.sample_camera(
            config.camera, landmarks, euler, config.image_size, generator(config.seed, Stream.CAMERA, index)
        )
        light, shadow = self._light(moment, euler, person)
        colors = self._people.colors(person, vertices)
        shoulders = self._shoulders(euler, moment)
        if self._body is not None:
            against = cameras.rotation_from_euler(euler).T @ cameras.rotation_from_euler(shoulders)
            vertices = turn_body(vertices, self._body, against)
        return FaceSample(
            index=index,
            view=view,
            moment=moment - identity * config.views_per_identity // config.views_per_moment,
            person=person,
            expression=expression,
            vertices=vertices,
            landmarks=landmarks,
            colors=colors,
            euler=euler,
            shoulders=shoulders,
            camera=camera,
            light=light,
            shadow=shadow,
        )

    def _expression(self, moment: int) -> np.ndarray:
        rng = generator(self._config.seed, Stream.EXPRESSION, moment)
        if self._paired:
            return self._paired.expression(rng)
        return self._expressions.sample(rng, self._config.expression)

    def _euler(self, index: int) -> np.ndarray:
        rng = generator(self._config.seed, Stream.POSE, index)
        return self._paired.euler(rng) if self._paired else placement.sample_euler(self._config.pose, rng)

    def _light(self, moment: int, euler: np.ndarray, person: Person) -> tuple[Light, bool]:
        settings = self._config.light
        rng = generator(self._config.seed, Stream.LIGHT, moment)
        shadow = bool(rng.random() < settings.shadow_fraction)
        light = lights.sample_light(settings, rng, float(person.skin_color @ lighting.LUMINANCE))
        if self._paired:
            light = dataclasses.replace(light, harmonics=self._paired.harmonics(rng))
            light = lights.tinted(light, self._paired.gains(rng))
        if settings.follows_head:
            light = lights.turned(light, cameras.rotation_from_euler(euler))
        return light, shadow

    def _shoulders(self, euler: np.ndarray, moment: int) -> np.ndarray:
        """Where the shoulders turn: not as far as the head."""
        if self._body is None:
            return euler
        rng = generator(self._config.seed, Stream.SHOULDERS, moment)
        against = rng.uniform(*self._config.pose.shoulder_turn) * euler
        return euler - np.clip(against, np.negative(NECK_LIMITS), NECK_LIMITS)


def sample(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> FaceSample:
    """`Sampler.sample` of a data set of which only a few images are wanted.

    Raises:
        ValueError: If the index is out of range, or the model lacks the landmark set.
    """
    return Sampler(config, model).sample(index)
