"""Pictures of garments."""

import io

import numpy as np
import pytest
from PIL import Image

from trainer.rendering.color import srgb_to_linear
from trainer.wardrobe import textures


def picture(size: int = 32) -> np.ndarray:
    """Red left, blue right; the upper quarter is transparent and green."""
    result = np.zeros((size, size, 4), np.uint8)
    result[:, : size // 2] = [200, 0, 0, 255]
    result[:, size // 2 :] = [0, 0, 200, 255]
    result[: size // 4] = [0, 255, 0, 0]
    return result


def test_cropping_keeps_what_is_at_each_coordinate():
    uv = np.array([[0.25, 0.25], [0.4, 0.25], [0.25, 0.5], [0.75, 0.25]])
    texture, placed, share = textures.cropped(picture(), uv, np.array([[0, 1, 2], [1, 3, 2]]), 64)
    assert texture.shape[1] < 32
    assert share.shape == texture.shape[:2]
    height, width = texture.shape[:2]
    for point, channel in ((placed[0], 0), (placed[3], 2)):
        column, row = int(point[0] * width), int((1 - point[1]) * height)
        expected = [0, 0, 0]
        expected[channel] = 200
        np.testing.assert_array_equal(texture[min(row, height - 1), min(column, width - 1), :3], expected)
    assert placed.min() >= 0
    assert placed.max() <= 1


def test_transparent_texels_take_the_colour_next_to_them():
    uv = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)
    texture, _, _ = textures.cropped(picture(), uv, np.array([[0, 1, 2], [1, 3, 2]]), 32)
    assert (texture[:8, :, 3] == 0).all()
    assert (texture[..., 1] == 0).all(), "no green halo"


def test_shrinking_averages_light_not_codes():
    board = np.zeros((8, 8, 4), np.uint8)
    board[..., 3] = 255
    board[::2, ::2, :3] = board[1::2, 1::2, :3] = 255
    small = textures.resampled(board, (4, 4))
    np.testing.assert_allclose(srgb_to_linear(small[..., :3] / 255.0), 0.5, atol=0.01)


def test_grey_detail_has_its_mean_and_less_contrast():
    rng = np.random.default_rng(0)
    dark = np.full((64, 64, 4), 255, np.uint8)
    dark[..., :3] = rng.integers(5, 90, (64, 64, 1))
    grey = textures.greyed(dark, spread=0.3)
    linear = np.asarray(srgb_to_linear(grey[..., 0] / 255.0))
    assert linear.mean() == pytest.approx(textures.GREY_MEAN, rel=0.02)
    assert np.log(linear).std() == pytest.approx(0.3, rel=0.1)
    assert np.corrcoef(linear.ravel(), dark[..., 0].ravel())[0, 1] > 0.9
    assert textures.mean_color(grey) == pytest.approx((textures.GREY_MEAN,) * 3, rel=0.02)


def test_unused_texels_do_not_count():
    share = np.zeros((32, 32))
    share[16:, 16:] = 1
    red, _, blue = textures.mean_color(picture(), share)
    assert red == pytest.approx(1 / 255)
    assert blue == pytest.approx(float(srgb_to_linear(np.float64(200 / 255))), rel=1e-4)


def test_prints_are_covered_with_cloth():
    cloth = np.full((20, 20, 4), 90, np.uint8)
    cloth[2:6, 2:6] = 255
    plain = textures.plain(cloth, [(0.1, 0.1, 0.3, 0.3, 0.5, 0.0)])
    assert (plain == 90).all()
    assert (cloth[2:6, 2:6] == 255).all()


def test_thickened_alpha_spreads_and_stays_in_range():
    line = np.zeros((16, 16, 4), np.uint8)
    line[8, :, 3] = 200
    thick = textures.thickened(line, 1.0, 2.5)
    assert thick[9, 8, 3] > 0
    assert thick[..., 3].max() <= 255


@pytest.mark.parametrize("kind", ["colour", "grey", "opaque"])
def test_png_loses_nothing(kind):
    texture = np.random.default_rng(1).integers(0, 256, (9, 7, 4)).astype(np.uint8)
    if kind == "grey":
        texture[..., 1] = texture[..., 2] = texture[..., 0]
    if kind == "opaque":
        texture[..., 3] = 255
    with Image.open(io.BytesIO(textures.to_png(texture))) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), texture)
