import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from components.synthetic_face_gen import backgrounds, image_chain, labels
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_pictures import ImageChainConfig, SurroundingsConfig
from components.synthetic_face_gen.generate import arrange, render_tiles
from trainer.morphable.default import default_head
from trainer.rendering.color import srgb_to_linear

PLAIN = ImageChainConfig(
    blur_fraction=0,
    noise_fraction=0,
    gain_spread=0,
    contrast=(0, 0),
    grey_fraction=0,
    jpeg_fraction=0,
    half_chroma_fraction=0,
)


def test_procedural_backgrounds_differ_and_are_light():
    pictures = [backgrounds.procedural(48, np.random.default_rng(seed)) for seed in range(12)]
    for picture in pictures:
        assert picture.shape == (48, 48, 3)
        assert picture.dtype == np.float32
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert np.std([picture.mean() for picture in pictures]) > 0.03
    again = backgrounds.procedural(48, np.random.default_rng(3))
    np.testing.assert_array_equal(again, pictures[3])


def test_photographs_are_cropped_in_linear_light(tmp_path):
    (tmp_path / "inner").mkdir()
    Image.new("RGB", (60, 40), (188, 10, 10)).save(tmp_path / "inner" / "red.png")
    config = SyntheticFaceConfig(image_size=32, background=str(tmp_path))
    picture = backgrounds.sample_photograph(config, np.random.default_rng(0))
    color = srgb_to_linear(np.array([188, 10, 10]) / 255)
    np.testing.assert_allclose(picture, np.broadcast_to(picture[0, 0], (32, 32, 3)), atol=1e-5)
    np.testing.assert_allclose(picture[0, 0] / picture[0, 0, 0], color / color[0], atol=0.02)


def test_shares_say_what_is_behind(tmp_path):
    Image.new("RGB", (60, 40), (188, 10, 10)).save(tmp_path / "red.png")

    def behind(**shares):
        surroundings = SurroundingsConfig(pool=4, render_pool=4, **shares)
        config = SyntheticFaceConfig(image_size=32, background=str(tmp_path), surroundings=surroundings)
        drawn = backgrounds.Backgrounds(config, lambda number: np.full((32, 32, 3), (0, 200, 0), np.uint8))
        return [drawn.sample(np.random.default_rng(seed)) for seed in range(40)]

    def is_color(picture, channel):
        mean = picture.mean(axis=(0, 1))
        return mean[channel] > 50 * np.delete(mean, channel).max()  # no procedural picture is so pure

    assert all(picture is None for picture in behind(black=1.0))
    assert all(is_color(picture, 0) for picture in behind())
    assert all(is_color(picture, 1) for picture in behind(renders=1.0))
    assert not any(is_color(picture, 0) for picture in behind(procedural=1.0))
    mixed = behind(renders=0.3, black=0.3)
    assert any(picture is None for picture in mixed)
    assert any(picture is not None and is_color(picture, 1) for picture in mixed)


def test_folder_without_photographs_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no photograph")
    with pytest.raises(FileNotFoundError, match="which has none"):
        backgrounds.photographs(str(tmp_path))


def test_plain_chain_keeps_what_the_light_was():
    light = np.full((32, 32, 3), (0.1, 0.3, 0.5), np.float32)
    config = SyntheticFaceConfig(image_chain=PLAIN, jpeg_quality=100)
    developed = _decode(image_chain.develop(light, config, np.random.default_rng(0)))
    np.testing.assert_allclose(srgb_to_linear(developed / 255).mean((0, 1)), (0.1, 0.3, 0.5), atol=0.01)


def test_chain_blurs_adds_noise_and_takes_colour_away():
    light = np.zeros((32, 32, 3), np.float32)
    light[:, 16:] = (0.5, 0.3, 0.2)

    def developed(**chain):
        settings = SyntheticFaceConfig(image_chain=dataclasses.replace(PLAIN, **chain), jpeg_quality=100)
        return _decode(image_chain.develop(light, settings, np.random.default_rng(0)))

    sharp = developed()
    assert (
        np.abs(np.diff(developed(blur_fraction=1, blur=(1.5, 1.5)), axis=1)).max()
        < np.abs(np.diff(sharp, axis=1)).max() / 2
    )
    assert developed(noise_fraction=1, shot_noise=(3e-3, 3e-3))[:, 20:].std(axis=(0, 1)).min() > 2
    grey = developed(grey_fraction=1)
    assert np.abs(grey - grey[..., :1]).max() <= 1


@pytest.mark.parametrize(("kind", "extent"), [("motion", (6.0, 6.0)), ("defocus", (2.0, 2.0))])
def test_shaking_and_defocus_spread_a_point_and_keep_its_light(kind, extent):
    light = np.zeros((33, 33, 3), np.float32)
    light[16, 16] = 0.9
    chain = dataclasses.replace(PLAIN, **{f"{kind}_fraction": 1.0, kind: extent})
    image = srgb_to_linear(image_chain.exposed(light, chain, np.random.default_rng(0)).astype(float) / 255)[..., 0]
    assert image.max() < 0.4
    assert image.sum() == pytest.approx(0.81, rel=0.15)  # the tone curve bends 0.9 to about 0.81
    y, x = np.nonzero(image > 0.003)
    reach = max(np.ptp(y), np.ptp(x)) + 1
    assert (5 <= reach <= 8) if kind == "motion" else (4 <= reach <= 5)
    assert np.abs(np.array([np.average(y, weights=image[y, x]), np.average(x, weights=image[y, x])]) - 16).max() < 0.3


def test_resampling_takes_detail_and_keeps_size():
    light = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)

    def developed(**chain):
        settings = SyntheticFaceConfig(image_chain=dataclasses.replace(PLAIN, **chain), jpeg_quality=100)
        return _decode(image_chain.develop(light, settings, np.random.default_rng(0)))

    sharp, small = developed(), developed(resample_fraction=1.0, resample=(0.4, 0.4))
    assert small.shape == sharp.shape
    assert small.std() < 0.7 * sharp.std()
    assert small.mean() == pytest.approx(sharp.mean(), abs=2)


def test_contrast_black_and_colour_are_switches():
    light = np.full((8, 8, 3), (0.1, 0.03, 0.5), np.float32)

    def developed(**chain):
        return image_chain.exposed(light, dataclasses.replace(PLAIN, **chain), np.random.default_rng(0))[0, 0].astype(
            int
        )

    plain = developed()
    assert developed(lift=(0.1, 0.1))[1] > plain[1] + 10
    assert developed(contrast=(1.0, 1.0))[1] < plain[1] - 5
    assert np.ptp(developed(saturation=(1.5, 1.5))) > np.ptp(plain) + 10
    assert np.ptp(developed(grey_fraction=1.0)) == 0


def test_highlights_bend_without_a_jump():
    light = np.linspace(0, 4, 4001)
    bent = image_chain.roll_off(light)
    np.testing.assert_array_equal(bent[light < 0.6], light[light < 0.6])
    assert (np.diff(bent) > 0).all()
    assert bent.max() < 1
    assert np.abs(np.diff(bent, 2)).max() < 1e-5


@pytest.mark.parametrize(
    ("srgb", "name"),
    [
        ((245, 225, 215), "very_light"),
        ((194, 150, 130), "light"),
        ((161, 120, 81), "brown"),
        ((115, 82, 68), "dark"),
    ],
)
def test_skin_tones_follow_the_typology_angle(srgb, name):
    assert labels.skin_tone_bin(srgb_to_linear(np.array(srgb) / 255)) == name


def test_expression_bins_grow_with_the_movement():
    still = np.zeros((68, 3))
    assert [labels.expression_bin(still + x, still) for x in (0, 1.5, 3)] == ["neutral", "moderate", "strong"]


def test_contact_sheet_shows_other_people_first():
    config = SyntheticFaceConfig(count=8, views_per_identity=4, image_size=32)
    tiles = list(render_tiles(config, default_head(), 3))
    assert arrange(tiles).shape == (64, 64, 3)
    assert not arrange(tiles)[32:, 32:].any()
    with pytest.raises(ValueError, match=r"`count` must be in \[1, 8\]"):
        list(render_tiles(config, default_head(), 9))


def _decode(content):
    return np.asarray(Image.open(io.BytesIO(content))).astype(float)
