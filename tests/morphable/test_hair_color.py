import dataclasses

import numpy as np
import pytest

from trainer.morphable.hair_color import GREY, hair_color, sample_hair_color
from trainer.morphable.skin import Skin


def test_pigment_makes_black_brown_blond_and_red():
    black, brown, blond, red = hair_color(8, 0.1), hair_color(1.3, 0.1), hair_color(0.15, 0.1), hair_color(0.2, 1.2)
    assert black.max() < 0.03
    assert 0.04 < brown[0] < 0.15
    assert blond[0] > 0.3
    assert red[0] / red[1] > 1.3 * blond[0] / blond[1]
    for color in (black, brown, blond, red):
        assert (np.diff(color) <= 0).all()


def test_grey_hair_has_no_hue():
    np.testing.assert_allclose(hair_color(1.3, 0.1, 1.0), GREY, atol=1e-6)
    np.testing.assert_allclose(hair_color(8, 0, 0.5), (hair_color(8, 0) + np.array(GREY)) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "values"), [("eumelanin", (-1, 0, 0)), ("pheomelanin", (1, -0.1, 0)), ("grey", (1, 0, 2))]
)
def test_amounts_that_cannot_be_are_refused(name, values):
    with pytest.raises(ValueError, match=f"`{name}` must be in"):
        hair_color(*values)


def sampled(melanin, count=800):
    rng = np.random.default_rng(3)
    skin = dataclasses.replace(Skin(), melanin=melanin)
    return np.stack([sample_hair_color(rng, skin) for _ in range(count)])


def test_fair_skin_goes_with_fair_hair_and_dark_skin_with_black():
    fair, dark = (sampled(melanin) @ [0.2126, 0.7152, 0.0722] for melanin in (0.02, 0.3))
    assert (fair > 0.1).mean() > 0.25
    assert 0.05 < (dark > 0.1).mean() < 0.25, "grey and dyed hair only"
    assert np.median(dark) < 0.03


def test_every_colour_takes_as_many_draws():
    states = set()
    for melanin in (0.02, 0.3):
        rng = np.random.default_rng(1)
        for _ in range(20):
            sample_hair_color(rng, dataclasses.replace(Skin(), melanin=melanin))
        states.add(rng.random())
    assert len(states) == 1
