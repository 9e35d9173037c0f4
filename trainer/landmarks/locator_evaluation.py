"""How well faces are found: on photos whose face is known, and on pictures that have none."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from trainer.imaging.codecs import encode_png
from trainer.imaging.decoding import decode_photos
from trainer.landmarks.finder import THRESHOLD, WHOLE, FaceNetworks, Views, find_all_faces, locate_faces

_BATCH = 32
_TILE = 200


class Located(NamedTuple):
    """What the locator says of pictures."""

    box: np.ndarray
    """`[N, 4]` the most prominent box of each, pixels."""
    score: np.ndarray
    """`[N]` its score."""
    faces: np.ndarray
    """`[N]` how many boxes of each count as faces."""


def located(
    locator: keras.Model, pictures: Sequence[np.ndarray], views: Views = WHOLE, threshold: float = THRESHOLD
) -> Located:
    """Runs the locator as the finder does.

    Args:
        locator: See `trainer.landmarks.locator.build`.
        pictures: `[H, W, 3]` uint8 each.
        views: What it looks at.
        threshold: Score from which a box counts as a face.
    """
    answer = tf.function(
        lambda contents: locate_faces(locator, decode_photos(contents), views),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    found = []
    for start in range(0, len(pictures), _BATCH):
        boxes, scores = (
            value.numpy()
            for value in answer(tf.constant([encode_png(picture) for picture in pictures[start : start + _BATCH]]))
        )
        size = (boxes[..., 2:] - boxes[..., :2]).max(axis=-1)
        best = np.where(scores >= threshold, 1 + scores * size, scores).argmax(axis=1)
        rows = np.arange(len(best))
        found.append((boxes[rows, best], scores[rows, best], (scores >= threshold).sum(axis=1)))
    return Located(*(np.concatenate(values) for values in zip(*found, strict=True)))


def confirmed(networks: FaceNetworks, pictures: Sequence[np.ndarray], margin: float) -> list[np.ndarray]:
    """What counts as a face once the landmark network has looked: see `trainer.landmarks.finder.find_all_faces`.

    Args:
        networks: The locator and the landmark network.
        pictures: `[H, W, 3]` uint8 each.
        margin: Of the landmark network's crops.

    Returns:
        `[K, 4]` boxes of each picture, pixels; K may be 0.
    """
    answer = tf.function(
        lambda contents: find_all_faces(networks, decode_photos(contents), margin),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    boxes = []
    for start in range(0, len(pictures), _BATCH):
        contents = [encode_png(picture) for picture in pictures[start : start + _BATCH]]
        owners, found = answer(tf.constant(contents))
        boxes += [found.box.numpy()[owners.numpy() == index] for index in range(len(contents))]
    return boxes


def overlaps(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes with true ones.

    Args:
        boxes: `[N, 4]` x0, y0, x1, y1.
        truth: `[N, 4]`.

    Returns:
        `[N]` in [0, 1].
    """
    low, high = np.maximum(boxes[:, :2], truth[:, :2]), np.minimum(boxes[:, 2:], truth[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(np.maximum(box[:, 2:] - box[:, :2], 0), axis=1) for box in (boxes, truth)]
    return common / np.maximum(areas[0] + areas[1] - common, 1e-9)


def picture_sheet(
    pictures: Sequence[np.ndarray], found: Located, truth: np.ndarray | None, chosen: Sequence[int], columns: int = 8
) -> np.ndarray:
    """Pictures with the true boxes (green) and the found ones (red), the overlap where there is a true one, and the score.

    Args:
        pictures: `[H, W, 3]` uint8 each.
        found: Of all pictures.
        truth: `[N, 4]` pixels, or None where there is no face.
        chosen: Which pictures, in the order of the sheet.
        columns: Pictures in a row.

    Returns:
        `[H, W, 3]` uint8.
    """
    from PIL import Image, ImageDraw

    rows = -(-len(chosen) // columns)
    sheet = Image.new("RGB", (columns * _TILE, rows * _TILE))
    matched = None if truth is None else overlaps(found.box, truth)
    for place, index in enumerate(chosen):
        height, width = pictures[index].shape[:2]
        scale = _TILE / max(height, width)
        tile = Image.fromarray(pictures[index]).resize((round(width * scale), round(height * scale)))
        draw = ImageDraw.Draw(tile)
        if truth is not None:
            draw.rectangle([float(value) * scale for value in truth[index]], outline=(0, 255, 0))
        draw.rectangle([float(value) * scale for value in found.box[index]], outline=(255, 0, 0))
        overlap = "" if matched is None else f"overlap {matched[index]:.2f} "
        draw.text((3, 2), f"{overlap}score {found.score[index]:.2f}", fill=(255, 255, 0))
        sheet.paste(tile, (place % columns * _TILE, place // columns * _TILE))
    return np.asarray(sheet)
