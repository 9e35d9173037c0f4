import contextlib
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from trainer.imaging import codecs
from trainer.imaging.codecs import PhotoError

MAX_ERROR = 12
"""Of a smooth colour after JPEG, levels."""


def photo(width: int = 48, height: int = 32) -> np.ndarray:
    """Four smooth quarters: red, green, blue and white from the top left, clockwise from there."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (250, 10, 10)
    image[: height // 2, width // 2 :] = (10, 250, 10)
    image[height // 2 :, width // 2 :] = (10, 10, 250)
    image[height // 2 :, : width // 2] = (250, 250, 250)
    return image


def encoded(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int, depth: int = 8, color: int = 2) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def noise(size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)


def assert_is_photo(image: np.ndarray, error: int = MAX_ERROR) -> None:
    expected = photo(image.shape[1], image.shape[0])
    assert image.dtype == np.uint8
    assert image.shape == expected.shape
    height, width = image.shape[:2]
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            assert np.abs(image[y, x].astype(int) - expected[y, x]).max() <= error, (x, y)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_every_format_is_read(kind: str) -> None:
    assert_is_photo(codecs.read_photo(encoded(photo(), kind)), error=25)


def test_paths_and_bytes_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "photo of a face.dat"
    path.write_bytes(encoded(photo(), "PNG"))
    np.testing.assert_array_equal(codecs.read_photo(path), photo())
    np.testing.assert_array_equal(codecs.read_photo(str(path)), codecs.read_photo(path.read_bytes()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(orientation: int) -> None:
    # How a camera held in each way stores the upright picture.
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: np.rot90(a, -1),
    }[orientation](photo())
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(np.ascontiguousarray(stored), "JPEG", exif=exif.tobytes(), quality=95, subsampling=0)
    assert_is_photo(codecs.read_photo(data))
    reduced = codecs.decode_photo(data, max_side=24)
    assert reduced.image.shape == (16, 24, 3)
    assert (reduced.original_height, reduced.original_width, reduced.orientation) == (32, 48, orientation)


def test_broken_exif_does_not_lose_the_photo() -> None:
    assert_is_photo(codecs.read_photo(encoded(photo(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", quality=95)))


def test_cmyk_jpeg_with_adobes_inverted_values() -> None:
    data = encoded(Image.fromarray(photo()).convert("CMYK"), "JPEG", quality=95, subsampling=0)
    assert b"Adobe" in data
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    assert_is_photo(codecs.read_photo(data), error=20)


def test_eight_bit_grey() -> None:
    grey = np.tile(np.arange(0, 256, 4, np.uint8), (32, 1))
    image = codecs.read_photo(encoded(grey, "PNG"))
    np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(kind: str) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    image = codecs.read_photo(encoded(ramp, kind))
    np.testing.assert_allclose(image[0, :, 0], ramp[0] / 257, atol=0.51)
    assert image[0, -1, 0] == 255


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_sixteen_bit_png_of_every_kind(kind: int, channels: int) -> None:
    """Grey and colour, with and without alpha, written by the format's definition."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    ramp = np.linspace(0, 65535, 64).astype(">u2")
    pixels = np.repeat(np.tile(ramp, (32, 1))[..., None], channels, axis=2)
    if channels in (2, 4):
        pixels[..., -1] = 65535
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", 64, 32, 16, kind, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    image = codecs.read_photo(data)
    np.testing.assert_allclose(image, np.repeat((ramp / 257)[None, :, None], 32, axis=0).repeat(3, axis=2), atol=1)


def test_palette_and_bilevel() -> None:
    palette = Image.fromarray(photo()).quantize(8)
    assert_is_photo(codecs.read_photo(encoded(palette, "PNG")))
    bits = Image.fromarray((photo()[..., 1] > 128).astype(np.uint8) * 255).convert("1")
    image = codecs.read_photo(encoded(bits, "PNG"))
    assert image[4, 4].tolist() == [0, 0, 0]
    assert image[4, 40].tolist() == [255, 255, 255]


def test_transparent_pixels_show_the_background() -> None:
    rgba = np.dstack([photo(), np.full(photo().shape[:2], 255, np.uint8)])
    rgba[:16, :24, 3] = 0
    rgba[16:, 24:, 3] = 128
    image = codecs.read_photo(encoded(rgba, "PNG"))
    assert image[4, 4].tolist() == list(codecs.ALPHA_BACKGROUND)
    np.testing.assert_array_equal(image[4, 40], photo()[4, 40])
    np.testing.assert_allclose(image[20, 40], (10 * 0.5 + 127, 10 * 0.5 + 127, 250 * 0.5 + 127), atol=2)


def test_transparent_palette_entry() -> None:
    palette = Image.fromarray(photo()).quantize(8)
    index = palette.getpixel((4, 4))
    image = codecs.read_photo(encoded(palette, "PNG", transparency=index))
    assert image[4, 4].tolist() == list(codecs.ALPHA_BACKGROUND)
    np.testing.assert_allclose(image[4, 40], photo()[4, 40], atol=MAX_ERROR)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first(kind: str) -> None:
    other = Image.fromarray(np.full((32, 48, 3), 77, np.uint8))
    data = encoded(photo(), kind, save_all=True, append_images=[other, other])
    assert_is_photo(codecs.read_photo(data), error=30)


def test_an_embedded_profile_is_honoured() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The same with another name, and the primaries of red and blue exchanged in its table of tags.
    exchanged = srgb.replace(b"rXYZ", b"@XYZ").replace(b"bXYZ", b"rXYZ").replace(b"@XYZ", b"bXYZ")
    exchanged = exchanged.replace("sRGB".encode("utf-16-be"), "none".encode("utf-16-be"))
    assert exchanged != srgb
    for profile, expected in ((srgb, photo()), (b"no profile at all", photo()), (exchanged, photo()[..., ::-1])):
        image = codecs.read_photo(encoded(photo(), "PNG", icc_profile=profile))
        np.testing.assert_allclose(image, expected, atol=3)


def test_reduction_keeps_the_picture_and_its_proportions() -> None:
    for kind in ("JPEG", "PNG"):
        reduced = codecs.decode_photo(encoded(photo(1200, 800), kind), max_side=120)
        assert reduced.image.shape == (80, 120, 3)
        assert (reduced.original_height, reduced.original_width) == (800, 1200)
        assert_is_photo(reduced.image)
    assert codecs.decode_photo(encoded(photo(), "PNG"), max_side=1000).image.shape == (32, 48, 3)


def test_what_is_written_is_read_back() -> None:
    np.testing.assert_array_equal(codecs.read_photo(codecs.encode_png(noise())), noise())
    assert_is_photo(codecs.read_photo(codecs.encode_jpeg(photo())))
    # Chroma at full resolution: single-pixel colours survive.
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    assert np.abs(codecs.read_photo(codecs.encode_jpeg(stripes)).astype(int) - stripes).mean() < 8


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_wrong_arrays_are_not_written(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"`image` must be \[H, W, 3\] uint8"):
        codecs.encode_jpeg(image)


HOSTILE = {
    "empty": (b"", "empty"),
    "text": (b"just some words, nothing else, in a file called .jpg", "not_an_image"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "not_an_image"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),
    "wave": (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40, "not_an_image"),
    "heic": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "unsupported_format"),
    "zeros": (b"\0" * 4096, "not_an_image"),
    "truncated jpeg": (encoded(noise(), "JPEG")[:1800], "truncated"),
    "truncated png": (encoded(noise(), "PNG")[:4000], "truncated"),
    "truncated header": (encoded(noise(), "JPEG")[:200], "truncated"),
    "one byte of a jpeg": (b"\xff\xd8\xff", "damaged"),
    "damaged png": (encoded(noise(), "PNG")[:60] + b"\0" * 500 + encoded(noise(), "PNG")[560:], "damaged"),
    "zero size png": (png_header(0, 40), "zero_size"),
    "zero size gif": (b"GIF89a" + struct.pack("<HHBBB", 0, 0, 0, 0, 0) + b";", "zero_size"),
    "one pixel": (encoded(noise(1), "PNG"), "too_small"),
    "thin": (encoded(np.zeros((2, 500, 3), np.uint8), "PNG"), "too_small"),
    "over Pillow's limit": (png_header(60000, 60000), "too_many_pixels"),
    "in Pillow's range of warnings": (png_header(10000, 10000), "too_many_pixels"),
    "floating point": (encoded(Image.fromarray(np.zeros((32, 32), np.float32)), "TIFF"), "unsupported_mode"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_usable_photo_is_refused_with_its_reason(case: str, tmp_path: Path) -> None:
    data, reason = HOSTILE[case]
    path = tmp_path / "face.jpg"
    path.write_bytes(data)
    for source in (path, data):
        with pytest.raises(PhotoError) as caught:
            codecs.read_photo(source, name="album/face.jpg")
        assert (caught.value.reason, caught.value.name) == (reason, "album/face.jpg")
        assert str(caught.value).startswith("album/face.jpg: ")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.jpg", "missing"), (tmp_path, "not_a_file")):
        with pytest.raises(PhotoError) as caught:
            codecs.read_photo(path)
        assert caught.value.reason == reason
        assert str(path) in str(caught.value)


def test_the_pixel_limit_is_checked_before_decoding() -> None:
    data = encoded(photo(200, 100), "PNG")
    assert codecs.read_photo(data, max_pixels=20_000).shape == (100, 200, 3)
    with pytest.raises(PhotoError, match=r"19,999 pixels at most. Received: 200 × 100 = 20,000"):
        codecs.read_photo(data, max_pixels=19_999)
    # The pixels are not there: had they been asked for, the reason would be another.
    with pytest.raises(PhotoError) as caught:
        codecs.read_photo(png_header(8000, 8000))
    assert caught.value.reason == "too_many_pixels"


def test_every_cut_of_a_file_is_a_photo_error() -> None:
    rng = np.random.default_rng(1)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        data = encoded(noise(24), kind)
        for length in range(0, len(data) - 200, max(1, len(data) // 40)):
            with pytest.raises(PhotoError):
                codecs.read_photo(data[:length])
        for _ in range(40):
            broken = bytearray(data)
            for position in rng.integers(0, len(data), 6):
                broken[position] = rng.integers(0, 256)
            with contextlib.suppress(PhotoError):
                assert codecs.read_photo(bytes(broken)).dtype == np.uint8


def test_reading_leaves_pillow_and_the_warnings_as_they_were() -> None:
    from PIL import ImageFile

    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    for data, _ in HOSTILE.values():
        with pytest.raises(PhotoError):
            codecs.read_photo(data)
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


def test_errors_travel_between_processes() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(PhotoError("empty", "a.jpg", "The file has no content.")))
    assert (error.reason, str(error)) == ("empty", "a.jpg: The file has no content.")
