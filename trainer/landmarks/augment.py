"""Crops of canvases as a network is to learn them: turned, moved, stretched, in other tones, partly hidden.

All that happens to a crop's geometry is one affine map, which its landmarks undergo too. The batch of a step depends on the seed
and the step alone, so a training that was stopped goes on with the pictures that it would have seen.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numba
import numpy as np

from trainer import contract
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.config import CropAugmentationConfig, LandmarkTrainingConfig

_FLIP = np.array(contract.LANDMARK_FLIP)
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_TILE = 256
_NOISE = np.random.Generator(np.random.SFC64(_TILE)).standard_normal((_TILE, _TILE), np.float32)


class CropBatch(NamedTuple):
    """What a training step sees."""

    images: np.ndarray
    """`[B, S, S, 3]` uint8 sRGB."""
    points: np.ndarray
    """`[B, 2, 68, 2]` float32, pixels of the crop."""
    known: np.ndarray
    """`[B, 2, 68]` float32."""


class Source(NamedTuple):
    """Faces of one kind, such as renders or photos, among those of a batch."""

    faces: Canvases
    """The faces."""
    share: float
    """Their share of every batch, relative to the other sources' shares."""


def training_batches(
    sources: Canvases | Sequence[Source], config: LandmarkTrainingConfig, first_step: int = 0
) -> Iterator[CropBatch]:
    """Endless batches. Every face of a source comes once before any of them comes again.

    Args:
        sources: The faces: of one kind, or of several in fixed shares of every batch, whose faces follow each other in it.
        config: The training.
        first_step: Step of the first batch.

    Raises:
        ValueError: If a source is empty, or its share is so small that a batch holds none of its faces.
    """
    if isinstance(sources, Canvases):
        sources = [Source(sources, 1.0)]
    schedule, step = config.schedule, first_step
    counts = _counts(sources, schedule.batch_size)
    while True:
        rng = np.random.Generator(np.random.SFC64([schedule.seed, 7919, step]))
        parts = []
        for index, (source, count) in enumerate(zip(sources, counts, strict=True)):
            chosen = _chosen(np.arange(step * count, (step + 1) * count), len(source.faces), schedule.seed, index)
            parts.append(augmented(source.faces, chosen, config, rng))
        yield parts[0] if len(parts) == 1 else CropBatch(*map(np.concatenate, zip(*parts, strict=True)))
        step += 1


def _counts(sources: Sequence[Source], batch_size: int) -> list[int]:
    """How many faces of each source a batch holds."""
    ends = np.round(batch_size * np.cumsum([source.share for source in sources]) / sum(s.share for s in sources))
    counts = np.diff(ends, prepend=0).astype(int).tolist()
    for source, count in zip(sources, counts, strict=True):
        if not len(source.faces) or count < 1:
            raise ValueError(
                "`sources` must each have a face, and a share that is at least one face of a batch. "
                f"Received: {len(source.faces)} faces, share {source.share} of {batch_size}"
            )
    return counts


def _chosen(drawn: np.ndarray, size: int, seed: int, source: int) -> np.ndarray:
    """`[B]` which of `size` faces stand at the places `drawn` `[B]` of an endless series of shuffled epochs."""
    chosen = np.empty(len(drawn), np.int64)
    for epoch in np.unique(drawn // size):
        words = (seed, int(epoch), source) if source else (seed, int(epoch))
        order = np.random.default_rng(words).permutation(size)
        here = drawn // size == epoch
        chosen[here] = order[drawn[here] % size]
    return chosen


def augmented(
    canvases: Canvases, chosen: np.ndarray, config: LandmarkTrainingConfig, rng: np.random.Generator
) -> CropBatch:
    """Crops of some canvases.

    Args:
        canvases: The faces.
        chosen: `[B]` which of them.
        config: Network, canvas and augmentation.
        rng: Source of randomness.
    """
    amounts, size, count = config.augmentation, config.network.image_size, len(chosen)
    images, points, known = canvases.images[chosen], canvases.points[chosen], canvases.known[chosen]
    mirrored = rng.random(count) < amounts.flip
    maps = _affine_maps(count, config, mirrored, rng)
    moved = np.einsum("bij,bsnj->bsni", maps[:, :, :2], points) + maps[:, None, None, :, 2]
    moved = np.where(mirrored[:, None, None, None], moved[:, :, _FLIP], moved)
    known = np.where(mirrored[:, None, None], known[:, :, _FLIP], known)
    donors = canvases.images[rng.integers(len(canvases), size=count)]
    patches = _patches(count, size, amounts, rng)
    tones = _tones(count, amounts, rng)
    gray = rng.random(count) < amounts.gray
    coarse = np.where(rng.random(count) < amounts.blur, rng.uniform(1.3, 3.0, count), 1.0)
    noise = np.where(rng.random(count) < 0.5, amounts.noise * rng.random(count), 0) * 255
    places = rng.integers(_TILE - size + 1 if size < _TILE else 1, size=(count, 2))
    out = np.empty((count, size, size, 3), np.uint8)
    inverse = _inverted(maps)
    for index in range(count):
        _draw(
            images[index],
            donors[index],
            inverse[index],
            patches[index],
            tones[index],
            gray[index],
            coarse[index],
            np.float32(noise[index]),
            places[index],
            _NOISE,
            _LUMINANCE,
            out[index],
        )
    return CropBatch(out, (moved * known[..., None]).astype(np.float32), known.astype(np.float32))


def _affine_maps(
    count: int, config: LandmarkTrainingConfig, mirrored: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """`[B, 2, 3]` from canvas to crop, pixels."""
    amounts, canvas, network = config.augmentation, config.canvas, config.network
    longer = canvas.size / (1 + 2 * canvas.margin)  # of every face's box, pixels of the canvas
    scale = network.image_size / (longer * (1 + 2 * network.margin))
    scale = scale * np.exp(rng.uniform(-1, 1, count) * math.log1p(amounts.scale))
    angle = np.radians(amounts.rotation) * rng.uniform(-1, 1, count)
    aspect, shear = amounts.stretch * rng.standard_normal((2, count)) / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, sine], [-sine, cosine]]).transpose(2, 0, 1)
    stretch = np.array([[np.exp(aspect), shear], [shear, np.exp(-aspect)]]).transpose(2, 0, 1)
    linear = scale[:, None, None] * np.einsum("bij,bjk->bik", turn, stretch)
    linear[mirrored, :, 0] *= -1
    middle = np.full(2, canvas.size / 2)
    shift = network.image_size / 2 + amounts.shift * longer * scale[:, None] * rng.standard_normal((count, 2))
    return np.concatenate([linear, (shift - linear @ middle)[:, :, None]], axis=2)


def _inverted(maps: np.ndarray) -> np.ndarray:
    linear = np.linalg.inv(maps[:, :, :2])
    return np.concatenate([linear, -np.einsum("bij,bj->bi", linear, maps[:, :, 2])[:, :, None]], axis=2)


def _tones(count: int, amounts: CropAugmentationConfig, rng: np.random.Generator) -> np.ndarray:
    """`[B, 3, 256]` float32: new value of each channel's values."""
    gain = np.exp(amounts.gain * rng.standard_normal((count, 1)) + amounts.color * rng.standard_normal((count, 3)))
    gamma = np.exp(amounts.gamma * rng.standard_normal((count, 1, 1)))
    contrast = 1 + amounts.contrast * rng.standard_normal((count, 1, 1)).clip(-2, 2)
    pivot = rng.uniform(0.3, 0.6, (count, 1, 1))
    levels = np.linspace(0, 1, 256)[None, None] ** gamma * gain[:, :, None]
    levels = pivot + (levels - pivot) * contrast if amounts.contrast else levels
    return (levels * 255).astype(np.float32)


def _patches(count: int, size: int, amounts: CropAugmentationConfig, rng: np.random.Generator) -> np.ndarray:
    """`[B, 6]` float32 ellipses that hide: centre, half axes, cosine and sine of their turn; no half axis, no patch."""
    center = rng.uniform(0, size, (count, 2))
    half = size * rng.uniform(0.06, 0.25, (count, 2)) * (rng.random((count, 1)) < amounts.occlusion)
    angle = rng.uniform(0, math.pi, count)
    return np.column_stack([center, half, np.cos(angle), np.sin(angle)]).astype(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _draw(image, donor, inverse, patch, tone, gray, coarse, noise, place, grain, luminance, out):  # type: ignore[no-untyped-def]
    """One crop of `image` `[P, P, 3]` into `out` `[S, S, 3]`."""
    side, size = image.shape[0], out.shape[0]
    small = max(8, int(size / coarse))
    ratio = size / small
    step = math.sqrt(abs(inverse[0, 0] * inverse[1, 1] - inverse[0, 1] * inverse[1, 0])) * ratio
    samples = 2 if step > 1.3 else 1
    drawn = np.empty((small, small, 3), np.float32)
    values = np.zeros(3, np.float32)
    for y in range(small):
        for x in range(small):
            values[:] = 0
            for sample in range(samples * samples):
                dx = (sample % samples + 0.5) / samples
                dy = (sample // samples + 0.5) / samples
                cx, cy = (x + dx) * ratio, (y + dy) * ratio
                u = inverse[0, 0] * cx + inverse[0, 1] * cy + inverse[0, 2] - 0.5
                v = inverse[1, 0] * cx + inverse[1, 1] * cy + inverse[1, 2] - 0.5
                source = image
                if patch[2] > 0:
                    px, py = cx - patch[0], cy - patch[1]
                    along = (patch[4] * px + patch[5] * py) / patch[2]
                    across = (patch[4] * py - patch[5] * px) / patch[3]
                    if along * along + across * across < 1:
                        source = donor
                left, top = math.floor(u), math.floor(v)
                if left < -1 or top < -1 or left >= side or top >= side:
                    continue
                fu, fv = np.float32(u - left), np.float32(v - top)
                for row in range(2):
                    yy = int(top) + row
                    if yy < 0 or yy >= side:
                        continue
                    wv = fv if row else 1 - fv
                    for column in range(2):
                        xx = int(left) + column
                        if xx < 0 or xx >= side:
                            continue
                        weight = wv * (fu if column else 1 - fu)
                        for channel in range(3):
                            values[channel] += weight * source[yy, xx, channel]
            for channel in range(3):
                level = values[channel] / (samples * samples)
                low = min(int(level), 254)
                part = np.float32(level - low)
                drawn[y, x, channel] = (1 - part) * tone[channel, low] + part * tone[channel, low + 1]
            if gray:
                mean = luminance[0] * drawn[y, x, 0] + luminance[1] * drawn[y, x, 1] + luminance[2] * drawn[y, x, 2]
                drawn[y, x, :] = mean
    for y in range(size):
        v = min(max((y + 0.5) / ratio - 0.5, 0.0), small - 1.0)
        top = min(int(v), small - 2)
        fv = np.float32(v - top)
        for x in range(size):
            u = min(max((x + 0.5) / ratio - 0.5, 0.0), small - 1.0)
            left = min(int(u), small - 2)
            fu = np.float32(u - left)
            grains = noise * grain[(place[0] + y) % grain.shape[0], (place[1] + x) % grain.shape[1]]
            for channel in range(3):
                upper = (1 - fu) * drawn[top, left, channel] + fu * drawn[top, left + 1, channel]
                lower = (1 - fu) * drawn[top + 1, left, channel] + fu * drawn[top + 1, left + 1, channel]
                value = (1 - fv) * upper + fv * lower + grains + np.float32(0.5)
                out[y, x, channel] = np.uint8(min(max(value, 0), 255))
