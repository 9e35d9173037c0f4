"""Light: order-2 spherical-harmonic environments, lamps, colour temperatures, and the one shading equation of both renderers.

With unit normal n, unit direction v to the viewer, albedo a, environment irradiance E(n), mirrored share k, shininess s, and
sources of colour c_i from unit directions l_i whose mirror images about n are r_i, a surface sends back

    a · max(E(n), 0) / π + Σ_i c_i · max(n·l_i, 0) · (a + k · (s + 2) / 2 · max(r_i·v, 0)^s)

the term with k only where n·v ≥ 0: a Lambertian surface and the energy-conserving Phong lobe (Lafortune and Willems 1994) under
an irradiance of π c_i. An environment of radiance 1 everywhere shows the albedo itself.

Source 0 is the parallel light: l = `direction`, c = `color`. Each source after it is a lamp at q = `lamp_positions[p]`; the
surface's point is x = R X, the model-frame point X turned by the camera's rotation R: millimetres from the model frame's
origin, axes of the camera. (With a scaled orthographic camera [M | t], R = M / f and f = ‖M‖_F / √3; with a perspective one
[R | t], R itself. The translation does not enter: lamps come along when the head is moved, and stay when it turns.) With
d = q - x,

    l = d / |d|    c = lamp_colors[p] · |q|² / max(|d|², 1 mm²)

so that the lamp's colour is what it gives at the model frame's origin. Sources cast no shadow here.

k is `specular`, or with `specular_complement` = m per channel `specular` · (1 - m a): m = 1 is K_s = c - c K_d of Genova et al.
2018, where what is not scattered is mirrored.

Spherical harmonics are real and orthonormal, in the order L00, L1-1, L10, L11, L2-2, L2-1, L20, L21, L22 with the axes x to
the image's right, y up, z towards the viewer, so that L1-1 is the light from above.
"""

import math
from typing import Any

import numpy as np

from trainer.imaging.arrays import namespace

BAND_0 = 0.282095
BAND_1 = 0.488603
BAND_2_MIXED = 1.092548
BAND_2_ZONAL = 0.315392
BAND_2_DIFFERENCE = 0.546274
"""Factors of the real spherical harmonics 1; x; xy; 3z² - 1; x² - y² (Ramamoorthi and Hanrahan 2001, equation 3)."""

TRANSFER = (math.pi, 2 * math.pi / 3, math.pi / 4)
"""What a cosine lobe keeps of bands 0, 1 and 2 (same, equation 8): the products with the factors above are the irradiance
constants 0.886227, 2·0.511664, 2·0.429043, 0.247708 and 0.429043."""

UNIT_L00 = 1 / BAND_0
"""L00 of an environment whose mean radiance is 1."""

PROBE_MEAN = np.array([1.0, 0.67, -0.02, -0.03, -0.04, -0.06, -0.20, 0.06, -0.04])
PROBE_SD = np.array([0.0, 0.31, 0.35, 0.37, 0.29, 0.26, 0.42, 0.20, 0.53])
"""Luminance coefficients relative to L00: mean and standard deviation over ten measured light probes (Debevec's probes as
spherical harmonics in the OpenGL Shading Language book's example: Old Town Square, Grace Cathedral, Eucalyptus Grove,
St Peter's, Uffizi, Galileo's Tomb, Vine Street Kitchen, Breezeway, Campus Sunset, Funston Beach)."""

TINT_MEAN = np.array([0.08, 0.0, 0.04])
TINT_SD = np.array([0.25, 0.0, 0.10])
"""ln of the colour of L00 over its green, red and blue, over the same probes."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Rec. 709 luminance of linear RGB."""

SOURCE_TEMPERATURES = {
    "candle": 1900.0,
    "incandescent bulb": 2700.0,
    "studio tungsten": 3200.0,
    "moonlight": 4100.0,
    "fluorescent tube": 4500.0,
    "noon sun": 5500.0,
    "daylight": 6500.0,
    "overcast sky": 7500.0,
}
"""Correlated colour temperatures of common light sources, kelvin, the round figures that photographers go by.
`color.blackbody` turns one into a colour."""

_DARKEST = 0.05
"""A sampled environment's irradiance is at least this share of its mean in every direction: radiance is never negative, but
independent draws of its coefficients can say so."""


def irradiance_basis(normals: Any) -> Any:
    """Irradiance from each of the nine coefficients of an environment.

    Args:
        normals: `[..., 3]` unit vectors.

    Returns:
        `[..., 9]`, to be multiplied with radiance coefficients.
    """
    xp = namespace(normals)
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    band_1, mixed = TRANSFER[1] * BAND_1, TRANSFER[2] * BAND_2_MIXED
    zonal, difference = TRANSFER[2] * BAND_2_ZONAL, TRANSFER[2] * BAND_2_DIFFERENCE
    terms = (
        xp.full_like(x, TRANSFER[0] * BAND_0),
        band_1 * y,
        band_1 * z,
        band_1 * x,
        mixed * x * y,
        mixed * y * z,
        zonal * (3 * z * z - 1),
        mixed * x * z,
        difference * (x * x - y * y),
    )
    return xp.stack(terms, axis=-1)


def irradiance(normals: Any, harmonics: Any) -> Any:
    """Light that falls on surfaces from an environment.

    Args:
        normals: `[..., N, 3]` unit vectors.
        harmonics: `[..., 9, 3]` radiance coefficients, linear RGB.

    Returns:
        `[..., N, 3]` irradiance; divided by π it is what a white Lambertian surface sends back. It can be negative where the
        coefficients describe no possible light.
    """
    xp = namespace(normals, harmonics)
    return xp.matmul(irradiance_basis(normals), harmonics)


def ambient(color: Any) -> np.ndarray:
    """An environment that is the same from everywhere.

    Args:
        color: `[..., 3]` linear RGB: what a white matt surface sends back.

    Returns:
        `[..., 9, 3]` float32 radiance coefficients.
    """
    color = np.asarray(color, np.float32)
    harmonics = np.zeros((*color.shape[:-1], 9, 3), np.float32)
    harmonics[..., 0, :] = np.float32(UNIT_L00) * color
    return harmonics


def rotate_harmonics(harmonics: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Coefficients of a turned environment: what came from direction d comes from `rotation @ d`.

    Band 1 turns as a vector, band 2 as the symmetric matrix of its quadratic form.

    Args:
        harmonics: `[9, 3]` radiance coefficients.
        rotation: `[3, 3]`.

    Returns:
        `[9, 3]`.
    """
    turned = np.array(harmonics, np.float64)
    turned[_VECTOR] = rotation @ turned[_VECTOR]
    twice = np.multiply.outer(rotation, rotation).transpose(0, 2, 1, 3).reshape(9, 9)  # i a, j b: R Q R' as a product
    turned[4:] = _FROM_QUADRATIC @ (twice @ (_TO_QUADRATIC @ turned[4:]))
    return turned.astype(np.asarray(harmonics).dtype)


def sample_harmonics(rng: np.random.Generator) -> np.ndarray:
    """Draws an environment from the prior of ten measured probes, turned by a random angle about the vertical.

    Returns:
        `[9, 3]` float32 radiance coefficients, linear RGB, of mean luminance 1 (multiply by an exposure). Its irradiance is
        positive in every direction.
    """
    luminance = rng.normal(PROBE_MEAN, PROBE_SD)
    tint = np.exp(rng.normal(TINT_MEAN, TINT_SD))
    azimuth = rng.uniform(0, 2 * math.pi)
    cosine, sine = math.cos(azimuth), math.sin(azimuth)
    turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    varying = _VARYING @ luminance[1:]
    uniform = TRANSFER[0] * BAND_0
    luminance[1:] *= min(1.0, (1 - _DARKEST) * uniform / max(-varying.min(), 1e-9))
    harmonics = luminance[:, None] * (UNIT_L00 * tint / (LUMINANCE @ tint))
    return rotate_harmonics(harmonics, turn).astype(np.float32)


def _even_directions(count: int) -> np.ndarray:
    """`[count, 3]` unit vectors spread evenly by a golden spiral."""
    index = np.arange(count) + 0.5
    azimuth, z = math.pi * (1 + math.sqrt(5)) * index, 1 - 2 * index / count
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=-1)


_VECTOR = [3, 1, 2]
"""Coefficients of band 1 that go with x, y and z."""

_MIXED, _ZONAL, _DIFFERENCE = BAND_2_MIXED / 2, BAND_2_ZONAL, BAND_2_DIFFERENCE
_TO_QUADRATIC = np.array(
    [
        [0, 0, -_ZONAL, 0, _DIFFERENCE],
        [_MIXED, 0, 0, 0, 0],
        [0, 0, 0, _MIXED, 0],
        [_MIXED, 0, 0, 0, 0],
        [0, 0, -_ZONAL, 0, -_DIFFERENCE],
        [0, _MIXED, 0, 0, 0],
        [0, 0, 0, _MIXED, 0],
        [0, _MIXED, 0, 0, 0],
        [0, 0, 2 * _ZONAL, 0, 0],
    ]
)
"""`[9, 5]` the matrix of band 2's quadratic form, row by row, from its coefficients."""
_FROM_QUADRATIC = np.linalg.pinv(_TO_QUADRATIC)

_VARYING = irradiance_basis(_even_directions(256))[:, 1:]
"""`[256, 8]` irradiance from all coefficients but the first, in directions all over the sphere."""
