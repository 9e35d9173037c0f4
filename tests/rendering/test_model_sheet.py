"""The contact sheet of a model: what must be seen on it."""

import numpy as np
import pytest

from trainer.morphable.default import default_head
from trainer.rendering.model_sheet import BACKGROUND, Portrait, model_sheet, portrait_picture


@pytest.fixture(scope="module")
def model():
    return default_head().truncated(2, 2, 1)


def _backdrop(picture):
    """Where the background is seen."""
    encoded = 255 * (1.055 * np.array(BACKGROUND) ** (1 / 2.4) - 0.055)
    return np.abs(picture - encoded).max(axis=2) < 3


def test_the_head_is_whole_and_in_the_middle(model):
    for yaw in (0.0, -40.0, -85.0):
        free = _backdrop(portrait_picture(model, Portrait("", model.mean, model.albedo_colors(), yaw), 96))
        assert free[:3].all(), "nothing is cut off above"
        columns = np.flatnonzero(~free[20:50].all(axis=0))
        assert 30 < columns.mean() < 66, yaw
        assert columns.min() > 4


def test_a_negative_yaw_turns_the_nose_to_the_left(model):
    profile = _backdrop(portrait_picture(model, Portrait("", model.mean, model.albedo_colors(), -85.0), 96))
    nose = np.argmax(~profile, axis=1)
    assert nose[40:56].min() < nose[20:30].min(), "the nose is left of the forehead"


def test_landmarks_are_drawn_on_the_face(model):
    plain = portrait_picture(model, Portrait("", model.mean, model.albedo_colors()), 96).astype(float)
    drawn = portrait_picture(model, Portrait("", model.mean, model.albedo_colors(), 0.0, "basel"), 96).astype(float)
    rows, columns = np.nonzero(np.abs(plain - drawn).max(axis=2) > 40)
    assert len(rows) > 68
    assert not _backdrop(plain)[rows, columns].mean() > 0.1


def test_the_same_seed_draws_the_same_people(model):
    sheets = [model_sheet(model, 3, seed, 32) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(sheets[0], sheets[1])
    assert (sheets[0] != sheets[2]).any()
    fewer = model_sheet(model, 2, 1, 32)
    np.testing.assert_array_equal(fewer[-32:, :64], sheets[0][-32:, :64])


@pytest.mark.parametrize("arguments", [(-1, 0, 64), (1, 0, 16)])
def test_impossible_sheets_are_refused(model, arguments):
    with pytest.raises(ValueError, match="`people` must be 0 or more and `size` 32 or more"):
        model_sheet(model, *arguments)
