"""A contact sheet: what the images of a data set look like, with their labels drawn where asked."""

import io
import itertools
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import features
from trainer import contract
from trainer.morphable.model import MorphableModel

_MAGNIFICATION = 2
"""Drawn labels need room: images with landmarks are enlarged so many times."""

_VISIBLE, _HIDDEN, _BOX, _TEXT = (60, 255, 60), (255, 70, 70), (90, 170, 255), (255, 255, 120)


def contact_sheet(
    config: SyntheticFaceConfig, model: MorphableModel, count: int, landmarks: bool = False, columns: int | None = None
) -> np.ndarray:
    """`render_tiles`, arranged.

    Returns:
        `[H, W, 3]` uint8 sRGB.
    """
    return arrange(list(render_tiles(config, model, count, landmarks)), columns)


def render_tiles(
    config: SyntheticFaceConfig, model: MorphableModel, count: int, landmarks: bool = False
) -> Iterator[np.ndarray]:
    """Renders the first image of as many identities as there are, then their second images, and so on.

    Args:
        config: The data set.
        model: The face model.
        count: Number of images, at most the data set's.
        landmarks: Whether to draw landmarks (green where visible, red where hidden), boxes and poses; doubles the size.

    Yields:
        `[H, W, 3]` uint8 sRGB.

    Raises:
        ValueError: If the count is not positive or more than the data set holds.
    """
    if not 0 < count <= config.count:
        raise ValueError(f"`count` must be in [1, {config.count}]. Received: {count}")
    starts = range(0, config.count, config.views_per_identity)
    order = (start + view for view in range(config.views_per_identity) for start in starts)
    for index in itertools.islice((index for index in order if index < config.count), count):
        yield tile(features(config, model, index), landmarks)


def arrange(tiles: list[np.ndarray], columns: int | None = None) -> np.ndarray:
    """Pictures of one size row by row; None makes the sheet about square. What is left of the last row is black."""
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[start : start + columns], axis=1) for start in range(0, len(tiles), columns)]
    return np.concatenate(rows)


def tile(described: Mapping[str, Any], landmarks: bool) -> np.ndarray:
    """An example's picture.

    Args:
        described: The example's features by key of the contract.
        landmarks: Whether to draw landmarks, box and pose; doubles the size.

    Returns:
        `[H, W, 3]` uint8 sRGB.
    """
    image = Image.open(io.BytesIO(described[contract.IMAGE_ENCODED])).convert("RGB")
    if not landmarks:
        return np.asarray(image)
    image = image.resize([_MAGNIFICATION * side for side in image.size], Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    points = _MAGNIFICATION * described[contract.LANDMARKS_XY].reshape(-1, 2)
    for group, indices in contract.LANDMARK_GROUPS.items():
        line = [tuple(points[index]) for index in indices]
        draw.line(line + line[:1] if group in contract.CLOSED_GROUPS else line, fill=(255, 255, 255))
    for (x, y), visible in zip(points, described[contract.LANDMARKS_VISIBLE], strict=True):
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=_VISIBLE if visible else _HIDDEN)
    draw.rectangle([_MAGNIFICATION * float(value) for value in described[contract.FACE_BOX]], outline=_BOX)
    yaw, pitch, roll = described[contract.POSE_EULER]
    draw.text((3, 2), f"yaw {yaw:+.0f} pitch {pitch:+.0f} roll {roll:+.0f}", fill=_TEXT)
    slices = [described[contract.SKIN_TONE_BIN], described[contract.EXPRESSION_BIN]]
    slices += ["occluded"] if described[contract.OCCLUDED] else []
    draw.text((3, 13), ", ".join(slices), fill=_TEXT)
    return np.asarray(image)


def save_moving(tiles: list[np.ndarray], path: str | os.PathLike[str]) -> None:
    """Writes a moving GIF that goes there and back without end.

    Args:
        tiles: `[H, W, 3]` uint8 sRGB, of one size.
        path: The file to write.

    Raises:
        OSError: If it cannot be written.
    """
    first, *others = (Image.fromarray(picture) for picture in tiles + tiles[-2:0:-1])
    first.save(path, "GIF", save_all=True, append_images=others, duration=_MILLISECONDS, loop=0)


_MILLISECONDS = 80
"""Time that each view is shown."""
