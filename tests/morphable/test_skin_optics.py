"""Skin's tones against measured ones and against the ways in which they go wrong: orange, green, clipped."""

import numpy as np
import pytest

from trainer.morphable.skin_optics import BLOOD_RANGE, MELANIN_RANGE, SURFACE, skin_tone, tone_of

MELANINS = np.geomspace(*MELANIN_RANGE, 12)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LIGHT, DARK = (0.54, 0.30, 0.22), (0.17, 0.08, 0.06)
"""ColorChecker's skins, linear RGB."""


def lab(color):
    ratio = np.asarray(color, float) @ TO_XYZ.T / [0.9505, 1.0, 1.089]
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_melanin_darkens_most_in_blue_and_blood_most_in_green_and_blue():
    pale, tanned, flushed = skin_tone([0.03, 0.15, 0.03], [0.01, 0.01, 0.05])
    absorbed = np.log(pale / tanned)
    assert absorbed[0] < absorbed[1] < absorbed[2]
    red, green, blue = np.log(pale / flushed)
    assert 0 < red < 0.5 * min(green, blue)


@pytest.mark.parametrize("anchor", [LIGHT, DARK])
def test_the_chart_s_skins_are_among_the_tones(anchor):
    melanin, blood = np.meshgrid(np.geomspace(*MELANIN_RANGE, 60), np.geomspace(*BLOOD_RANGE, 60))
    difference = np.linalg.norm(lab(skin_tone(melanin, blood)) - lab(anchor), axis=-1)
    assert difference.min() < 3.5


def test_tones_stay_human_over_the_whole_range():
    """Redness hardly depends on tone, chroma is highest in the middle, and nothing is clipped."""
    for blood in (0.008, 0.015, 0.025):
        colors = skin_tone(MELANINS, blood)
        lightness, redness, yellowness = lab(colors).T
        assert (np.diff(lightness) < 0).all()
        assert 6 < redness.min() <= redness.max() < 15.5
        assert 7 < yellowness.min() <= yellowness.max() < 20
        assert 0 < yellowness.argmax() < len(MELANINS) - 1
        assert (np.diff(colors, axis=1) < 0).all()
        assert colors.min() > SURFACE
        assert (colors[:, 0] / colors[:, 1]).max() < 2.4
    assert lab(skin_tone(MELANIN_RANGE[0], 0.005))[0] > 73
    assert lab(skin_tone(MELANIN_RANGE[1], 0.01))[0] < 28


def test_shapes_broadcast():
    assert skin_tone(0.1, 0.01).shape == (3,)
    assert skin_tone(np.full((2, 1), 0.1), np.full(5, 0.01)).shape == (2, 5, 3)
    np.testing.assert_array_equal(skin_tone([0.1, 0.2], 0.01)[1], skin_tone(0.2, 0.01))


@pytest.mark.parametrize("tone", [(0.02, 0.006), (0.08, 0.02), (0.3, 0.012)])
def test_the_tone_of_a_skin_is_found_again(tone):
    np.testing.assert_allclose(tone_of(skin_tone(*tone)), tone, rtol=1e-3)


def test_the_tone_of_what_is_no_skin_stays_in_range():
    for color in ((0, 0, 0), (1, 1, 1), (0.1, 0.5, 0.1)):
        melanin, blood = tone_of(np.array(color))
        assert MELANIN_RANGE[0] <= melanin <= MELANIN_RANGE[1]
        assert BLOOD_RANGE[0] <= blood <= BLOOD_RANGE[1]
