"""What one image shows, drawn from the configuration. Deterministic in (config, model, index) and in nothing else.

An identity owns its shape and albedo; a view owns expression, pose, light, camera and background. Each draws from a generator
of its own, keyed by the seed, what it is for and its number, so that no image depends on which others were drawn before.
"""

import dataclasses
from typing import Final

import numpy as np

from components.synthetic_face_gen import labels, placement, splits
from components.synthetic_face_gen.config import LightConfig, PoseConfig, Range, SyntheticFaceConfig
from components.synthetic_face_gen.expressions import sample_expression
from trainer.morphable.model import MorphableModel
from trainer.rendering import lighting
from trainer.rendering.scene import Camera, Light

IDENTITY_STREAM: Final = 0
VIEW_STREAM: Final = 1
SURROUNDINGS_STREAM: Final = 2
"""Which generator of a seed: of an identity, of a view, of a view's background and image chain."""

LARGEST_COEFFICIENT: Final = 3.0
"""Identity and albedo coefficients stay within so many standard deviations."""

SKIN_LUMINANCE: Final = (0.03, 0.55)
"""Linear luminance of the albedo of the darkest and the lightest skin (ColorChecker's dark and light skin: 0.10 and 0.34)."""


@dataclasses.dataclass(frozen=True)
class FaceSample:
    """One face in one scene."""

    index: int
    identity: int
    view: int
    shape: np.ndarray
    """`[K_identity]` float32 standard deviations."""
    albedo: np.ndarray
    """`[K_albedo]` float32 standard deviations."""
    expression: np.ndarray
    """`[K_expression]` float32 weights."""
    colors: np.ndarray
    """`[V, 3]` float32 linear RGB; follows from albedo."""
    vertices: np.ndarray
    """`[V, 3]` float32 millimetres, model frame; follows from shape and expression."""
    landmarks: np.ndarray
    """`[68, 3]` float32 millimetres, model frame; follows from vertices."""
    euler: np.ndarray
    """`[3]` float64 yaw, pitch, roll, degrees."""
    camera: Camera
    light: Light


def generator(seed: int, stream: int, number: int) -> np.random.Generator:
    """The generator of one identity or view."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, stream, number))))


def sample(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> FaceSample:
    """Draws an image's face and scene.

    Args:
        config: The data set.
        model: The face model.
        index: Number of the image, in [0, count).

    Raises:
        ValueError: If the index is out of range, or the model lacks the landmark set.
    """
    if not 0 <= index < config.count:
        raise ValueError(f"`index` must be in [0, {config.count}). Received: {index}")
    identity, view = splits.identity_of(config, index)
    rng = generator(config.seed, IDENTITY_STREAM, identity)
    population = config.population
    shape = _coefficients(len(model.identity), population.identity_scale, rng)
    albedo, colors = _albedo(config, model, rng)
    rng = generator(config.seed, VIEW_STREAM, index)
    expression = sample_expression(model, rng, population.expression_strength, population.strong_fraction)
    vertices = model.vertices(shape, expression)
    landmarks = model.landmark_points(vertices, config.landmark_set)
    euler = _euler(config.pose, rng)
    camera = _camera(config, landmarks, euler, rng)
    light = _light(config.light, rng)
    return FaceSample(
        index, identity, view, shape, albedo, expression, colors, vertices, landmarks, euler, camera, light
    )


def _coefficients(count: int, scale: float, rng: np.random.Generator) -> np.ndarray:
    drawn = np.clip(scale * rng.standard_normal(count), -LARGEST_COEFFICIENT, LARGEST_COEFFICIENT)
    return drawn.astype(np.float32)


def _albedo(
    config: SyntheticFaceConfig, model: MorphableModel, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and vertex colours; drawn back towards the mean as long as the skin is darker or lighter than anyone's."""
    albedo = _coefficients(len(model.albedo), config.population.albedo_scale, rng)
    for attempt in range(_ALBEDO_TRIES):
        albedo = np.float32(0.8) * albedo if attempt else albedo
        colors = model.albedo_colors(albedo)
        luminance = float(labels.skin_color(model, colors, config.landmark_set) @ lighting.LUMINANCE)
        if SKIN_LUMINANCE[0] <= luminance <= SKIN_LUMINANCE[1]:
            break
    return albedo, colors


def _euler(pose: PoseConfig, rng: np.random.Generator) -> np.ndarray:
    yaw, pitch, roll = rng.uniform(*np.transpose((pose.yaw, pose.pitch, pose.roll)))
    if rng.random() < 0.5:
        pitch, roll = _near_middle(pose.pitch, rng), _near_middle(pose.roll, rng)
    return np.array([yaw, pitch, roll])


def _near_middle(span: Range, rng: np.random.Generator) -> float:
    low, high = span
    return float(np.clip(rng.normal((low + high) / 2, (high - low) / 8), low, high))


def _camera(config: SyntheticFaceConfig, landmarks: np.ndarray, euler: np.ndarray, rng: np.random.Generator) -> Camera:
    settings, size = config.camera, config.image_size
    distance = float(np.exp(rng.uniform(*np.log(settings.distance))))
    longer_side = size * rng.uniform(*settings.face_size)
    center = size * (0.5 + rng.uniform(-settings.face_offset, settings.face_offset, 2))
    return placement.place(landmarks, euler, settings.kind, distance, longer_side, center, size)


def _light(settings: LightConfig, rng: np.random.Generator) -> Light:
    """An environment and a lamp, as a camera meters them: exposed for what faces it, and most of their tint taken out."""
    harmonics = lighting.sample_harmonics(rng)
    azimuth, elevation = rng.uniform(-1.9, 1.9), rng.normal(0.45, 0.45)
    direction = np.array(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], np.float32
    )
    tint = np.exp(rng.normal(0, 0.12) * np.array([1.0, 0.0, -1.0]))  # warm or cold
    on = rng.random() < settings.lamp_fraction
    color = (on * rng.uniform(*settings.lamp_strength) * tint).astype(np.float32)
    specular = np.full(3, rng.uniform(*settings.specular), np.float32)
    shininess = np.float32(np.exp(rng.uniform(*np.log(settings.shininess))))
    environment = lighting.irradiance(_FACING, harmonics) / np.pi
    lamp = np.maximum(_FACING @ direction, 0)[:, None] * color
    meter = (environment + lamp).mean(axis=0)
    luminance = float(meter @ lighting.LUMINANCE)
    balance = (luminance / meter) ** settings.white_balance
    exposure = balance * (_WHITE * np.exp(rng.normal(0, settings.exposure_spread)) / luminance)
    return Light(
        (harmonics * exposure).astype(np.float32),
        direction,
        (color * exposure).astype(np.float32),
        specular,
        shininess,
    )


_ALBEDO_TRIES: Final = 12

_WHITE: Final = 0.7
"""What the exposure aims at: a white surface that faces the camera, in linear light."""

_FACING: Final = np.array([[0, 0, 1], [0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 0.6, 0.8], [0, -0.6, 0.8]], np.float32)
"""`[5, 3]` normals over which the exposure is metered."""
