"""The albedo model from pictures of skins, on the default head's mesh with pictures made by hand."""

import numpy as np
import pytest
from PIL import Image

from trainer.morphable import paint
from trainer.morphable.default import default_head
from trainer.morphable.skin_map import build_map
from trainer.morphable.skin_optics import skin_tone
from trainer.rendering.color import linear_to_srgb


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def where(head):
    return build_map(head.mean, head.triangles, head.regions, head.landmark_points(head.mean))


def toned(where, melanin, blood):
    """A head of one skin and nothing else."""
    return skin_tone(melanin * where.melanin, blood * where.blood).astype(np.float64)


def test_a_skin_s_tone_is_no_feature(head, where):
    """A uniform skin of any tone has no features where it is bare; a spot that darkens each skin by a fifth is one."""
    spot = where.bare[np.argsort(where.vertices[where.bare, 1])[:40]]
    skins = np.stack([toned(where, melanin, blood) for melanin, blood in ((0.02, 0.01), (0.1, 0.02), (0.3, 0.01))])
    skins *= where.shade[:, None]
    skins[:, spot] *= 0.8
    found = paint.features(skins, where, head.triangles)
    others = np.setdiff1d(where.bare, spot)
    assert np.quantile(np.abs(found[:, others]), 0.95) < 0.05
    for one in found:
        step = one[spot].mean() - one[others].mean()
        assert -0.35 < step < -0.12
    assert np.abs(found).max() <= paint.FEATURE_LIMIT + 0.2


def test_the_first_modes_are_melanin_and_blood(head, where):
    rng = np.random.default_rng(0)
    logs = rng.normal(0, 0.02, (6, 1, 3)) * where.waves[:6, :, None]
    mean, modes, deviations = paint.albedo_model(logs, where)
    assert modes.shape == (2 + paint.FEATURE_MODES, *head.mean.shape)
    np.testing.assert_allclose(deviations, np.sqrt(np.square(modes).sum((1, 2))))
    at = where.bare
    light, dark = ((mean + side * paint.TONE_REACH * modes[0])[at].mean(0) for side in (1, -1))
    np.testing.assert_allclose(light, skin_tone(*paint.LIGHT), rtol=0.08)
    np.testing.assert_allclose(dark, skin_tone(*paint.DARK), rtol=0.08)
    pale, flushed = (mean[at] + side * modes[1][at] for side in (-1, 1))
    assert (flushed[:, 0] / flushed[:, 1]).mean() > 1.05 * (pale[:, 0] / pale[:, 1]).mean()
    assert np.abs(modes[2:, at].mean(1)).max() < 0.1 * np.abs(modes[0, at].mean(0)).min()
    assert (mean - np.abs(modes[0]) * paint.TONE_REACH).min() > -0.02
    assert (mean + np.abs(modes[0]) * paint.TONE_REACH).max() < 1


def test_mixtures_lie_between_the_skins():
    logs = np.array([0.0, 1.0, 4.0]).reshape(3, 1, 1) * np.ones((3, 5, 3))
    mixed = paint.mix_features(logs)
    assert mixed.shape == (paint.MIX_COUNT, 5, 3)
    assert mixed.min() >= 0
    assert mixed.max() <= 4
    assert abs(mixed.mean() - logs.mean()) < 0.2
    np.testing.assert_array_equal(mixed, paint.mix_features(logs))


def test_skins_are_read_as_linear_light_at_their_place(tmp_path):
    """The lower left quarter of the picture is red; v grows upwards."""
    color = np.array([0.5, 0.2, 0.1])
    picture = np.zeros((16, 16, 3))
    picture[8:, :8] = linear_to_srgb(color)
    Image.fromarray(np.round(picture * 255).astype(np.uint8)).save(tmp_path / "one.png")
    uv = np.array([[0.25, 0.25], [0.75, 0.75], [0.25, 0.75]])
    skins = paint.sample_skins(tmp_path, uv, np.array([0, 1, 1]), 3)
    np.testing.assert_allclose(skins[0, 0], color, rtol=0.02)
    np.testing.assert_allclose(skins[0, 1:], 0, atol=1e-6)


def test_a_folder_without_skins_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no skin"):
        paint.sample_skins(tmp_path, np.zeros((1, 2)), np.zeros(1, int), 1)


def test_brows_lie_over_the_eyes_in_front(head):
    points = head.landmark_points(head.mean)
    mask = paint.brow_mask(head.mean, points, head.mean[:, 2] > -30)
    assert mask.min() == 0
    assert mask.max() == 1
    dense = head.mean[mask > 0.7]
    assert (np.sign(dense[:, 0]).sum()) < 0.2 * len(dense)
    assert dense[:, 1].min() > points[36:48, 1].max()
    assert dense[:, 2].min() > -30
    np.testing.assert_allclose(mask[head.mirror], mask, atol=0.15)
