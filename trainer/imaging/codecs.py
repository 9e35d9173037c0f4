"""Photo files to arrays and back: every kind of file is either read right or refused with a named reason.

Pillow and NumPy only, so that clients of a served model and the command line can use it without TensorFlow. Photos come out
upright (EXIF orientation applied), three channels, 8 bits, sRGB (an embedded colour profile is honoured).
"""

import contextlib
import dataclasses
import io
import os
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from trainer import contract

MIN_IMAGE_SIDE: Final = 16
"""Photos narrower or lower than this many pixels are refused: no landmark can be told apart in them."""

FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
"""Formats that are read, by Pillow's names (its JPEG reader also takes MPO, several JPEGs in one file); of several frames or
pages the first. Others (PostScript runs programs, icons and fonts are no photos) are not even tried."""

ALPHA_BACKGROUND: Final = (255, 255, 255)
"""Transparent pixels show white, as in a viewer: cut-out portraits are made to be seen on a page."""

_SIGNATURES: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
)
"""First bytes of `FORMATS`. A file that starts so and yet is none is damaged; any other is no photo."""

_SIZE_FIELDS: Final = {b"\x89PNG": (16, ">II"), b"GIF8": (6, "<HH"), b"BM": (18, "<ii")}
"""Where a header holds width and height, for formats that Pillow does not name as such when one is 0."""


class PhotoError(ValueError):
    """A photo that cannot be used.

    Attributes:
        reason: Short name: `missing`, `not_a_file`, `unreadable`, `empty`, `not_an_image`, `unsupported_format`,
            `zero_size`, `too_small`, `too_many_pixels`, `truncated`, `damaged` or `unsupported_mode`.
    """

    def __init__(self, reason: str, name: str, message: str):
        super().__init__(f"{name}: {message}")
        self.reason = reason
        self.name = name
        self.message = message

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.reason, self.name, self.message)


@dataclasses.dataclass(frozen=True)
class Photo:
    """A decoded photo."""

    image: np.ndarray
    """`[H, W, 3]` uint8, sRGB, upright, reduced where a largest side was asked for."""
    original_height: int
    """Height of the upright photo in the file, pixels."""
    original_width: int
    """Width of the upright photo in the file, pixels."""
    orientation: int = 1
    """EXIF orientation of the pixels in the file, 1 to 8; what it asks for has been done to `image`."""


def read_photo(
    source: str | os.PathLike[str] | bytes,
    name: str | None = None,
    max_pixels: int = contract.MAX_IMAGE_PIXELS,
) -> np.ndarray:
    """Reads a photo.

    Args:
        source: Path of a file, or a file's content.
        name: What messages call it. Defaults to the path.
        max_pixels: Photos whose header claims more are refused before they are decoded.

    Returns:
        `[H, W, 3]` uint8, sRGB, upright.

    Raises:
        PhotoError: If the photo cannot be used; names it and the reason.
    """
    return decode_photo(source, name, max_pixels).image


def decode_photo(
    source: str | os.PathLike[str] | bytes,
    name: str | None = None,
    max_pixels: int = contract.MAX_IMAGE_PIXELS,
    max_side: int | None = None,
) -> Photo:
    """Reads a photo, reduced to a largest side: `read_photo` for those who need less than the whole.

    Args:
        source: Path of a file, or a file's content.
        name: What messages call it. Defaults to the path.
        max_pixels: Photos whose header claims more are refused before they are decoded.
        max_side: Larger photos are reduced, anti-aliased, to this longer side, pixels; None keeps the size.

    Raises:
        PhotoError: If the photo cannot be used; names it and the reason.
    """
    if name is None:
        name = "image" if isinstance(source, bytes) else os.fspath(source)
    with _opened(source, name) as file, warnings.catch_warnings():
        # Pillow warns about sizes (refused below) and about broken metadata (not needed).
        warnings.filterwarnings("ignore", module=r"PIL\.")
        image = _open(file, name, max_pixels)
        try:
            return _decoded(image, name, max_side)
        except PhotoError:
            raise
        except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
            raise PhotoError(_damage(error), name, f"The {image.format} data cannot be decoded: {error}") from error


def encode_jpeg(image: np.ndarray, quality: int = 95, half_chroma: bool = False) -> bytes:
    """A JPEG file without metadata.

    Args:
        image: `[H, W, 3]` uint8, sRGB.
        quality: 1 to 100.
        half_chroma: Whether colour is kept at half the resolution, as cameras do (4:2:0), else at the full one (4:4:4).
    """
    return _encoded(image, "JPEG", quality=quality, subsampling=2 if half_chroma else 0)


def encode_png(image: np.ndarray) -> bytes:
    """A PNG file: `image` is `[H, W, 3]` uint8, sRGB."""
    return _encoded(image, "PNG")


def _encoded(image: np.ndarray, kind: str, **options: int) -> bytes:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"`image` must be [H, W, 3] uint8. Received: {image.dtype} {list(image.shape)}")
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


@contextlib.contextmanager
def _opened(source: str | os.PathLike[str] | bytes, name: str) -> Iterator[BinaryIO]:
    """A seekable file over a path or bytes."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    path = Path(source)
    try:
        if not path.exists():
            raise PhotoError("missing", name, "There is no such file.")
        if not path.is_file():
            raise PhotoError("not_a_file", name, "Must be a file. Received: a folder or a device")
        file = path.open("rb")
    except OSError as error:
        raise PhotoError("unreadable", name, f"The file cannot be opened: {error}") from error
    with file:
        yield file


def _open(file: BinaryIO, name: str, max_pixels: int) -> Image.Image:
    """The image with its header read, and nothing decoded, after all checks that need no pixels."""
    head = file.read(64)
    if not head:
        raise PhotoError("empty", name, "The file has no content.")
    formats = ", ".join(FORMATS)
    if head[4:8] == b"ftyp":
        brand = head[8:12].decode("latin-1").strip()
        raise PhotoError(
            "unsupported_format", name, f"Must be one of {formats}. Received: {brand} (HEIC, AVIF or video)"
        )
    if not head.startswith(_SIGNATURES) or (head.startswith(b"RIFF") and head[8:12] != b"WEBP"):
        raise PhotoError("not_an_image", name, f"Must be one of {formats}. The content is none of them.")
    for signature, (offset, fields) in _SIZE_FIELDS.items():
        if head.startswith(signature) and len(head) >= offset + 8:
            width, height = struct.unpack_from(fields, head, offset)
            if width == 0 or height == 0:
                raise PhotoError("zero_size", name, f"Must have pixels. The header says {width} × {height}.")
    file.seek(0)
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PhotoError("too_many_pixels", name, f"May have {max_pixels:,} pixels at most. {error}") from error
    except UnidentifiedImageError as error:
        raise PhotoError("damaged", name, "Starts like an image, but its header is cut off or wrong.") from error
    except Exception as error:  # as above: any exception from a hostile header
        raise PhotoError(_damage(error), name, f"The header cannot be read: {error}") from error
    width, height = image.size
    if width * height > max_pixels:
        pixels = f"{width} × {height} = {width * height:,}"
        raise PhotoError("too_many_pixels", name, f"May have {max_pixels:,} pixels at most. Received: {pixels}")
    if min(width, height) < MIN_IMAGE_SIDE:
        message = f"Must be at least {MIN_IMAGE_SIDE} pixels wide and high. Received: {width} × {height}"
        raise PhotoError("too_small", name, message)
    return image


def _damage(error: Exception) -> str:
    """Reason of an exception of Pillow's decoders."""
    return "truncated" if "truncated" in str(error).lower() else "damaged"


def _decoded(image: Image.Image, name: str, max_side: int | None) -> Photo:
    """Pixels of an image whose header was read."""
    width, height = image.size
    factor = min(1.0, max_side / max(width, height)) if max_side else 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if factor < 1.0 and image.format in ("JPEG", "MPO"):
        image.draft(None, (2 * size[0], 2 * size[1]))  # decodes at 1/2, 1/4 or 1/8, at least twice what is needed
    image.load()
    rgb = _to_rgb(image, name)
    if factor < 1.0:
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    orientation = _orientation(image)
    if orientation in _TRANSPOSITIONS:
        rgb = rgb.transpose(_TRANSPOSITIONS[orientation])
    if orientation >= 5:
        width, height = height, width
    return Photo(np.array(rgb, np.uint8), height, width, orientation)


_TRANSPOSITIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to what makes the photo upright."""


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where it is absent or makes no sense."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # broken metadata is no reason to lose a photo
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    """Any mode as 8-bit sRGB."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        # 16-bit grey: Pillow's own conversion would clip at 255.
        levels = np.asarray(image).astype(np.float32) / 257.0
        return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise PhotoError("unsupported_mode", name, f"Must have 8 or 16 bits a channel. Received: mode {image.mode}")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, (*ALPHA_BACKGROUND, 255))
        return _through_profile(Image.alpha_composite(background, image).convert("RGB"), image.info)
    if image.mode == "P":
        image = image.convert("RGB")
    return _through_profile(image, image.info).convert("RGB")


def _through_profile(image: Image.Image, info: dict) -> Image.Image:
    """RGB or CMYK through its embedded colour profile to sRGB; unchanged where there is none, or none that fits."""
    profile = info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
