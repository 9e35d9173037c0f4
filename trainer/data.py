"""From shards of `tf.Example`s to batches of face crops with exact labels.

A batch is `(inputs, labels)`:

- inputs `image` `[B, S, S, 3]` sRGB in [0, 1], `landmarks` `[B, 68, 2]` crop pixels with a detector's kind of error,
  `landmarks_present` `[B, 68]` 1 where the point is given;
- labels `landmarks` `[B, 68, 3]` crop frame, pixels; `landmark_weights` `[B, 68]`, 0 where the example's landmark set means
  another point than `basel`; `camera` `[B, 3, 4]` scaled orthographic, crop frame; `shape` `[B, Ks]`; `expression`
  `[B, Ke]`; `has_parameters` `[B]` 1 where camera, shape, expression and z are known, 0 for photos.

Photos may be mirrored, because their labels are points alone. Faces with parameters are not: the mirror image of an identity or
expression mode is no combination of the model's modes in general (of the default head's, by up to 0.25 and 2 mm), so there are
no exact parameters of a mirrored face.

The camera of a perspective render is the scaled orthographic one nearest to its 68 landmarks, depth included, in least
squares. All randomness is stateless in (seed, position in the stream), so that the batch of a step is the same in every run
and a resumed run goes on where the killed one stopped.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.imaging import alignment, augmentation
from trainer.imaging.augmentation import AugmentationConfig
from trainer.rendering import camera as cameras

Batch = tuple[dict[str, Any], dict[str, Any]]

LABELS: Final = (
    contract.DOMAIN,
    contract.FACE_BOX,
    contract.LANDMARKS_XY,
    contract.LANDMARKS_Z,
    contract.LANDMARKS_SET,
    contract.CAMERA_KIND,
    contract.CAMERA_MATRIX,
    contract.MORPHABLE_SHAPE,
    contract.MORPHABLE_EXPRESSION,
)
"""What rendered faces must carry beside the image."""

_SHUFFLE_BUFFER = 4_096
_JAW = contract.LANDMARK_GROUPS["jaw"]


@dataclasses.dataclass(frozen=True)
class InputOptions:
    """What a model wants to be fed with."""

    image_size: int = 120
    """Side of the crop, pixels."""
    margin: float = 0.25
    """Margin around the landmarks' box, fraction of its longer side, on every side."""
    shape_count: int = 40
    """Identity coefficients in the labels: the model's first ones, zeros where an example has fewer."""
    expression_count: int = 10
    """Expression coefficients in the labels."""
    batch_size: int = 32
    """Crops a batch."""
    photo_fraction: float = 0.0
    """Share of photos in a batch where there are photos, in [0, 1)."""
    augmentation: AugmentationConfig = dataclasses.field(default_factory=AugmentationConfig)
    """What happens to training crops."""
    landmark_noise: float = 0.0
    """Largest standard deviation of the error of the given landmarks, fraction of the crop's side."""
    landmark_dropout: float = 0.0
    """Largest share of landmarks that are not given, in [0, 1]."""
    seed: int = 0
    """Seed of order and draws."""


def find_files(pattern: str) -> list[str]:
    """Files that match a pattern, in order.

    Raises:
        ValueError: If there is none.
    """
    files = sorted(tf.io.gfile.glob(pattern))
    if not files:
        raise ValueError(f"No examples: no file matches `{pattern}`.")
    return files


def has_records(files: Sequence[str]) -> bool:
    """Whether there is an example in any of the GZIP TFRecord files."""
    return any(True for _ in tf.data.TFRecordDataset(list(files), compression_type="GZIP").take(1))


def training_batches(
    synthetic: Sequence[str],
    photos: Sequence[str],
    options: InputOptions,
    basis: tuple[np.ndarray, np.ndarray, np.ndarray],
    first_step: int = 0,
) -> tf.data.Dataset:
    """Endless augmented batches.

    Args:
        synthetic: GZIP TFRecord files of rendered faces.
        photos: The same of photos with landmarks; may be empty.
        options: What the model wants.
        basis: `MorphableModel.landmark_basis()`: mean `[68, 3]`, identity `[K, 68, 3]`, expression `[K, 68, 3]`.
        first_step: Batches to leave out at the start, because they have been trained on.

    Returns:
        Batches `(inputs, labels)` of a fixed size.
    """
    photo_count = round(options.photo_fraction * options.batch_size) if photos else 0
    counts = {"synthetic": options.batch_size - photo_count, "photo": photo_count}
    streams = []
    for salt, (files, count) in enumerate(((synthetic, counts["synthetic"]), (photos, counts["photo"]))):
        if count:
            records = tf.data.TFRecordDataset(list(files), compression_type="GZIP")
            records = records.shuffle(_SHUFFLE_BUFFER, seed=options.seed + salt, reshuffle_each_iteration=True).repeat()
            records = records.skip(first_step * count).enumerate(first_step * count)
            reader = _Reader(options, basis, salt, training=True)
            streams.append(records.map(reader.read, tf.data.AUTOTUNE).batch(count, drop_remainder=True))
    batches = streams[0] if len(streams) == 1 else tf.data.Dataset.zip(*streams).map(_join)
    finisher = _Finisher(options, training=True)
    batches = batches.enumerate(first_step).map(finisher.finish, tf.data.AUTOTUNE)
    return batches.prefetch(2).with_options(_options())


def evaluation_batches(
    files: Sequence[str], options: InputOptions, basis: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tf.data.Dataset:
    """Every face once, in order, not augmented; the given landmarks have the error of `options.landmark_noise`.

    Args:
        files: GZIP TFRecord files.
        options: What the model wants.
        basis: See `training_batches`.
    """
    reader, finisher = _Reader(options, basis, 0, training=False), _Finisher(options, training=False)
    records = tf.data.TFRecordDataset(list(files), compression_type="GZIP")
    # Keras takes an end it was not told of for a mistake.
    count = int(records.reduce(np.int64(0), lambda total, _: total + 1))
    batches = records.enumerate().map(reader.read, tf.data.AUTOTUNE).batch(options.batch_size)
    batches = batches.enumerate().map(finisher.finish, tf.data.AUTOTUNE).prefetch(2)
    known = batches.apply(tf.data.experimental.assert_cardinality(math.ceil(count / options.batch_size)))
    return known.with_options(_options())


def parameter_batches(
    files: Sequence[str], options: InputOptions, basis: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tf.data.Dataset:
    """The parameters that training will ask for, each face once with one draw of the augmentation; no image is decoded.

    Returns:
        Batches `[B, 12 + Ks + Ke]`: camera row by row, shape, expression.
    """
    reader = _Reader(options, basis, 0, training=True)
    records = tf.data.TFRecordDataset(list(files), compression_type="GZIP").enumerate()
    return records.map(reader.parameters, tf.data.AUTOTUNE).batch(256).with_options(_options())


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return options


def _join(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """One batch of two."""
    return {key: tf.concat([first[key], second[key]], axis=0) for key in first}


class _Reader:
    """From one serialised example to one crop, square and with room to be turned, and its labels."""

    def __init__(self, options: InputOptions, basis: Any, salt: int, training: bool) -> None:
        self.options = options
        self.basis = [np.asarray(part, np.float32) for part in basis]
        self.seed = (options.seed * 2 + salt) & 0x7FFFFFFF
        self.augmentation = options.augmentation if training else AugmentationConfig.none()
        self.padded = augmentation.padded_size(self.augmentation, options.image_size)

    def read(self, index: Any, serialized: Any) -> dict[str, Any]:
        """Everything about one face."""
        example, labels, box, geometry = self._labels(index, serialized)
        image = tf.io.decode_image(example[contract.IMAGE_ENCODED], channels=3, expand_animations=False)
        image = tf.ensure_shape(tf.cast(image, tf.float32) / 255.0, [None, None, 3])
        pixels, _ = augmentation.crop(image, box, self.options.margin, self.options.image_size, self.padded)
        pixels = tf.where(geometry.is_mirrored, augmentation.mirror_image(pixels), pixels)
        return {**labels, "image": pixels, "angle": geometry.angle}

    def parameters(self, index: Any, serialized: Any) -> Any:
        """The parameter vector of one face."""
        _, labels, _, _ = self._labels(index, serialized)
        return tf.concat([tf.reshape(labels["camera"], [-1]), labels["shape"], labels["expression"]], axis=0)

    def _labels(self, index: Any, serialized: Any) -> tuple[dict[str, Any], dict[str, Any], Any, augmentation.Geometry]:
        """The parsed example, its labels in the crop's frame, the box that is cropped, and the turn."""
        options = self.options
        example = tf.io.parse_single_example(serialized, _feature_spec())
        seed = tf.stack([tf.constant(self.seed), tf.cast(index & 0x7FFFFFFF, tf.int32)])
        known = tf.equal(example[contract.DOMAIN], contract.DOMAIN_SYNTHETIC)
        geometry = augmentation.sample_geometry(self.augmentation, seed)
        geometry = geometry._replace(is_mirrored=geometry.is_mirrored & ~known)
        box = augmentation.jitter_box(example[contract.FACE_BOX], geometry)
        transform = alignment.crop_transform(box, options.margin, options.image_size)

        points = tf.concat(
            [tf.reshape(example[contract.LANDMARKS_XY], [-1, 2]), example[contract.LANDMARKS_Z][:, None]], axis=1
        )
        shape = _resized(example[contract.MORPHABLE_SHAPE].values, self.basis[1].shape[0])
        expression = _resized(example[contract.MORPHABLE_EXPRESSION].values, self.basis[2].shape[0])
        model_points = (
            self.basis[0] + tf.tensordot(shape, self.basis[1], 1) + tf.tensordot(expression, self.basis[2], 1)
        )
        stored = tf.reshape(example[contract.CAMERA_MATRIX], [3, 4])
        orthographic = tf.equal(example[contract.CAMERA_KIND], contract.SCALED_ORTHOGRAPHIC)
        matrix = tf.where(orthographic, stored, nearest_orthographic(model_points, points))
        matrix = augmentation.rotate_camera(cameras.crop_matrix(matrix, transform), geometry.angle, options.image_size)

        basel = tf.equal(example[contract.LANDMARKS_SET], contract.LANDMARK_SETS[0])
        jaw = np.isin(np.arange(contract.LANDMARK_COUNT), _JAW)
        seen = alignment.to_crop(points, transform)
        seen = tf.where(geometry.is_mirrored, augmentation.mirror_points(seen, float(options.image_size)), seen)
        labels = {
            "landmarks": augmentation.rotate_points(seen, geometry.angle, options.image_size),
            # The jaw as a whole: the same weights for a mirrored face.
            "landmark_weights": tf.cast(basel | ~tf.constant(jaw), tf.float32),
            "camera": tf.where(known, matrix, tf.zeros_like(matrix)),
            "shape": _resized(shape, options.shape_count),
            "expression": _resized(expression, options.expression_count),
            "has_parameters": tf.cast(known, tf.float32),
        }
        return example, labels, box, geometry


class _Finisher:
    """From a batch of square crops to `(inputs, labels)`."""

    def __init__(self, options: InputOptions, training: bool) -> None:
        self.options = options
        self.training = training

    def finish(self, step: Any, batch: dict[str, Any]) -> Batch:
        """Turns, changes appearance, and gives the landmarks a detector's error."""
        options = self.options
        seed = tf.stack([tf.constant(options.seed ^ 0x5EED), tf.cast(step & 0x7FFFFFFF, tf.int32)])
        image_seed, noise_seed, dropout_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
        images, angles = batch.pop("image"), batch.pop("angle")
        if self.training:
            if options.augmentation.rotation:
                images = augmentation.rotate_images(images, angles, options.image_size)
            images = augmentation.change_appearance(images, options.augmentation, image_seed)
        given = batch["landmarks"][..., :2]
        if options.landmark_noise:
            given += detector_error(given, options.landmark_noise * options.image_size, noise_seed)
        present = tf.ones_like(given[..., 0])
        if self.training and options.landmark_dropout:
            draw = tf.random.stateless_uniform([tf.shape(given)[0], contract.LANDMARK_COUNT + 1], dropout_seed)
            present = tf.cast(draw[:, 1:] >= options.landmark_dropout * draw[:, :1], tf.float32)
        return {"image": images, "landmarks": given, "landmarks_present": present}, batch


def detector_error(points: Any, deviation: float, seed: Any) -> Any:
    """Errors as a landmark network makes them: a share that all points have in common, and a share of each point's own.

    The common share is a shift and a linear map about the face's centre (too large, turned, sheared); without it a network would
    learn to average the noise away. The size of the error is drawn per face, from none to twice the deviation.

    Args:
        points: `[B, 68, 2]` pixels.
        deviation: Standard deviation of each share, pixels.
        seed: `[2]` int32, stateless.

    Returns:
        `[B, 68, 2]` to be added.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    count = tf.shape(points)[0]
    size = deviation * tf.random.stateless_uniform([count, 1, 1], seeds[0], 0.0, 2.0)
    centered = points - tf.reduce_mean(points, axis=1, keepdims=True)
    unit = centered / tf.maximum(tf.math.reduce_std(centered, axis=1, keepdims=True), 1e-6)
    common = tf.matmul(unit, 0.5 * tf.random.stateless_normal([count, 2, 2], seeds[1]))
    common += 0.5 * tf.random.stateless_normal([count, 1, 2], seeds[2])
    return size * (common + tf.random.stateless_normal(tf.shape(points), seeds[3]))


def nearest_orthographic(model_points: Any, image_points: Any) -> Any:
    """The scaled orthographic camera that brings model points nearest to image points, depth included (orthogonal Procrustes).

    Args:
        model_points: `[N, 3]` model frame, millimetres.
        image_points: `[N, 3]` image frame, pixels.

    Returns:
        `[3, 4]`, t_z 0. Meaningless, but finite, for points that do not determine it.
    """
    flip = tf.constant([1.0, -1.0, -1.0])
    model_mean, image_mean = tf.reduce_mean(model_points, axis=0), tf.reduce_mean(image_points, axis=0)
    source, target = model_points - model_mean, (image_points - image_mean) * flip
    singular, u, v = tf.linalg.svd(tf.matmul(target, source, transpose_a=True))
    sign = tf.where(tf.linalg.det(tf.matmul(u, v, transpose_b=True)) < 0.0, -1.0, 1.0)
    signs = tf.stack([1.0, 1.0, sign])
    scale = tf.reduce_sum(singular * signs) / tf.maximum(tf.reduce_sum(tf.square(source)), 1e-6)
    linear = scale * tf.matmul(u * signs, v, transpose_b=True)
    shift = (image_mean - flip * tf.linalg.matvec(linear, model_mean)) * tf.constant([1.0, 1.0, 0.0])
    return tf.concat([linear, shift[:, None]], axis=1)


def _feature_spec() -> dict[str, Any]:
    """How examples are parsed. What a photo lacks has a default; an example without image, box or landmarks is an error."""
    fixed, varying = tf.io.FixedLenFeature, tf.io.VarLenFeature(tf.float32)
    return {
        contract.IMAGE_ENCODED: fixed([], tf.string),
        contract.DOMAIN: fixed([], tf.string),
        contract.FACE_BOX: fixed([4], tf.float32),
        contract.LANDMARKS_XY: fixed([2 * contract.LANDMARK_COUNT], tf.float32),
        contract.LANDMARKS_Z: fixed([contract.LANDMARK_COUNT], tf.float32, [0.0] * contract.LANDMARK_COUNT),
        contract.LANDMARKS_SET: fixed([], tf.string),
        contract.CAMERA_KIND: fixed([], tf.string, contract.SCALED_ORTHOGRAPHIC),
        contract.CAMERA_MATRIX: fixed([12], tf.float32, [0.0] * 12),
        contract.MORPHABLE_SHAPE: varying,
        contract.MORPHABLE_EXPRESSION: varying,
    }


def _resized(values: Any, count: int) -> Any:
    """The first `count` values `[count]`, zeros where there are fewer."""
    return tf.ensure_shape(
        tf.concat([values[:count], tf.zeros([tf.maximum(count - tf.size(values), 0)])], axis=0), [count]
    )
