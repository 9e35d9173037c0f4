"""Small textures of cloth and strands of hair, made once a process, and the colours of dyed cloth.

A texture's colours multiply those of the vertices, so that they are near white: sRGB, `[H, W, 4]` uint8 with straight alpha.
"""

import functools

import numba
import numpy as np

CLOTHS = ("plain", "knit", "weave", "stripes", "checks")
VARIANTS = 4
"""How many of each kind there are."""
_SIZE = 64


@functools.lru_cache(maxsize=64)
def cloth(kind: str, variant: int) -> np.ndarray:
    """`[64, 64, 4]` a piece of cloth, read-only.

    Args:
        kind: One of `CLOTHS`.
        variant: 0 to `VARIANTS` - 1.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind not in CLOTHS:
        raise ValueError(f"`kind` must be one of {CLOTHS}. Received: {kind!r}")
    rng = np.random.default_rng([CLOTHS.index(kind), variant])
    y, x = np.mgrid[:_SIZE, :_SIZE] / _SIZE
    grain = smooth_noise(rng, (_SIZE, _SIZE), (1.0, 1.0))
    color = np.ones(3)
    amount = np.zeros((_SIZE, _SIZE))
    if kind == "knit":
        cells = 8 + 2 * variant
        slant = np.abs(((x * cells) % 1) - 0.5)
        loops = 0.5 + 0.5 * np.cos(2 * np.pi * (y * cells + slant))
        shade = 0.5 + 0.45 * loops * (0.6 + 0.4 * np.sin(np.pi * ((x * cells) % 1))) + 0.04 * grain
    elif kind == "weave":
        cells = 12 + 4 * variant
        over = (np.floor(x * cells) + np.floor(y * cells)) % 2
        thread = np.where(over > 0, np.sin(np.pi * ((x * cells) % 1)), np.sin(np.pi * ((y * cells) % 1)))
        shade = 0.68 + 0.25 * thread + 0.05 * grain
    else:
        shade = 0.9 + 0.05 * grain
    if kind in ("stripes", "checks"):
        count, wide, color = 2 + 2 * variant, rng.uniform(0.25, 0.6), rng.uniform(0.1, 0.9, 3)
        amount = ((y * count) % 1 < wide).astype(float)
        if kind == "checks":
            amount = 0.5 * amount + 0.5 * ((x * count) % 1 < wide)
    texture = np.full((_SIZE, _SIZE, 4), 255, np.uint8)
    texture[..., :3] = np.clip(255 * shade[..., None] * (1 + amount[..., None] * (color - 1)), 0, 255)
    texture.flags.writeable = False
    return texture


def sample_cloth(rng: np.random.Generator) -> np.ndarray:
    """One of the cloths."""
    kind = CLOTHS[int(np.searchsorted((0.3, 0.55, 0.75, 0.9), rng.random()))]
    return cloth(kind, int(rng.integers(VARIANTS)))


def sample_dye(rng: np.random.Generator) -> np.ndarray:
    """`[3]` linear RGB of dyed cloth: mostly dark or muted, sometimes bright, sometimes white."""
    draw = rng.random()
    if draw < 0.3:
        return np.full(3, rng.uniform(0.008, 0.06)) * rng.uniform(0.8, 1.2, 3)
    if draw < 0.42:
        return np.full(3, rng.uniform(0.5, 0.85)) * rng.uniform(0.92, 1.0, 3)
    strength, grey = rng.uniform(0.05, 0.6), rng.uniform(0.2, 0.9)
    hue = rng.random(3) ** 2.2
    return strength * (grey * hue.mean() + (1 - grey) * hue) / max(hue.max(), 0.2) + 0.01


_CURLS = 3
"""Steps of curl above straight for which there are pictures."""


def strands(rows: int, columns: int, thickness: float, curl: float, variant: int) -> np.ndarray:
    """How far strands of hair reach, as a picture: they run along the rows' axis. Made once a process.

    Args:
        rows: Of the picture.
        columns: Same.
        thickness: Of a straight strand, pixels; curls are up to twice as thick.
        curl: 0 straight; 1 as blobby as long. Rounded to thirds.
        variant: Any number.

    Returns:
        `[2, rows, columns]` float32 in [0, 1], evenly spread, read-only: the reach, and another picture of the kind for the
        brightness.
    """
    return _strands(rows, columns, thickness, round(curl * _CURLS), variant)


@functools.lru_cache(maxsize=96)
def _strands(rows: int, columns: int, thickness: float, curl_step: int, variant: int) -> np.ndarray:
    rng = np.random.default_rng([rows, columns, round(100 * thickness), curl_step, variant])
    curl = curl_step / _CURLS
    thickness = thickness * (1 + curl)
    length = thickness * (1 + 11 * (1 - curl))
    pictures = []
    for _ in range(2):
        noise = smooth_noise(rng, (rows, columns), (length, thickness))
        bend = 1.5 * thickness * smooth_noise(rng, (rows, columns), (2.5 * thickness + 3, 4 * thickness))
        bent = (np.arange(columns)[None, :] + (0.5 + curl) * bend).astype(int) % columns
        noise = np.take_along_axis(noise, bent, axis=1)
        rank = np.empty(noise.size, np.float32)
        rank[np.argsort(noise, axis=None)] = np.linspace(0, 1, noise.size, dtype=np.float32)
        pictures.append(rank.reshape(noise.shape))
    result = np.stack(pictures)
    result.flags.writeable = False
    return result


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma: tuple[float, float]) -> np.ndarray:
    """`shape` normal noise, smoothed by a Gaussian of these pixels along each axis; it tiles, mean 0, deviation 1."""
    spectrum = np.fft.rfft2(rng.normal(size=shape))
    y, x = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    noise = np.fft.irfft2(spectrum * np.exp(-2 * np.pi**2 * ((sigma[0] * y) ** 2 + (sigma[1] * x) ** 2)), shape)
    return (noise - noise.mean()) / noise.std()


@numba.njit(cache=True, nogil=True)
def painted_strands(mask, reach, shade, cover, base, dark, bright):  # type: ignore[no-untyped-def]
    """A layer of hair as a texture.

    Args:
        mask: `[H, W]` float32 how thick it grows, in [0, 1]; the first row is the lowest.
        reach: `[H', W']` float32 of `strands`, at least as large.
        shade: Same.
        cover: Share of strands that reach this layer where it is thickest.
        base: Alpha between the strands there.
        dark: sRGB of the darkest strands, 0 to 255.
        bright: Of the brightest.

    Returns:
        `[H, W, 4]` uint8, its first row the highest.
    """
    rows, columns = mask.shape
    texture = np.empty((rows, columns, 4), np.uint8)
    for row in range(rows):
        for column in range(columns):
            thick = mask[row, column]
            alpha = 3 * (reach[row, column] - 1 + 1.25 * cover * thick)
            alpha = min(max(alpha, base * thick, 0.0), 1.0)
            grey = np.uint8(dark + (bright - dark) * shade[row, column])
            for channel in range(3):
                texture[rows - 1 - row, column, channel] = grey
            texture[rows - 1 - row, column, 3] = np.uint8(255 * alpha)
    return texture
