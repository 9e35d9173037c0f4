"""Batches of several kinds of faces: each has its share, none depends on another, one kind alone is as without kinds."""

import dataclasses

import numpy as np
import pytest

from trainer.landmarks import augment
from trainer.landmarks.augment import Source
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.config import CropAugmentationConfig, LandmarkTrainingConfig

CONFIG = LandmarkTrainingConfig.preset("tiny", batch_size=8)
PLAIN = dataclasses.replace(CONFIG, augmentation=CropAugmentationConfig.none())


def gray(values):
    """Canvases of one grey each."""
    count = len(values)
    images = np.array(values, np.uint8)[:, None, None, None] * np.ones((count, 64, 64, 3), np.uint8)
    points = np.random.default_rng(0).uniform(18, 46, (count, 2, 68, 2)).astype(np.float32)
    return Canvases(images, points, np.ones((count, 2, 68), np.float32), np.zeros(count, np.float32))


def tones(batches, count=1):
    return [tone for _ in range(count) for tone in next(batches).images[:, 16, 16, 0].tolist()]


def test_one_source_is_what_faces_alone_are():
    faces = gray(range(20, 33))
    alone, source = augment.training_batches(faces, CONFIG), augment.training_batches([Source(faces, 0.3)], CONFIG)
    for _ in range(3):
        for one, other in zip(next(alone), next(source), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("shares", "counts"), [((0.5, 0.5), (4, 4)), ((0.75, 0.25), (6, 2)), ((2, 1), (5, 3))])
def test_every_source_has_its_share_of_every_batch(shares, counts):
    renders, photos = gray(range(10, 22)), gray(range(100, 107))
    batches = augment.training_batches([Source(renders, shares[0]), Source(photos, shares[1])], PLAIN)
    for _ in range(4):
        seen = tones(batches)
        assert (sum(tone < 50 for tone in seen), sum(tone > 50 for tone in seen)) == counts


def test_every_face_of_a_source_comes_once_an_epoch():
    renders, photos = gray(range(10, 22)), gray(range(100, 108))
    batches = augment.training_batches([Source(renders, 0.75), Source(photos, 0.25)], PLAIN)
    seen = tones(batches, 4)
    assert sorted(tone for tone in seen if tone < 50) == sorted(2 * list(range(10, 22)))
    assert sorted(tone for tone in seen if tone > 50) == list(range(100, 108))
    orders = [[tone for tone in seen if tone < 50][epoch * 12 : epoch * 12 + 12] for epoch in range(2)]
    assert orders[0] != orders[1]


def test_sources_of_one_size_are_not_shuffled_alike():
    batches = augment.training_batches([Source(gray(range(10, 26)), 0.5), Source(gray(range(100, 116)), 0.5)], PLAIN)
    seen = tones(batches, 4)
    assert [tone - 10 for tone in seen if tone < 50] != [tone - 100 for tone in seen if tone > 50]


def test_a_resumed_mixture_goes_on_with_the_same_batches():
    sources = [Source(gray(range(10, 22)), 0.5), Source(gray(range(100, 105)), 0.5)]
    first = augment.training_batches(sources, CONFIG)
    batches = [next(first) for _ in range(4)]
    for kept, again in zip(batches[2:], augment.training_batches(sources, CONFIG, first_step=2), strict=False):
        for one, other in zip(kept, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("sources", [[(12, 1.0), (0, 0.5)], [(12, 0.99), (12, 0.01)]])
def test_a_source_that_adds_nothing_is_refused(sources):
    made = [Source(gray(range(10, 10 + count)), share) for count, share in sources]
    with pytest.raises(ValueError, match="`sources` must each have a face"):
        next(augment.training_batches(made, CONFIG))
