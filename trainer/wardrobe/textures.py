"""Pictures of garments, made small: cut to what is used, grey where they are dyed, no halo where they are cut out."""

import io
from collections.abc import Iterable
from typing import Final

import numpy as np
import scipy.ndimage
from PIL import Image, ImageDraw

from trainer.rendering.color import linear_to_srgb, srgb_to_linear

LUMINANCE: Final = (0.2126, 0.7152, 0.0722)
"""Of linear sRGB (ITU-R BT.709)."""
GREY_MEAN: Final = 0.35
"""Mean linear value of a grey texture where it is opaque: light detail has room above."""
BORDER: Final = 2
"""Texels around what is used that are kept."""


def cropped(
    picture: np.ndarray, uv: np.ndarray, triangles: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The used rectangle of a picture, resampled to at most `size` texels a side.

    Args:
        picture: `[H, W, 4]` uint8 sRGB and straight alpha.
        uv: `[N, 2]` coordinates, v upwards; clamped to [0, 1].
        triangles: `[T, 3]`: texels that none of them covers take the colour of the nearest that is covered.
        size: Longest side of the result, texels.

    Returns:
        `[h, w, 4]` uint8, `[N, 2]` float32 coordinates in it, `[h, w]` float32 share of each texel that is used.
    """
    height, width = picture.shape[:2]
    uv = np.clip(uv, 0, 1)
    pixels = np.stack([uv[:, 0] * width, (1 - uv[:, 1]) * height], axis=1)
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - BORDER, 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + BORDER, (width, height))
    used = usage((height, width), pixels, triangles)
    part, used = picture[low[1] : high[1], low[0] : high[0]], used[low[1] : high[1], low[0] : high[0]]
    part = bled(part, used)
    scale = min(1.0, size / max(part.shape[:2]))
    rows, columns = (max(1, round(side * scale)) for side in part.shape[:2])
    share = np.asarray(Image.fromarray(used.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX))
    placed = (pixels - low) / (high - low)
    placed = np.stack([placed[:, 0], 1 - placed[:, 1]], axis=1).astype(np.float32)
    return resampled(part, (rows, columns)), placed, share


def usage(shape: tuple[int, int], pixels: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """`[H, W]` bool: texels that triangles with corners at `pixels` `[N, 2]` (x right, y down) touch."""
    image = Image.new("1", (shape[1], shape[0]))
    pen = ImageDraw.Draw(image)
    for corners in pixels[triangles]:
        pen.polygon([(float(x), float(y)) for x, y in corners], fill=1, outline=1)
    return np.asarray(image, bool)


def resampled(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A picture at another size, averaged in linear light, colours weighted by alpha.

    Args:
        picture: `[H, W, 4]` uint8 sRGB and straight alpha.
        shape: Height and width of the result.

    Returns:
        `[h, w, 4]` uint8.
    """
    alpha = picture[..., 3].astype(np.float32) / 255
    color = np.asarray(srgb_to_linear(picture[..., :3].astype(np.float32) / 255), np.float32)
    weight = np.maximum(alpha, 1e-3)
    size = (shape[1], shape[0])

    def shrink(plane: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(np.ascontiguousarray(plane, np.float32)).resize(size, Image.Resampling.BOX))

    total = shrink(weight)
    planes = [shrink(color[..., channel] * weight) / total for channel in range(3)]
    return encoded(np.stack(planes, axis=-1), shrink(alpha))


def encoded(color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """`[H, W, 4]` uint8 texture of linear RGB `[H, W, 3]` and alpha `[H, W]`, both in [0, 1]."""
    shown = np.asarray(linear_to_srgb(np.clip(color, 0, 1).astype(np.float32)))
    values = np.concatenate([shown, np.clip(alpha, 0, 1)[..., None]], axis=-1)
    return np.round(255 * values).astype(np.uint8)


def bled(picture: np.ndarray, used: np.ndarray) -> np.ndarray:
    """A texture whose transparent or unused texels have the colour of the nearest that is neither.

    Args:
        picture: `[H, W, 4]` uint8.
        used: `[H, W]` bool.
    """
    opaque = next((part for part in (picture[..., 3] > 127, picture[..., 3] > 0) if (part & used).any()), None)
    if opaque is None or (opaque & used).all():
        return picture
    rows, columns = scipy.ndimage.distance_transform_edt(~(opaque & used), return_distances=False, return_indices=True)
    result = picture.copy()
    result[..., :3] = picture[rows, columns, :3]
    return result


def greyed(picture: np.ndarray, share: np.ndarray | None = None, spread: float = np.inf) -> np.ndarray:
    """A texture as grey detail, to be dyed: its luminance at a mean of `GREY_MEAN`.

    Args:
        picture: `[H, W, 4]` uint8 sRGB and straight alpha.
        share: `[H, W]` how much of each texel is used; None is all.
        spread: Greatest standard deviation of the luminance's logarithm; more contrast is lowered to that.

    Returns:
        The same shape and type; three equal channels.
    """
    linear = np.asarray(srgb_to_linear(picture[..., :3].astype(np.float32) / 255)) @ np.array(LUMINANCE, np.float32)
    weight = _weight(picture, share)
    logarithm = np.log(np.maximum(linear / max(float(np.average(linear, weights=weight)), 1e-4), 0.02))
    logarithm -= np.average(logarithm, weights=weight)
    deviation = float(np.sqrt(np.average(np.square(logarithm), weights=weight)))
    detail = np.exp(logarithm * min(1.0, spread / max(deviation, 1e-6)))
    for _ in range(4):
        detail = np.minimum(detail / np.average(detail, weights=weight), 1 / GREY_MEAN)
    return encoded(np.repeat(GREY_MEAN * detail[..., None], 3, axis=-1), picture[..., 3].astype(np.float32) / 255)


def thickened(picture: np.ndarray, softness: float, gain: float) -> np.ndarray:
    """A picture `[H, W, 4]` uint8 whose alpha is smoothed (standard deviation, texels) and multiplied."""
    alpha = gain * scipy.ndimage.gaussian_filter(picture[..., 3].astype(np.float64), softness)
    return np.concatenate([picture[..., :3], np.minimum(alpha, 255)[..., None].astype(np.uint8)], axis=-1)


def plain(picture: np.ndarray, patches: Iterable[tuple[float, float, float, float, float, float]]) -> np.ndarray:
    """A picture with rectangles painted over by others of it: prints on shirts that every render would share.

    Args:
        picture: `[H, W, 4]` uint8.
        patches: Left, top, right and bottom, and how far to the right and down the cloth lies that they are covered with; shares
            of the picture's sides.
    """
    result = picture.copy()
    height, width = picture.shape[:2]
    for left, top, right, bottom, across, down in patches:
        rows = np.arange(round(top * height), round(bottom * height))
        columns = np.arange(round(left * width), round(right * width))
        source = np.ix_(rows + round(down * height), columns + round(across * width))
        result[np.ix_(rows, columns)] = picture[source]
    return result


def mean_color(texture: np.ndarray, share: np.ndarray | None = None) -> tuple[float, float, float]:
    """Mean linear RGB of a texture over what is opaque and used, at least 1/255 a channel."""
    linear = np.asarray(srgb_to_linear(texture[..., :3].astype(np.float32) / 255))
    weight = _weight(texture, share)[..., None]
    mean = np.maximum((linear * weight).sum(axis=(0, 1)) / weight.sum(), 1 / 255)
    return float(mean[0]), float(mean[1]), float(mean[2])


def _weight(texture: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """`[H, W]` by which texels count."""
    return texture[..., 3] / 255 * (1.0 if share is None else share) + 1e-6


def to_png(texture: np.ndarray) -> bytes:
    """PNG of a texture `[H, W, 4]` uint8: grey and opaque ones take fewer channels."""
    grey = (texture[..., :1] == texture[..., 1:3]).all()
    opaque = (texture[..., 3] == 255).all()
    if grey:
        image = Image.fromarray(texture[..., 0]) if opaque else Image.fromarray(texture[..., [0, 3]], "LA")
    else:
        image = Image.fromarray(texture[..., :3]) if opaque else Image.fromarray(texture)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
