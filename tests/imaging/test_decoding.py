"""Decoding in the graph: agrees with Pillow's reading, and refuses by index what it cannot read."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.imaging import codecs
from trainer.imaging.decoding import decode_photos

RNG = np.random.default_rng(0)
SMOOTH = np.asarray(Image.fromarray(RNG.integers(0, 255, (4, 5, 4), dtype=np.uint8)).resize((40, 30), Image.BICUBIC))


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decoded(contents):
    photos = decode_photos(contents)
    return photos.pixels.read(0), photos.sizes


RGB, RGBA = Image.fromarray(SMOOTH[..., :3]), Image.fromarray(SMOOTH, "RGBA")
FILES = {
    "png": encoded(RGB, "PNG"),
    "png_alpha": encoded(RGBA, "PNG"),
    "png_grey": encoded(RGB.convert("L"), "PNG"),
    "png_grey_alpha": encoded(RGBA.convert("LA"), "PNG"),
    "png_palette": encoded(RGB.quantize(16), "PNG"),
    "png_palette_alpha": encoded(RGB.quantize(200), "PNG", transparency=bytes(range(200))),
    "png_two_tones": encoded(RGB.convert("1"), "PNG"),
    "jpeg": encoded(RGB, "JPEG", quality=95),
    "jpeg_grey": encoded(RGB.convert("L"), "JPEG", quality=95),
    "jpeg_progressive": encoded(RGB, "JPEG", quality=95, progressive=True),
    "gif": encoded(RGB.quantize(64), "GIF"),
    "gif_animated": encoded(RGB.quantize(64), "GIF", save_all=True, append_images=[RGB.rotate(90).quantize(64)]),
    "bmp": encoded(RGB, "BMP"),
    "bmp_grey": encoded(RGB.convert("L"), "BMP"),
    "bmp_alpha": encoded(RGBA, "BMP"),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_the_codecs(name):
    pixels, sizes = decoded([FILES[name]])
    expected = RGB.copy() if name == "bmp_alpha" else codecs.read_photo(FILES[name])
    np.testing.assert_array_equal(sizes, [[30, 40]])
    np.testing.assert_allclose(pixels.numpy().astype(int), np.asarray(expected).astype(int), atol=4)


def huge_png(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\xff\xd8\xff", "its header is damaged"),
        (b"\x89PNG\r\n\x1a\n", "its header is damaged"),
        (huge_png(100_000, 100_000), "50000000 pixels at most, has 100000 x 100000"),
        (huge_png(2**31 - 1, 2**31 - 1), "pixels at most"),
        (huge_png(100, 100), "truncated or damaged"),
        (encoded(RGB.resize((15, 400)), "PNG"), "at least 16 pixels wide and high, is 15 x 400"),
        (encoded(RGB.quantize(16), "BMP"), "compressed or palette BMP"),
        (FILES["gif"][:300], "truncated or damaged"),
        (FILES["bmp"][:500], "truncated or damaged"),
        (encoded(RGB, "TIFF"), "not one of JPEG, PNG, GIF, BMP"),
        (FILES["jpeg"][:-200], "truncated or damaged"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(content, reason):
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        decoded([FILES["png"], content, FILES["jpeg"]])
    assert "image_bytes[1] could not be decoded" in str(raised.value)
    assert reason in str(raised.value)
