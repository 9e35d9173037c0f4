"""Placing, dressing and photographing cut-outs: labels stay on what they label."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.landmarks import pictures
from trainer.landmarks.config import LandmarkTrainingConfig
from trainer.landmarks.placement import mirror_points, place, rotation_matrix
from trainer.rendering.camera import rotation_from_euler

CONFIG = LandmarkTrainingConfig.preset("tiny")
SIZE = 96


def spotted_head():
    """A picture whose red, green and blue spots are landmarks 36, 45 and 8, on an opaque square."""
    picture = np.full((SIZE, SIZE, 4), 255, np.uint8)
    points = np.random.default_rng(0).uniform(30, 66, (contract.LANDMARK_COUNT, 3)).astype(np.float32)
    spots = {36: (34.0, 40.0), 45: (61.0, 38.0), 8: (47.0, 64.0)}
    for channel, (index, (x, y)) in enumerate(spots.items()):
        points[index, :2] = x, y
        color = np.zeros(3)
        color[channel] = 255
        picture[int(y) - 3 : int(y) + 3, int(x) - 3 : int(x) + 3, :3] = color
    return picture, points


def centroid(frame, channel):
    others = [c for c in range(3) if c != channel]
    weight = np.clip(frame[..., channel] - frame[..., others].max(-1), 0, 1) * frame[..., 3]
    grid = np.arange(frame.shape[0]) + 0.5
    return np.array([(weight * grid).sum(), (weight * grid[:, None]).sum()]) / weight.sum()


@pytest.mark.parametrize("seed", range(12))
def test_labels_follow_the_picture(seed):
    picture, points = spotted_head()
    head = place(picture, points, np.array([20.0, 5.0, 3.0], np.float32), CONFIG, tf.constant([1, seed], tf.int64))
    frame, size = head.picture.numpy(), CONFIG.network.image_size
    mirrored = head.rotation.numpy()[2, 0] > 0  # minus the sine of the yaw
    expected = {0: 45, 1: 36, 2: 8} if mirrored else {0: 36, 1: 45, 2: 8}
    face = np.ptp(head.points.numpy()[:, :2], axis=0).max()
    for channel, index in expected.items():
        target = head.points.numpy()[index, :2]
        if (target > 6).all() and (target < size - 6).all():
            np.testing.assert_allclose(centroid(frame, channel), target, atol=0.35 + 0.02 * face)


def test_mirroring_is_its_own_inverse_and_swaps_left_and_right():
    _, points = spotted_head()
    mirrored = mirror_points(points, SIZE)
    np.testing.assert_allclose(mirror_points(mirrored, SIZE), points, atol=1e-4)
    corners = contract.OUTER_EYE_CORNERS
    np.testing.assert_allclose(mirrored[corners[0], 0], SIZE - points[corners[1], 0])


def test_rotations_agree_with_the_renderers():
    euler = np.array([40.0, -15.0, 25.0], np.float32)
    np.testing.assert_allclose(rotation_matrix(tf.constant(euler)), rotation_from_euler(euler), atol=1e-6)


def test_batches_are_pictures_with_labels(shards, backgrounds):
    images, points = next(iter(pictures.training_batches(shards, backgrounds, CONFIG)))
    size = CONFIG.network.image_size
    assert images.shape == (CONFIG.batch_size, size, size, 3)
    assert points.shape == (CONFIG.batch_size, contract.LANDMARK_COUNT, 2)
    assert np.isfinite(images).all()
    assert np.isfinite(points).all()
    assert images.numpy().min() >= 0
    assert images.numpy().max() <= 1


def test_a_seed_and_step_fix_a_picture(shards, backgrounds):
    heads = tf.data.Dataset.from_tensor_slices(shards).flat_map(tf.data.TFRecordDataset).take(8)
    heads = heads.map(lambda s: place(*pictures.parse_cutout(s), CONFIG, tf.constant([3, 4]))).batch(8)
    batch = next(iter(heads))
    drawn = [
        pictures.finish_pictures(batch, tf.constant(backgrounds), CONFIG, tf.constant([7, step]))[0]
        for step in (1, 1, 2)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 0.1


def test_faces_come_in_every_size_and_place():
    picture, points = spotted_head()
    config = dataclasses.replace(CONFIG, whole_photo_share=1.0)
    boxes = []
    for seed in range(60):
        placed = place(
            picture, points, np.zeros(3, np.float32), config, tf.constant([2, seed], tf.int64)
        ).points.numpy()
        boxes.append([*placed[:, :2].min(0), *placed[:, :2].max(0)])
    boxes = np.array(boxes) / config.network.image_size
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(1)
    centers = (boxes[:, 2:] + boxes[:, :2]) / 2
    assert sizes.min() < 0.15
    assert sizes.max() > 0.6
    assert (np.ptp(centers, axis=0) > 0.4).all()
    assert (centers > 0).all()
    assert (centers < 1).all()


def test_no_shards_is_an_error(backgrounds):
    with pytest.raises(ValueError, match="shards"):
        pictures.training_batches([], backgrounds, CONFIG)
