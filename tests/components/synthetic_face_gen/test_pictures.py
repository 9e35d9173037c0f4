import dataclasses
import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from components.synthetic_face_gen import backgrounds, image_chain, labels
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_pictures import ImageChainConfig
from components.synthetic_face_gen.generate import arrange, render_tiles
from monoface.preview import command
from trainer.morphable import io as model_io
from trainer.morphable.default import default_head
from trainer.rendering.color import srgb_to_linear

PLAIN = ImageChainConfig(
    blur_fraction=0, noise_fraction=0, gain_spread=0, contrast=(0, 0), grey_fraction=0, jpeg_fraction=0
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


def test_preview_writes_a_sheet_and_names_what_is_wrong(tmp_path):
    model_io.save(default_head(), tmp_path / "head.npz")
    out = tmp_path / "new" / "sheet.png"
    arguments = ["--count", "3", "--landmarks", "--out", str(out), "--model", str(tmp_path / "head.npz")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    with Image.open(out) as sheet:
        assert sheet.size == (512, 512)
    (tmp_path / "bad.npz").write_bytes(b"no model")
    result = CliRunner().invoke(command, ["--model", str(tmp_path / "bad.npz"), "--out", str(out)])
    assert result.exit_code == 1
    assert "bad.npz" in result.output
    result = CliRunner().invoke(command, ["--preset", "none", "--out", str(out)])
    assert "`preset` must be one of" in result.output


def _decode(content):
    return np.asarray(Image.open(io.BytesIO(content))).astype(float)
