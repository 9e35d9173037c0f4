import numpy as np
import pytest

from trainer.morphable.eye_color import IRIS_COLORS, paint_eyes, sample_iris
from trainer.morphable.eyeball import IRIS_RADIUS

IRIS = (0.10, 0.12, 0.15)


def painted(distances, heights=None, pupil=1.8, redness=0.0, shade=1.0):
    """Colours of points of one eye by their distance from the gaze axis; the lid's edge lies at y = 10."""
    count = len(distances)
    shape = np.zeros((count, 3), np.float32)
    shape[:, 0] = -30
    shape[:, 1] = -20 if heights is None else heights
    lids = np.tile(np.array([[-45, 10, 0], [-35, 10, 0], [-25, 10, 0], [-15, 10, 0]], np.float32), (2, 1, 1))
    colors = np.zeros((count, 3), np.float32)
    paint_eyes(
        colors,
        np.arange(count, dtype=np.int32),
        np.array(distances, np.float32),
        np.zeros(count, np.float32),
        shape,
        lids,
        np.full(count, shade, np.float32),
        np.array(IRIS, np.float32),
        np.float32(pupil),
        np.float32(redness),
    )
    return colors


def test_pupil_iris_limbus_and_sclera_by_distance():
    pupil, iris, limbus, sclera, back = painted([0.5, 3.5, IRIS_RADIUS - 0.4, 8.0, np.inf])
    assert pupil.max() < 0.02
    np.testing.assert_allclose(iris, IRIS, rtol=0.01)
    assert (limbus < 0.8 * iris).all()
    assert 0.3 < sclera.min() < sclera.max() < 0.6
    assert sclera[0] > sclera[2], "never bluer than white"
    assert back.min() > 0.1


def test_a_wide_pupil_eats_the_iris():
    assert painted([2.6], pupil=1.5)[0, 2] > 0.1
    assert painted([2.6], pupil=3.2)[0, 2] < 0.02


def test_the_upper_lid_shades_what_lies_just_below_it():
    near, below, far = painted([8.0] * 3, heights=[9.5, 6.0, -20.0])[:, 1]
    assert near < 0.75 * far
    assert near < below < far


def test_red_eyes_and_corners_are_red():
    white, bloodshot, corner = (
        painted([9.0, 9.0, 13.0], redness=0.0)[0],
        painted([9.0], redness=0.9)[0],
        painted([13.0])[0],
    )
    for red in (bloodshot, corner):
        assert red[0] / red[1] > 1.2 * white[0] / white[1]


def test_sockets_darken_eyes():
    np.testing.assert_allclose(painted([8.0], shade=0.5), 0.5 * painted([8.0]), rtol=1e-5)


def test_light_eyes_come_with_light_skin():
    rng = np.random.default_rng(0)
    share = {}
    for melanin in (0.02, 0.25):
        irises = np.array([sample_iris(rng, melanin) for _ in range(500)])
        assert irises.min() > 0
        assert irises.max() < 0.4
        share[melanin] = (irises[:, 2] > irises[:, 0]).mean()
    assert share[0.02] > 0.3
    assert share[0.25] < 0.02
    assert len(IRIS_COLORS) == 6


@pytest.mark.parametrize("melanin", [0.013, 0.43])
def test_the_range_of_skins_is_covered(melanin):
    assert len(sample_iris(np.random.default_rng(0), melanin)) == 3
