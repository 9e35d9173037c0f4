"""Measuring the locator: overlaps by hand, and pictures with what was found."""

import numpy as np
import pytest

from trainer.landmarks import locator
from trainer.landmarks.locator_config import LocatorConfig
from trainer.landmarks.locator_evaluation import Located, located, overlaps, picture_sheet


def test_overlaps_by_hand():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [3, 3, 3, 3]], float)
    truth = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]], float)
    np.testing.assert_allclose(overlaps(boxes, truth), [1, 1 / 3, 0, 0], atol=1e-6)
    assert overlaps(truth, boxes) == pytest.approx(overlaps(boxes, truth))


def test_every_picture_gets_one_box_whatever_its_size():
    network = locator.build(LocatorConfig.preset("tiny"))
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (height, 60, 3), dtype=np.uint8) for height in (40, 60, 100)]
    found = located(network, pictures)
    assert found.box.shape == (3, 4)
    assert found.score.shape == found.faces.shape == (3,)
    assert (found.score < 0.5).all()
    assert (found.faces == 0).all()


def test_sheets_show_both_boxes():
    pictures = [np.zeros((50, 100, 3), np.uint8)] * 3
    box = np.array([[10, 10, 30, 30]] * 3, float)
    found = Located(box + 20, np.full(3, 0.9), np.ones(3, int))
    sheet = picture_sheet(pictures, found, box, [0, 2], columns=2)
    assert sheet.shape == (200, 400, 3)
    assert tuple(sheet[40, 20]) == (0, 255, 0)
    assert tuple(sheet[80, 60]) == (255, 0, 0)
    assert not (picture_sheet(pictures, found, None, [1]) == (0, 255, 0)).all(-1).any()
