"""Training pictures of the landmark network: heads in frames, dressed, with a camera's faults, batch after batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.imaging.augmentation import AugmentationConfig, change_appearance
from trainer.landmarks.config import LandmarkTrainingConfig
from trainer.landmarks.dressing import dress
from trainer.landmarks.placement import PlacedHead, parse_cutout, place

HAIR_SHARE = 0.85
CLOTHES_SHARE = 0.85
APPEARANCE = AugmentationConfig(
    brightness=0.15, contrast=0.4, gamma=0.0, color=0.15, gray=0.12, blur=0.3, noise=0.04, occlusion=0.2
)
_SHUFFLE_BUFFER = 2048
_ECHOES = 3
"""Batches made of the same placed heads, undressed: placing costs about as much as all that follows it."""
_ECHO_BUFFER = 16
_LARGEST_SEED = 2**31 - 1


def training_batches(
    shards: Sequence[str], backgrounds: np.ndarray, config: LandmarkTrainingConfig, first_step: int = 0
) -> tf.data.Dataset:
    """Endless batches of pictures and labels.

    Args:
        shards: TFRecord files of cut-outs (see `placement.parse_cutout`).
        backgrounds: `[N, P, P, 3]` uint8 pictures to put heads in front of, P at least the network's image size.
        config: The training.
        first_step: Step of the first batch: pictures differ from step to step and after a resumption.

    Returns:
        Pairs of `[B, S, S, 3]` float32 images in [0, 1] and `[B, 68, 2]` points, pixels.
    """
    if not shards:
        raise ValueError("`shards` must name at least one file. Received: none")
    start = (config.seed * 1_000_003 + first_step) % _LARGEST_SEED
    files = tf.data.Dataset.from_tensor_slices(list(shards)).shuffle(len(shards), seed=start).repeat()
    records = files.interleave(tf.data.TFRecordDataset, cycle_length=8).shuffle(_SHUFFLE_BUFFER, seed=start)
    numbers = tf.data.Dataset.counter(first_step * config.batch_size // _ECHOES)

    def one(number: Any, serialized: Any) -> PlacedHead:
        picture, points, euler = parse_cutout(serialized)
        return place(picture, points, euler, config, tf.stack([tf.cast(config.seed, tf.int64), number]))

    pool = tf.constant(backgrounds)

    def finish(step: Any, heads: Any) -> tuple[Any, Any]:
        return finish_pictures(heads, pool, config, tf.stack([tf.cast(config.seed, tf.int64) + 1, step]))

    heads = tf.data.Dataset.zip((numbers, records)).map(one, num_parallel_calls=2)
    batches = heads.batch(config.batch_size, drop_remainder=True)
    batches = batches.flat_map(lambda batch: tf.data.Dataset.from_tensors(batch).repeat(_ECHOES))
    batches = batches.shuffle(_ECHO_BUFFER, seed=start)
    steps = tf.data.Dataset.counter(first_step)
    return tf.data.Dataset.zip((steps, batches)).map(finish, num_parallel_calls=1).prefetch(3)


def finish_pictures(heads: PlacedHead, pool: Any, config: LandmarkTrainingConfig, seed: Any) -> tuple[Any, Any]:
    """Frames, hair, clothes, bars and camera faults around a batch of heads.

    Args:
        heads: Batched.
        pool: `[N, P, P, 3]` uint8 backgrounds.
        config: The training.
        seed: `[2]` int, stateless.

    Returns:
        As `training_batches`.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    size, count = config.network.image_size, tf.shape(heads.picture)[0]
    frames, textures = _frames(pool, count, size, seeds[0]), _frames(pool, count, size, seeds[1])
    pictures = dress(frames, heads, textures, seeds[2], HAIR_SHARE, CLOTHES_SHARE)
    is_empty = tf.random.stateless_uniform([count, 1, 1, 1], seeds[3]) < config.empty_share
    pictures = tf.where(is_empty, frames, pictures)
    pictures = change_appearance(pictures, APPEARANCE, seeds[4])
    pictures = _compress(pictures, seeds[5])
    grid = tf.range(size, dtype=tf.float32) + 0.5
    x0, y0, x1, y1 = (edge[:, None, None] for edge in tf.unstack(heads.content, axis=-1))
    covered = (grid >= x0) & (grid < x1) & (grid[:, None] >= y0) & (grid[:, None] < y1)
    pictures *= tf.cast(covered, tf.float32)[..., None]
    return tf.ensure_shape(pictures, [None, size, size, 3]), heads.points[..., :2]


def _frames(pool: Any, count: Any, size: int, seed: Any) -> Any:
    """`[count, size, size, 3]` random squares of random backgrounds, mirrored half of the time."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    chosen = tf.random.stateless_uniform([count], seeds[0], 0, tf.shape(pool)[0], tf.int32)
    draw = tf.unstack(tf.random.stateless_uniform([4, count], seeds[1]))
    side = 0.4 + 0.6 * draw[0]
    x, y = (1 - side) * draw[1], (1 - side) * draw[2]
    left, right = tf.where(draw[3] < 0.5, x, x + side), tf.where(draw[3] < 0.5, x + side, x)
    boxes = tf.stack([y, left, y + side, right], axis=-1)
    pictures = tf.cast(tf.gather(pool, chosen), tf.float32) / 255.0
    return tf.image.crop_and_resize(pictures, boxes, tf.range(count), [size, size])


def _compress(pictures: Any, seed: Any) -> Any:
    """Passes an eighth of the pictures through a JPEG file, and another through a lower resolution."""
    share = tf.shape(pictures)[0] // 8
    qualities = tf.random.stateless_uniform([share], seed, 25, 95, tf.int32)

    def through_jpeg(picture_and_quality: Any) -> Any:
        picture, quality = picture_and_quality
        return tf.ensure_shape(tf.image.adjust_jpeg_quality(picture, quality), pictures.shape[1:])

    compressed = tf.map_fn(through_jpeg, (pictures[:share], qualities), fn_output_signature=tf.float32)
    size = pictures.shape[1]
    low = tf.random.stateless_uniform([], seed, size // 4, size // 2, tf.int32)
    coarse = tf.image.resize(pictures[share : 2 * share], [low, low], method="area")
    coarse = tf.image.resize(coarse, [size, size])
    return tf.concat([compressed, coarse, pictures[2 * share :]], axis=0)
