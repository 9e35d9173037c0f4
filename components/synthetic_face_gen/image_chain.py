"""From light to a file, in a camera's order: blur, noise, gain, tone, grey, resampling, JPEG. Noise belongs to linear light.

Noise after Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019): shot variance log-uniform, read
variance log-linear in it.
"""

import functools
import math
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from components.synthetic_face_gen import image_kernels
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_pictures import ImageChainConfig
from trainer.imaging import codecs
from trainer.rendering.color import linear_to_srgb
from trainer.rendering.lighting import LUMINANCE


def develop(
    light: np.ndarray,
    config: SyntheticFaceConfig,
    rng: np.random.Generator,
    retouch: Callable[[np.ndarray], np.ndarray] | None = None,
) -> bytes:
    """Takes the picture.

    Args:
        light: `[H, W, 3]` float32 linear, 1 is where the sensor saturates.
        config: Its `image_chain` and `jpeg_quality` are used.
        rng: Source of randomness.
        retouch: Changes the finished `[H, W, 3]` uint8 sRGB picture before it is resampled and saved.

    Returns:
        A JPEG file, sRGB.
    """
    chain = config.image_chain
    image = exposed(light, chain, rng)
    if retouch is not None:
        image = retouch(image)
    if rng.random() < chain.resample_fraction:
        image = _resampled(image, rng.uniform(*chain.resample), rng)
    quality = config.jpeg_quality
    if rng.random() < chain.jpeg_fraction:
        quality = int(rng.integers(chain.jpeg_range[0], chain.jpeg_range[1] + 1))
    return codecs.encode_jpeg(image, quality, half_chroma=bool(rng.random() < chain.half_chroma_fraction))


def exposed(light: np.ndarray, chain: ImageChainConfig, rng: np.random.Generator) -> np.ndarray:
    """The chain up to the finished picture.

    Args:
        light: `[H, W, 3]` float32 linear.
        chain: What the camera does.
        rng: Source of randomness.

    Returns:
        `[H, W, 3]` uint8 sRGB.
    """
    light = np.ascontiguousarray(light, np.float32)
    if rng.random() < chain.motion_fraction:
        light = image_kernels.sparse_blur(light, *_path(rng.uniform(*chain.motion), rng.uniform(0, math.pi)))
    elif rng.random() < chain.defocus_fraction:
        light = image_kernels.sparse_blur(light, *_disc(rng.uniform(*chain.defocus)))
    if rng.random() < chain.blur_fraction:
        light = image_kernels.separable_blur(light, _bell(rng.uniform(*chain.blur)))
    noise, shot, read = _NOISELESS, 0.0, 0.0
    if rng.random() < chain.noise_fraction:
        log_shot = rng.uniform(*np.log(chain.shot_noise))
        shot, read = math.exp(log_shot), math.exp(2.18 * log_shot + 1.2 + rng.normal(0, 0.26))
        noise = _noise(light.shape, rng)
    gains = np.exp(rng.normal(0, chain.gain_spread, 3)).astype(np.float32)
    contrast, lift = rng.uniform(*chain.contrast), rng.uniform(*chain.lift)
    saturation = rng.uniform(*chain.saturation) * (rng.random() >= chain.grey_fraction)
    tone = np.array([contrast, lift, saturation, shot, read], np.float32)
    return image_kernels.develop_pixels(light, noise, gains, tone, _CURVE, _LUMINANCE)


def roll_off(light: np.ndarray) -> np.ndarray:
    """Bends highlights towards white instead of clipping them, as every camera's tone curve does.

    Args:
        light: Linear, 0 or more, any shape.

    Returns:
        The same up to the knee, above it less than 1; slope and value have no jump.
    """
    above = np.maximum(light - _KNEE, 0)
    return np.minimum(light, _KNEE) + (1 - _KNEE) * -np.expm1(-above / (1 - _KNEE))


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers for an image of a shape: part of one large picture of noise, mirrored and turned by chance.

    To draw them anew would cost as much as to draw the face's triangles. Larger images have noise of their own.
    """
    if max(shape) > _TILE // 2:
        return rng.standard_normal(shape, np.float32)
    y, x = (int(rng.integers(_TILE - extent + 1)) for extent in shape[:2])
    mirrored, upside_down = rng.random(2) < 0.5
    part = _noise_tile()[y : y + shape[0], x : x + shape[1]]
    return np.ascontiguousarray(part[:: -1 if upside_down else 1, :: -1 if mirrored else 1])


@functools.lru_cache(maxsize=1)
def _noise_tile() -> np.ndarray:
    return np.random.Generator(np.random.SFC64(_TILE)).standard_normal((_TILE, _TILE, 3), np.float32)


def _bell(sigma: float) -> np.ndarray:
    """`[2 R + 1]` float32 Gaussian."""
    radius = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-np.square(np.arange(-radius, radius + 1) / max(sigma, 1e-3)) / 2)
    return (kernel / kernel.sum()).astype(np.float32)


def _disc(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps and weights of a disc with a soft edge of one pixel."""
    reach = math.ceil(radius + 0.5)
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    return _taps(steps, np.clip(radius + 0.5 - np.hypot(*steps.T), 0, 1))


def _path(length: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps and weights of a straight path: each of its points is shared between the pixels around it."""
    along = np.linspace(-length / 2, length / 2, 2 * math.ceil(length) + 1)
    points = along[:, None] * (math.sin(angle), math.cos(angle))
    reach = math.ceil(length / 2) + 1
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    shares = np.maximum(1 - np.abs(points[:, None] - steps), 0).prod(axis=-1)
    return _taps(steps, shares.sum(axis=0))


def _taps(steps: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used = weights > 1e-4
    return steps[used].astype(np.int32), (weights[used] / weights[used].sum()).astype(np.float32)


def _resampled(image: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """The picture made small and enlarged again, each by a filter that programs use."""
    height, width, _ = image.shape
    down, up = (_FILTERS[index] for index in rng.integers(len(_FILTERS), size=2))
    small = Image.fromarray(image).resize((max(1, round(width * scale)), max(1, round(height * scale))), down)
    return np.asarray(small.resize((width, height), up))


_FILTERS: Final = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)

_KNEE: Final = 0.6
"""Where the roll-off begins, linear."""

_TILE: Final = 512
"""Side of the picture of noise, pixels."""

_NOISELESS: Final = np.zeros((0, 0, 3), np.float32)

_LUMINANCE: Final = LUMINANCE.astype(np.float32)

_CURVE: Final = linear_to_srgb(
    roll_off(np.square(np.linspace(0, math.sqrt(image_kernels.TONE_END), image_kernels.TONE_STEPS + 1)))
).astype(np.float32)
"""What the camera makes of linear light, over its square root."""
