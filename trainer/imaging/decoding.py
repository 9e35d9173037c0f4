"""Photo bytes to pixels inside a TensorFlow graph, for models that are served: `codecs` for those who have no Python there.

JPEG, PNG, GIF (first frame) and BMP with 1, 3 or 4 channels, by the rules of `trainer.imaging.codecs` for limits and
transparency. What a graph cannot do: EXIF orientation and embedded colour profiles are not applied, so a client sends photos
upright and in sRGB, and converts other formats.

A broken photo must not become a wrong face, nor hide which of a batch it was: decoders run behind a tf.data pipeline that
swallows their errors, and all reasons are raised together, by index.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from trainer import contract
from trainer.imaging.alignment import crop_image
from trainer.imaging.codecs import ALPHA_BACKGROUND, MIN_IMAGE_SIDE

_BMP_PALETTE_OFFSET = 54
_BMP_GREY_PALETTE = np.stack([*[np.arange(256)] * 3, np.zeros(256)], axis=-1).astype(np.uint8).tobytes()
_HEADER_BYTES = _BMP_PALETTE_OFFSET + len(_BMP_GREY_PALETTE)
_UNKNOWN, _JPEG, _PNG, _GIF, _BMP = range(5)
_SIGNATURES = {_JPEG: b"\xff\xd8\xff", _PNG: b"\x89PNG\r\n\x1a\n", _GIF: b"GIF8", _BMP: b"BM"}


class Photos(NamedTuple):
    """Decoded photos of different sizes."""

    pixels: tf.TensorArray
    """B elements `[H, W, 3]` uint8, sRGB."""
    sizes: Any
    """`[B, 2]` int32 height and width."""

    def sample(self, transforms: Any, size: int, owners: Any = None) -> Any:
        """Resamples square crops, anti-aliased; black outside the photo.

        Args:
            transforms: `[N, 3]` crop transforms, see `trainer.imaging.alignment`.
            size: Side of the crops, pixels.
            owners: `[N]` int32 index of each crop's photo; by default there is one crop a photo, in order.

        Returns:
            `[N, size, size, 3]` float32, sRGB in [0, 1].
        """
        if owners is None:
            owners = tf.range(tf.shape(transforms)[0])

        def one(index_and_transform: Any) -> Any:
            index, transform = index_and_transform
            photo = tf.ensure_shape(self.pixels.read(index), [None, None, 3])
            return crop_image(photo, transform, size) / 255.0

        with tf.device("/CPU:0"):  # where the photos are, and the only kernel
            return tf.map_fn(one, (owners, transforms), fn_output_signature=tf.float32)


def photos_of(pixels: Any) -> Photos:
    """One photo that is decoded already.

    Args:
        pixels: `[H, W, 3]` uint8 tensor, sRGB, upright.
    """
    with tf.device("/CPU:0"):
        array = tf.TensorArray(tf.uint8, 1, infer_shape=False, element_shape=[None, None, 3], clear_after_read=False)
        return Photos(array.write(0, pixels), tf.shape(pixels)[None, :2])


def decode_photos(image_bytes: Any, name: str = contract.INPUT_IMAGE_BYTES) -> Photos:
    """Decodes a batch of photos of any sizes; for use inside a `tf.function`.

    Args:
        image_bytes: `[B]` strings.
        name: What errors call the input.

    Returns:
        The photos. Running it raises `tf.errors.InvalidArgumentError`, which names the index and the reason of every photo
        that is empty, of another format, smaller than `MIN_IMAGE_SIDE` or larger than `contract.MAX_IMAGE_PIXELS`
        (both read from the header, before decoding), or damaged.
    """
    with tf.device("/CPU:0"):
        count = tf.shape(image_bytes)[0]
        pixels = tf.TensorArray(
            tf.uint8, count, infer_shape=False, element_shape=[None, None, 3], clear_after_read=False
        )
        reasons = tf.TensorArray(tf.string, count, element_shape=[])

        def body(index: Any, pixels: Any, reasons: Any) -> Any:
            image, reason = _decode(image_bytes[index])
            return index + 1, pixels.write(index, image), reasons.write(index, reason)

        loop = tf.while_loop(lambda index, *_: index < count, body, (0, pixels, reasons), parallel_iterations=4)
        _, pixels, reasons = loop
        reasons = reasons.stack()
        broken = tf.cast(tf.reshape(tf.where(tf.strings.length(reasons) > 0), [-1]), tf.int32)
        lines = tf.strings.join([f"{name}[", tf.strings.as_string(broken), "] ", tf.gather(reasons, broken)])
        passed = tf.debugging.Assert(tf.size(broken) == 0, [tf.strings.reduce_join(lines, separator=" ")])
        with tf.control_dependencies([passed]):
            sizes = tf.map_fn(lambda i: tf.shape(pixels.read(i))[:2], tf.range(count), fn_output_signature=tf.int32)
        return Photos(pixels, tf.ensure_shape(sizes, [None, 2]))


def _attempt(function: Callable[[Any], Any], value: Any, fallback: Any) -> Any:
    """`function(value)`, or `fallback` where an op in it fails."""
    attempt = tf.data.Dataset.from_tensors(value).map(function).ignore_errors()
    return attempt.concatenate(tf.data.Dataset.from_tensors(fallback)).take(1).get_single_element()


def _decode(content: Any) -> tuple[Any, Any]:
    """`[H, W, 3]` uint8 and an empty reason, or no pixels and why not."""
    padded = tf.strings.join([content, tf.constant(b"\0" * _HEADER_BYTES)])
    kind = tf.constant(_UNKNOWN)
    for candidate, signature in _SIGNATURES.items():
        kind = tf.where(tf.strings.substr(padded, 0, len(signature)) == signature, candidate, kind)
    size = tf.switch_case(
        kind,
        [
            lambda: tf.constant([0, 0]),
            lambda: _attempt(_jpeg_size, content, tf.constant([0, 0])),
            lambda: tf.stack([_field(padded, offset, tf.int32, little_endian=False) for offset in (20, 16)]),
            lambda: tf.stack([_field(padded, offset, tf.uint16) for offset in (8, 6)]),
            lambda: tf.abs(tf.stack([_field(padded, offset, tf.int32) for offset in (22, 18)])),
        ],
    )
    within_limit = tf.cast(size[0], tf.int64) * tf.cast(size[1], tf.int64) <= contract.MAX_IMAGE_PIXELS
    shown = tf.strings.join([tf.strings.as_string(size[1]), " x ", tf.strings.as_string(size[0])])
    problems = (
        (tf.strings.length(content) == 0, "it is empty."),
        (kind == _UNKNOWN, "it is not one of JPEG, PNG, GIF, BMP."),
        (tf.reduce_any(size <= 0), "its header is damaged."),
        (~within_limit, tf.strings.join([f"it may have {contract.MAX_IMAGE_PIXELS} pixels at most, has ", shown, "."])),
        (
            tf.reduce_min(size) < MIN_IMAGE_SIDE,
            tf.strings.join([f"it must be at least {MIN_IMAGE_SIDE} pixels wide and high, is ", shown, "."]),
        ),
        ((kind == _BMP) & ~_is_plain_bmp(padded), "it is a compressed or palette BMP."),
    )
    reason = tf.constant("")
    for applies, text in reversed(problems):
        reason = tf.where(applies, text, reason)
    nothing = tf.zeros([0, 0, 3], tf.uint8)
    image = tf.cond(
        tf.strings.length(reason) == 0,
        lambda: tf.switch_case(
            kind,
            [lambda: nothing]
            + [lambda decoder=decoder: _attempt(decoder, content, nothing) for decoder in (_jpeg, _png, _gif, _bmp)],
        ),
        lambda: nothing,
    )
    image = tf.ensure_shape(image, [None, None, 3])
    undecoded = (tf.strings.length(reason) == 0) & (tf.size(image) == 0)
    reason = tf.where(undecoded, "its data is truncated or damaged.", reason)
    return image, tf.where(tf.strings.length(reason) > 0, tf.strings.join(["could not be decoded: ", reason]), reason)


def _field(padded: Any, offset: int, dtype: tf.DType, little_endian: bool = True) -> Any:
    """An integer of a header, as int32."""
    octets = tf.strings.substr(padded, offset, dtype.size)
    return tf.cast(tf.io.decode_raw(octets, dtype, little_endian=little_endian)[0], tf.int32)


def _is_plain_bmp(padded: Any) -> Any:
    """Whether a BMP is uncompressed 24 or 32 bits, or 8 bits of grey: the only ones that the decoder shows as they are."""
    bits, compression = _field(padded, 28, tf.uint16), _field(padded, 30, tf.int32)
    palette = tf.strings.substr(padded, _BMP_PALETTE_OFFSET, len(_BMP_GREY_PALETTE))
    is_grey = (bits == 8) & (palette == tf.constant(_BMP_GREY_PALETTE))
    return ((compression == 0) | (compression == 3)) & ((bits == 24) | (bits == 32) | is_grey)


def _jpeg_size(content: Any) -> Any:
    return tf.image.extract_jpeg_shape(content)[:2]


def _jpeg(content: Any) -> Any:
    return tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")


def _png(content: Any) -> Any:
    # Not `channels=4`: what that adds to a picture of less than 8 bits is no opaque alpha.
    pixels = tf.ensure_shape(tf.io.decode_png(content), [None, None, None])
    return tf.switch_case(
        tf.shape(pixels)[2] - 1,
        [
            lambda: tf.tile(pixels[..., :1], [1, 1, 3]),
            lambda: _over_background(tf.tile(pixels[..., :1], [1, 1, 3]), pixels[..., 1:2]),
            lambda: pixels[..., :3],
            lambda: _over_background(pixels[..., :3], pixels[..., 3:4]),
        ],
    )


def _over_background(color: Any, alpha: Any) -> Any:
    color, alpha = tf.cast(color, tf.int32), tf.cast(alpha, tf.int32)
    blended = color * alpha + tf.constant(ALPHA_BACKGROUND) * (255 - alpha)
    return tf.cast((blended + 127) // 255, tf.uint8)


def _gif(content: Any) -> Any:
    return tf.ensure_shape(tf.io.decode_image(content, channels=3, expand_animations=False), [None, None, 3])


def _bmp(content: Any) -> Any:
    pixels = tf.io.decode_bmp(content)
    pixels = tf.cond(
        tf.shape(pixels)[2] == 1, lambda: tf.image.grayscale_to_rgb(pixels[..., :1]), lambda: pixels[..., :3]
    )
    return tf.ensure_shape(pixels, [None, None, 3])
