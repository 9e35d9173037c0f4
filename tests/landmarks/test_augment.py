"""Augmented crops: labels move with the pixels, mirrored faces swap sides, the same step gives the same batch."""

import dataclasses

import numpy as np
import pytest

from trainer import contract
from trainer.landmarks import augment
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.config import CanvasConfig, CropAugmentationConfig, LandmarkTrainingConfig

CONFIG = LandmarkTrainingConfig.preset("tiny", batch_size=4)
MARK = 36


def spotted(count=4, size=64):
    """Grey canvases with a white spot on the landmark `MARK`; all others are random."""
    rng = np.random.default_rng(0)
    points = rng.uniform(18, 46, (count, 2, 68, 2)).astype(np.float32)
    images = np.full((count, size, size, 3), 60, np.uint8)
    y, x = np.mgrid[:size, :size] + 0.5
    for image, sets in zip(images, points, strict=True):
        spot = sets[0, MARK]
        image[(x - spot[0]) ** 2 + (y - spot[1]) ** 2 < 4**2] = 250
    return Canvases(images, points, np.ones((count, 2, 68), np.float32), np.zeros(count, np.float32))


def spot_of(image):
    weight = np.clip(image.astype(float).mean(-1) - 120, 0, None)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def configured(**amounts):
    none = dataclasses.asdict(CropAugmentationConfig.none())
    return dataclasses.replace(CONFIG, augmentation=CropAugmentationConfig(**{**none, **amounts}))


def test_without_augmentation_it_is_the_networks_crop():
    config, faces = configured(), spotted()
    batch = augment.augmented(faces, np.arange(4), config, np.random.default_rng(0))
    size, margin = config.network.image_size, config.network.margin
    scale = size / (32 * (1 + 2 * margin))  # boxes are 32 of the canvas' 64 pixels wide
    np.testing.assert_allclose(batch.points, (faces.points - 32) * scale + size / 2, atol=1e-4)


@pytest.mark.parametrize(
    "amounts",
    [{"rotation": 40.0}, {"shift": 0.1}, {"scale": 0.3}, {"stretch": 0.2}, {"blur": 1.0}, {"flip": 0.0, "gray": 1.0}],
    ids=str,
)
def test_labels_move_with_the_pixels(amounts):
    rng = np.random.default_rng(1)
    batch = augment.augmented(spotted(), np.arange(4), configured(**amounts), rng)
    for image, points in zip(batch.images, batch.points, strict=True):
        np.testing.assert_allclose(spot_of(image), points[0, MARK], atol=0.7)


def test_a_mirrored_face_has_its_landmarks_swapped():
    faces = spotted()
    plain = augment.augmented(faces, np.arange(4), configured(), np.random.default_rng(0))
    batch = augment.augmented(faces, np.arange(4), configured(flip=1.0), np.random.default_rng(0))
    size = CONFIG.network.image_size
    swapped = contract.LANDMARK_FLIP[MARK]
    for image, points in zip(batch.images, batch.points, strict=True):
        np.testing.assert_allclose(spot_of(image), points[0, swapped], atol=0.7)
    np.testing.assert_allclose(batch.images, plain.images[:, :, ::-1], atol=2)
    np.testing.assert_allclose(
        size - batch.points[:, :, list(contract.LANDMARK_FLIP), 0], plain.points[..., 0], atol=1e-3
    )


def test_tones_change_pixels_and_no_label():
    amounts = {"gain": 0.3, "gamma": 0.3, "contrast": 0.3, "color": 0.2, "noise": 0.05}
    faces = spotted()
    plain = augment.augmented(faces, np.arange(4), configured(), np.random.default_rng(0))
    batch = augment.augmented(faces, np.arange(4), configured(**amounts), np.random.default_rng(0))
    np.testing.assert_allclose(batch.points, plain.points, atol=1e-4)
    assert (np.abs(batch.images.astype(int) - plain.images).mean(axis=(1, 2, 3)) > 1).all()


def test_patches_hide_something():
    faces = spotted(count=8)
    faces.images[4:] = 200
    plain = augment.augmented(faces, np.arange(4), configured(), np.random.default_rng(0))
    batch = augment.augmented(faces, np.arange(4), configured(occlusion=1.0), np.random.default_rng(0))
    assert (plain.images != batch.images).any()


def test_beyond_the_canvas_it_is_black():
    config = dataclasses.replace(configured(), canvas=CanvasConfig(size=64, margin=0.0))
    batch = augment.augmented(spotted(), np.arange(4), config, np.random.default_rng(0))
    assert (batch.images[:, 0] == 0).all()
    assert (batch.images[:, :, -1] == 0).all()


def test_a_steps_batch_depends_on_seed_and_step_alone():
    faces = spotted(count=6)
    first = augment.training_batches(faces, CONFIG)
    batches = [next(first) for _ in range(4)]
    resumed = augment.training_batches(faces, CONFIG, first_step=2)
    for kept, again in zip(batches[2:], resumed, strict=False):
        for one, other in zip(kept, again, strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(batches[0].images, batches[1].images)


def test_every_face_comes_once_an_epoch():
    faces = Canvases(
        np.arange(8, dtype=np.uint8)[:, None, None, None] * np.full((8, 64, 64, 3), 30, np.uint8),
        np.full((8, 2, 68, 2), 32, np.float32),
        np.ones((8, 2, 68), np.float32),
        np.zeros(8, np.float32),
    )
    config = dataclasses.replace(configured(), schedule=dataclasses.replace(CONFIG.schedule, batch_size=4))
    batches = augment.training_batches(faces, config)
    for _ in range(2):
        middles = np.concatenate([next(batches).images[:, 16, 16, 0] for _ in range(2)])
        assert sorted(middles // 30) == list(range(8))
