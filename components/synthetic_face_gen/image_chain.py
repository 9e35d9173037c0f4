"""From light to a file, in a camera's order: blur, noise, gain, tone, grey, JPEG. Noise belongs to linear light.

Noise after Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019): shot variance log-uniform, read
variance log-linear in it.
"""

from typing import Final

import numpy as np
from scipy import ndimage

from components.synthetic_face_gen.config import SyntheticFaceConfig
from trainer.imaging import codecs
from trainer.rendering.color import linear_to_srgb
from trainer.rendering.lighting import LUMINANCE


def develop(light: np.ndarray, config: SyntheticFaceConfig, rng: np.random.Generator) -> bytes:
    """Takes the picture.

    Args:
        light: `[H, W, 3]` linear, 1 is where the sensor saturates.
        config: Its `image_chain` and `jpeg_quality` are used.
        rng: Source of randomness.

    Returns:
        A JPEG file, sRGB.
    """
    chain = config.image_chain
    if rng.random() < chain.blur_fraction:
        sigma = rng.uniform(*chain.blur)
        light = ndimage.gaussian_filter(light, (sigma, sigma, 0), mode="nearest")
    if rng.random() < chain.noise_fraction:
        log_shot = rng.uniform(*np.log(chain.shot_noise))
        log_read = 2.18 * log_shot + 1.2 + rng.normal(0, 0.26)
        variance = np.exp(log_shot) * np.clip(light, 0, 1) + np.exp(log_read)
        light = light + rng.standard_normal(light.shape) * np.sqrt(variance)
    light = light * np.exp(rng.normal(0, chain.gain_spread, 3))
    signal = np.asarray(linear_to_srgb(roll_off(np.maximum(light, 0)).astype(np.float32)))
    contrast = rng.uniform(*chain.contrast)
    signal = (1 - contrast) * signal + contrast * signal**2 * (3 - 2 * signal)
    if rng.random() < chain.grey_fraction:
        signal = np.repeat((signal @ LUMINANCE)[..., None], 3, axis=-1)
    quality = config.jpeg_quality
    if rng.random() < chain.jpeg_fraction:
        quality = int(rng.integers(chain.jpeg_range[0], chain.jpeg_range[1] + 1))
    return codecs.encode_jpeg(np.round(signal * 255).astype(np.uint8), quality)


def roll_off(light: np.ndarray) -> np.ndarray:
    """Bends highlights towards white instead of clipping them, as every camera's tone curve does.

    Args:
        light: Linear, 0 or more, any shape.

    Returns:
        The same up to the knee, above it less than 1; slope and value have no jump.
    """
    above = np.maximum(light - _KNEE, 0)
    return np.minimum(light, _KNEE) + (1 - _KNEE) * -np.expm1(-above / (1 - _KNEE))


_KNEE: Final = 0.6
"""Where the roll-off begins, linear."""
