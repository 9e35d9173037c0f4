"""Flip averaging: of a network that mirrors exactly it changes nothing; of another, it is the same for a mirrored picture."""

import keras
import numpy as np
from servable_parts import color_patch_networks, photo, tiny_networks

from trainer import contract
from trainer.imaging.augmentation import mirror_points
from trainer.landmarks.flip import flip_averaged


def test_of_a_mirrored_picture_it_gives_the_mirrored_points():
    network = flip_averaged(tiny_networks().landmarks)
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    points, log_sigma = (keras.ops.convert_to_numpy(value) for value in network(images))
    mirrored, mirrored_sigma = network(images[:, :, ::-1])
    np.testing.assert_allclose(mirror_points(mirrored, 32.0), points, atol=1e-3)
    np.testing.assert_allclose(np.asarray(mirrored_sigma)[..., list(contract.LANDMARK_FLIP)], log_sigma, atol=1e-4)


def test_sigma_grows_by_what_the_two_answers_are_apart():
    network = tiny_networks().landmarks
    images = np.random.default_rng(1).random((1, 32, 32, 3), np.float32)
    one, sigma_one = (np.asarray(value) for value in network(images))
    other, sigma_other = (np.asarray(value) for value in network(images[:, :, ::-1]))
    order = list(contract.LANDMARK_FLIP)
    other = other[:, :, order] * (-1, 1) + (32, 0)
    points, log_sigma = (np.asarray(value) for value in flip_averaged(network)(images))
    np.testing.assert_allclose(points, (one + other) / 2, atol=1e-4)
    mean = (np.exp(sigma_one) + np.exp(sigma_other[:, :, order])) / 2
    apart = np.linalg.norm(one - other, axis=-1) / 2
    np.testing.assert_allclose(np.exp(log_sigma), np.hypot(mean, apart / 2), rtol=1e-4)


def test_what_is_symmetric_stays():
    """The stand-in's points are an ellipse's, not a face's: their middle is what must stay."""
    network = color_patch_networks(48).landmarks
    image = photo(48, 48, (8, 10, 30, 40))[None].astype(np.float32) / 255
    plain, averaged = (np.asarray(each(image)[0]) for each in (network, flip_averaged(network)))
    np.testing.assert_allclose(averaged.mean(axis=2), plain.mean(axis=2), atol=0.5)
