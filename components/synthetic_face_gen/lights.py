"""Light on a face: an environment, one parallel light, lamps nearby, metered and white-balanced as a camera would.

Directions are in the camera-aligned model frame: x to the image's right, y up, z towards the viewer.
"""

import dataclasses
import math
from typing import Final

import numpy as np

from components.synthetic_face_gen.config_parts import AMBIENT, HALF_SPHERE, MEASURED, LightConfig, Range
from trainer.rendering import lighting
from trainer.rendering.color import blackbody
from trainer.rendering.scene import HARMONICS_COUNT, Light

LAMP_KELVIN: Final = (1900.0, 2700.0, 3000.0, 4100.0, 5500.0, 6500.0, 7500.0)
"""Colour temperatures of a candle, a bulb, a halogen lamp, a fluorescent tube, flash and sun, an overcast sky, and shade."""

WHITE: Final = 0.7
"""What the exposure aims at: a white surface that faces the camera, in linear light."""

FACING: Final = np.array([[0, 0, 1], [0.6, 0, 0.8], [-0.6, 0, 0.8], [0, 0.6, 0.8], [0, -0.6, 0.8]])
"""`[5, 3]` normals over which the exposure is metered."""

TYPICAL_SKIN: Final = 0.25
"""Linear luminance of skin for which an exposure for skin changes nothing."""

_FACING_MEAN: Final = lighting.irradiance_basis(FACING).mean(axis=0) / np.pi
"""`[9]` what white surfaces with these normals send back on average of each coefficient of an environment."""

_KELVIN: Final = np.geomspace(1000, 20000, 65)
_LAMP_COLORS: Final = np.asarray(blackbody(_KELVIN), np.float64)
"""`[65, 3]` colours of black bodies of luminance 1, interpolated between."""

_DARKEST: Final = 0.02
"""Least that the meter reads, of light and of skin, so that a face lit from behind alone stays dark."""


def sample_light(settings: LightConfig, rng: np.random.Generator, skin_luminance: float = TYPICAL_SKIN) -> Light:
    """Draws a light.

    Args:
        settings: What is drawn.
        rng: Source of randomness.
        skin_luminance: Linear luminance of the face's albedo.

    Returns:
        The light, float32.
    """
    harmonics = _environment(settings, rng)
    direction = _direction(settings.parallel_direction, rng)
    on = rng.random() < settings.parallel_fraction
    warmth = rng.normal(0, settings.warmth)
    tint = np.array([math.exp(warmth), 1.0, math.exp(-warmth)])
    color = (on * rng.uniform(*settings.parallel_strength)) * tint * _nearly_white(settings, rng)
    specular = rng.uniform(*settings.specular) * _nearly_white(settings, rng)
    shininess = _log_uniform(settings.shininess, rng)
    if settings.specular_complement:
        specular = specular * 2 / (shininess + 2)  # Phong's lobe as it was; the renderers' keeps its energy
    places, colors = _lamps(settings, rng)
    exposure = np.full(3, math.exp(rng.normal(0, settings.exposure_spread)))
    if settings.metered:
        meter = _FACING_MEAN @ harmonics
        if on:
            meter = meter + np.maximum(FACING @ direction, 0).sum() / len(FACING) * color
        if len(places):
            towards = places / np.sqrt(np.square(places).sum(axis=-1, keepdims=True))
            meter = meter + np.maximum(FACING @ towards.T, 0).sum(axis=0) / len(FACING) @ colors
        luminance = max(float(meter @ lighting.LUMINANCE), _DARKEST)
        exposure *= (luminance / np.maximum(meter, _DARKEST)) ** settings.white_balance * WHITE / luminance
        exposure *= (TYPICAL_SKIN / max(skin_luminance, _DARKEST)) ** settings.skin_exposure
    return Light(
        (harmonics * exposure).astype(np.float32),
        direction.astype(np.float32),
        (color * exposure).astype(np.float32),
        np.minimum(np.maximum(specular, 0), 1).astype(np.float32),
        np.float32(shininess),
        places.astype(np.float32) if len(places) else None,
        (colors * exposure).astype(np.float32) if len(places) else None,
        np.float32(1) if settings.specular_complement else None,
    )


def turned(light: Light, rotation: np.ndarray) -> Light:
    """The light as seen from elsewhere: what came from direction d comes from `rotation @ d`.

    Args:
        light: One light.
        rotation: `[3, 3]`.
    """
    places = light.lamp_positions
    return dataclasses.replace(
        light,
        harmonics=lighting.rotate_harmonics(light.harmonics, rotation),
        direction=(rotation @ light.direction).astype(np.float32),
        lamp_positions=None if places is None else (places @ rotation.T).astype(np.float32),
    )


def tinted(light: Light, gains: np.ndarray) -> Light:
    """The light times `[3]` a factor on each colour."""
    colors = light.lamp_colors
    return dataclasses.replace(
        light,
        harmonics=(light.harmonics * gains).astype(np.float32),
        color=(light.color * gains).astype(np.float32),
        lamp_colors=None if colors is None else (colors * gains).astype(np.float32),
    )


def _log_uniform(span: Range, rng: np.random.Generator) -> float:
    return math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))


def _environment(settings: LightConfig, rng: np.random.Generator) -> np.ndarray:
    """`[9, 3]` radiance coefficients."""
    if settings.environment == MEASURED:
        return lighting.sample_harmonics(rng).astype(np.float64)
    harmonics = np.zeros((HARMONICS_COUNT, 3))
    if settings.environment == AMBIENT:
        harmonics[0] = lighting.UNIT_L00 * rng.uniform(*settings.ambient) * _nearly_white(settings, rng)
    return harmonics


def _direction(kind: str, rng: np.random.Generator) -> np.ndarray:
    """`[3]` unit vector towards the parallel light."""
    if kind == HALF_SPHERE:
        azimuth, z = rng.uniform(0, 2 * math.pi), rng.random()
        radius = math.sqrt(1 - z * z)
        return np.array([radius * math.cos(azimuth), radius * math.sin(azimuth), z])
    azimuth, elevation = rng.uniform(-1.9, 1.9), rng.normal(0.45, 0.45)
    return _on_sphere(azimuth, elevation)


def _on_sphere(azimuth: float, elevation: float) -> np.ndarray:
    """Unit vector; azimuth 0 is towards the viewer, radians."""
    level = math.cos(elevation)
    return np.array([math.sin(azimuth) * level, math.sin(elevation), math.cos(azimuth) * level])


def _lamps(settings: LightConfig, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`[P, 3]` places, millimetres, anywhere but far behind the head, and `[P, 3]` colours at the model frame's origin."""
    count = int(rng.integers(settings.lamps[0], settings.lamps[1] + 1))
    places, colors = np.zeros((count, 3)), np.zeros((count, 3))
    for lamp in range(count):
        distance = _log_uniform(settings.lamp_distance, rng)
        places[lamp] = distance * _on_sphere(rng.uniform(-1.9, 1.9), rng.normal(0.3, 0.4))
        kelvin = LAMP_KELVIN[rng.integers(len(LAMP_KELVIN))] * np.exp(rng.normal(0, settings.kelvin_spread))
        tint = np.array([np.interp(kelvin, _KELVIN, channel) for channel in _LAMP_COLORS.T])
        colors[lamp] = rng.uniform(*settings.lamp_strength) * tint
    return places, colors


def _nearly_white(settings: LightConfig, rng: np.random.Generator) -> np.ndarray:
    """`[3]` a colour."""
    if not settings.white_spread:
        return np.ones(3)
    return np.maximum(rng.normal(1, settings.white_spread, 3), 0)
