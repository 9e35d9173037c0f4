import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.imaging import augmentation
from trainer.imaging.augmentation import AugmentationConfig

NONE = AugmentationConfig.none()


def images(count=64, size=32):
    return tf.random.stateless_uniform([count, size, size, 3], [5, 6], 0.2, 0.8)


def test_nothing_switched_on_changes_nothing():
    before = images(4)
    np.testing.assert_allclose(augmentation.change_appearance(before, NONE, [1, 2]), before, atol=1e-6)
    geometry = augmentation.sample_geometry(NONE, tf.constant([1, 2]))
    box = tf.constant([10.0, 20.0, 50.0, 80.0])
    np.testing.assert_allclose(augmentation.jitter_box(box, geometry), box)
    assert float(geometry.angle) == 0
    assert augmentation.padded_size(NONE, 120) == 120


@pytest.mark.parametrize("name", ["brightness", "contrast", "gamma", "color", "gray", "noise", "occlusion", "blur"])
def test_every_ingredient_is_a_switch_of_its_own(name):
    extra = {"occlusion_size": 0.5} if name == "occlusion" else {"blur_sigma": 2.0} if name == "blur" else {}
    config = dataclasses.replace(NONE, **{name: 0.5}, **extra)
    before = images()
    after = augmentation.change_appearance(before, config, [1, 2]).numpy()
    changed = np.abs(after - before.numpy()).max(axis=(1, 2, 3)) > 1e-3
    low, high = (0.3, 0.7) if name in ("gray", "occlusion", "blur") else (0.9, 1.0)
    assert low < changed.mean() <= high
    assert after.min() >= 0
    assert after.max() <= 1
    np.testing.assert_array_equal(after, augmentation.change_appearance(before, config, [1, 2]))


def test_gray_has_equal_channels_and_blur_keeps_the_mean():
    gray = augmentation.change_appearance(images(), dataclasses.replace(NONE, gray=1.0), [1, 2]).numpy()
    np.testing.assert_allclose(gray[..., 0], gray[..., 2], atol=1e-6)
    before = images()
    blurred = augmentation.change_appearance(
        before, dataclasses.replace(NONE, blur=1.0, blur_sigma=1.0), [1, 2]
    ).numpy()
    np.testing.assert_allclose(blurred.mean(axis=(1, 2, 3)), before.numpy().mean(axis=(1, 2, 3)), atol=2e-3)
    assert (blurred.std(axis=(1, 2)) < before.numpy().std(axis=(1, 2)) + 1e-6).all()


def test_rotation_is_counter_clockwise_for_images_and_points_alike():
    """A quarter turn brings what is right of the middle above it."""
    image = np.zeros((1, 33, 33, 1), np.float32)
    image[0, 16, 26] = 1.0
    angle = tf.constant([np.pi / 2], tf.float32)
    turned = augmentation.rotate_images(tf.constant(image), angle, 33).numpy()[0, ..., 0]
    assert np.unravel_index(turned.argmax(), turned.shape) == (6, 16)
    point = augmentation.rotate_points(tf.constant([[26.5, 16.5]]), angle[0], 33)
    np.testing.assert_allclose(point, [[16.5, 6.5]], atol=1e-4)


def test_a_mirrored_face_is_in_the_schemes_order():
    """Landmarks drawn as dots of their own brightness: the mirrored picture's dots lie where the mirrored labels say."""
    width, places = 41, np.random.default_rng(0).permutation(41 * 29)[:68]
    points = np.stack([places % width + 0.5, places // width + 0.5, np.arange(68.0)], axis=-1)
    image = np.zeros((29, width, 1), np.float32)
    image[places // width, places % width, 0] = np.arange(68) + 1
    mirrored = augmentation.mirror_image(tf.constant(image)).numpy()[..., 0]
    found = augmentation.mirror_points(tf.constant(points), float(width)).numpy()
    columns, rows = np.floor(found[:, :2]).astype(int).T
    np.testing.assert_array_equal(mirrored[rows, columns], np.array(contract.LANDMARK_FLIP) + 1)
    np.testing.assert_array_equal(found[:, 2], contract.LANDMARK_FLIP)  # depths go with their points
    np.testing.assert_array_equal(augmentation.mirror_points(tf.constant(found), float(width)), points)
    box = tf.constant([*points[:, :2].min(0), *points[:, :2].max(0)])
    np.testing.assert_allclose(augmentation.mirror_box(box, float(width)), [*found[:, :2].min(0), *found[:, :2].max(0)])


@pytest.mark.parametrize(("flip", "share"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_as_many_faces_are_mirrored_as_asked(flip, share):
    config = dataclasses.replace(NONE, flip=flip)
    drawn = [bool(augmentation.sample_geometry(config, tf.constant([7, index])).is_mirrored) for index in range(200)]
    assert abs(np.mean(drawn) - share) < 0.1


def test_turned_crops_have_no_empty_corners():
    config = dataclasses.replace(NONE, rotation=45.0)
    pad = augmentation.padded_size(config, 40)
    white = tf.ones([1, pad, pad, 3])
    for degrees in (-45.0, -20.0, 45.0):
        turned = augmentation.rotate_images(white, tf.constant([np.radians(degrees)], tf.float32), 40).numpy()
        assert turned.min() > 0.99


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="rotation"):
        AugmentationConfig(rotation=60.0)
    with pytest.raises(ValueError, match="blur"):
        AugmentationConfig(blur=1.5)
    with pytest.raises(ValueError, match="noise"):
        AugmentationConfig(noise=-0.1)
