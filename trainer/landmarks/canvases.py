"""Faces of a data set cut out once, with room around them, so that every epoch reads pixels instead of files.

A canvas is a square of one size, in which the box of the landmarks' longer side always has the same share. What lies outside of
the picture is black, as it is for the network when it serves.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.configuration import to_mapping
from trainer.imaging import alignment
from trainer.landmarks.config import CanvasConfig

VERSION: Final = 2
"""Goes up when the same examples would give other canvases."""

_COUNT = contract.LANDMARK_COUNT
_SETS = contract.LANDMARK_SETS
_LABELS: Final = ("points", "known", "yaw")
_FIELDS: Final = {
    contract.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string),
    contract.LANDMARKS_XY: tf.io.FixedLenFeature([_COUNT, 2], tf.float32),
    contract.LANDMARKS_SET: tf.io.FixedLenFeature([], tf.string),
    contract.FACE_BOX: tf.io.FixedLenFeature([4], tf.float32),
    contract.LANDMARKS_KNOWN: tf.io.FixedLenFeature([_COUNT], tf.float32, [1.0] * _COUNT),
    contract.LANDMARKS_OUTLINE_XY: tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True),
    contract.POSE_EULER: tf.io.FixedLenFeature([3], tf.float32, [float("nan")] * 3),
}


@dataclasses.dataclass(frozen=True)
class Canvases:
    """N faces."""

    images: np.ndarray
    """`[N, P, P, 3]` uint8 sRGB."""
    points: np.ndarray
    """`[N, 2, 68, 2]` float32, pixels of the canvas, in the sets of `contract.LANDMARK_SETS`; 0 where unknown."""
    known: np.ndarray
    """`[N, 2, 68]` float32: 1 where there is a point, else 0."""
    yaw: np.ndarray
    """`[N]` float32 degrees, NaN where the example does not tell."""

    def __len__(self) -> int:
        return len(self.images)


def build(
    shards: Sequence[str],
    config: CanvasConfig,
    directory: str | os.PathLike[str],
    report: Callable[[int], None] = lambda count: None,
) -> Canvases:
    """Cuts the faces out, or finds them cut out by an earlier run.

    Args:
        shards: GZIP TFRecord files of examples with landmarks and box, rendered or photographed.
        config: Size of the canvases.
        directory: Where to keep them: one folder for these shards, written whole or not at all.
        report: Called now and then with the number of faces that have come.

    Returns:
        The faces, their pixels mapped from the disk.

    Raises:
        ValueError: If there is no shard, none holds an example, or the folder holds the canvases of others.
    """
    if not shards:
        raise ValueError("`shards` must name at least one file. Received: none")
    folder = pathlib.Path(directory)
    try:
        inputs = [[str(path), tf.io.gfile.stat(path).length] for path in shards]
    except tf.errors.OpError as error:
        raise ValueError(f"Examples cannot be read: {error.message}") from error
    contents = json.dumps({"version": VERSION, "canvas": to_mapping(config), "shards": inputs}, indent=1)
    if folder.exists():
        known = folder / "contents.json"
        if not known.is_file() or known.read_text() != contents:
            raise ValueError(f"{folder} holds canvases of other examples. Take another folder or remove it.")
        return _mapped(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        unfinished = pathlib.Path(temporary) / "canvases"
        unfinished.mkdir(mode=0o755)
        try:
            _write(shards, config, unfinished, report)
        except tf.errors.OpError as error:
            raise ValueError(f"{shards[0]} and what is beside it: not examples of faces: {error.message}") from error
        (unfinished / "contents.json").write_text(contents)
        shutil.move(unfinished, folder)
    return _mapped(folder)


def cut(parsed: dict[str, Any], config: CanvasConfig) -> tuple[Any, Any, Any]:
    """One example's canvas.

    Args:
        parsed: The example's features.
        config: Size of the canvas.

    Returns:
        `[P, P, 3]` uint8, `[2, 68, 2]` points and `[2, 68]` which of them are known.
    """
    image = tf.io.decode_image(parsed[contract.IMAGE_ENCODED], channels=3, expand_animations=False)
    transform = alignment.crop_transform(parsed[contract.FACE_BOX], config.margin, config.size)
    pixels = alignment.crop_image(image, transform, config.size)
    own, known = alignment.to_crop(parsed[contract.LANDMARKS_XY], transform), parsed[contract.LANDMARKS_KNOWN]
    outline = parsed[contract.LANDMARKS_OUTLINE_XY]
    has_outline = tf.size(outline) > 0
    outline = tf.reshape(tf.cond(has_outline, lambda: outline, lambda: tf.zeros([2 * _COUNT])), [_COUNT, 2])
    points, weights = [], []
    for name in _SETS:
        is_own = parsed[contract.LANDMARKS_SET] == name
        other = alignment.to_crop(outline, transform)
        other_known = tf.cast(has_outline & (name == "outline"), tf.float32) * tf.ones([_COUNT])
        weight = tf.where(is_own, known, other_known)
        points.append(tf.where(is_own, own, other) * weight[:, None])
        weights.append(weight)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8), tf.stack(points), tf.stack(weights)


def _write(shards: Sequence[str], config: CanvasConfig, folder: pathlib.Path, report: Callable[[int], None]) -> None:
    """Streams canvases to the disk; only labels are held in memory."""
    records = tf.data.TFRecordDataset(list(shards), compression_type="GZIP")

    def one(record: Any) -> Any:
        parsed = tf.io.parse_single_example(record, _FIELDS)
        return (*cut(parsed, config), parsed[contract.POSE_EULER][0])

    cuts = records.map(one, num_parallel_calls=tf.data.AUTOTUNE).batch(64)
    labels, count = [], 0
    with (folder / "images.u8").open("wb") as file:
        for images, *some in cuts.prefetch(2).as_numpy_iterator():
            file.write(images.tobytes())
            labels.append(some)
            count += len(images)
            report(count)
    if not labels:
        raise ValueError(f"There is no example in {shards[0]} and the {len(shards) - 1} files beside it.")
    for name, arrays in zip(_LABELS, zip(*labels, strict=True), strict=True):
        np.save(folder / f"{name}.npy", np.concatenate(arrays))


def _mapped(folder: pathlib.Path) -> Canvases:
    labels = {name: np.load(folder / f"{name}.npy") for name in _LABELS}
    size = json.loads((folder / "contents.json").read_text())["canvas"]["size"]
    images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(len(labels["points"]), size, size, 3))
    return Canvases(images, **labels)
