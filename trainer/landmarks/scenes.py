"""Training pictures of the face locator: rendered heads at any size, place and number, in front of anything, and none at all.

A scene follows from (seed, number) alone. Heads come as cut-outs, pictures with alpha, so that no square around a head gives it
away; what others or things hide is known, and a face that shows too little counts neither as one nor as none.
"""

import io
import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from trainer import contract, examples
from trainer.landmarks import scene_kernels as kernels
from trainer.landmarks.locator import STRIDE
from trainer.landmarks.scene_config import SceneConfig

TARGETS: Final = 6
"""Values a cell, see `scene_kernels.fill_targets`."""

_LEAST_SEEN: Final = 0.5
"""Share of a face's box from which on it is to be found."""
_SPREAD, _LEAST_SPREAD = 0.1, 0.45
"""Of the bell around a face's centre: share of the box's sides, and cells."""
_NOISE_SIDE: Final = 512
_LEAST_OF_MOST, _LEAST_OF_BACKGROUND = 0.7, 0.15
"""Least side of a background's part, share of its side: of those nearly whole, whose details are as small as a photo's, and of
others."""


class Cutouts(NamedTuple):
    """Heads to paste."""

    pictures: np.ndarray
    """`[N, P, P, 4]` uint8, straight sRGB and alpha."""
    points: np.ndarray
    """`[N, 68, 2]` float32 `basel` landmarks, pixels of the picture."""


class Scene(NamedTuple):
    """One training picture."""

    image: np.ndarray
    """`[S, S, 3]` uint8 sRGB."""
    boxes: np.ndarray
    """`[N, 4]` float32 tight boxes of the landmarks, pixels; they may reach beyond the frame."""
    states: np.ndarray
    """`[N]` int8: 1 a face to be found, 0 one that is too small, too hidden or too far outside to count either way."""


def read_cutouts(shards: Sequence[str]) -> Cutouts:
    """Reads TFRecord files of cut-outs (`components.synthetic_face_gen.cutouts`) into memory.

    Raises:
        ValueError: If no file is named.
    """
    import tensorflow as tf

    if not shards:
        raise ValueError("`shards` must name at least one file. Received: none")
    pictures, points = [], []
    for record in tf.data.TFRecordDataset(list(shards)).as_numpy_iterator():
        described = examples.decode(record)
        pictures.append(np.asarray(Image.open(io.BytesIO(described[contract.IMAGE_ENCODED]))))
        points.append(np.asarray(described[contract.LANDMARKS_XY], np.float32).reshape(-1, 2))
    return Cutouts(np.stack(pictures), np.stack(points))


class SceneMaker:
    """Makes scenes of cut-outs and backgrounds held in memory."""

    def __init__(self, cutouts: Cutouts, backgrounds: np.ndarray, config: SceneConfig, size: int, seed: int):
        """Takes what scenes are made of.

        Args:
            cutouts: Heads.
            backgrounds: `[N, P, P, 3]` uint8 pictures without people.
            config: What is drawn how often.
            size: S, side of the scenes, pixels.
            seed: Of all scenes.
        """
        self._cutouts, self._backgrounds, self._config, self._size = cutouts, backgrounds, config, size
        self._seed = seed
        side = max(_NOISE_SIDE, 2 * size)
        self._noise = np.random.default_rng(seed).standard_normal((side, side, 3), np.float32)
        self._texture = np.empty((size, size, 3), np.float32)

    def scene(self, number: int) -> Scene:
        """The scene of a number, 0 or more."""
        rng = np.random.Generator(np.random.SFC64([self._seed, number]))
        config, size = self._config, self._size
        canvas = self._background(rng)
        owners = np.full((size, size), kernels.NOBODY, np.int16)
        content = _content(rng, config, size)
        if rng.random() < config.body_share:
            self._paste_body(canvas, owners, rng)
        boxes, painted = self._paste_heads(canvas, owners, content, rng)
        while rng.random() < config.cover_share:
            self._cover(canvas, owners, boxes, rng)
        seen = np.array(
            [
                kernels.count_owned(owners, index, _clipped(box, content)) / max(count, 1) * _inside(box, content)
                for index, (box, count) in enumerate(zip(boxes, painted, strict=True))
            ]
        )
        image = self._developed(canvas, content, rng)
        if not len(boxes):
            return Scene(image, np.zeros((0, 4), np.float32), np.zeros(0, np.int8))
        longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / size
        center = (boxes[:, 2:] + boxes[:, :2]) / 2
        within = ((center > content[:2]) & (center < content[2:])).all(axis=1)
        states = (seen >= _LEAST_SEEN) & within & (longer >= config.smallest_face)
        shown = (seen > 0) | states
        return Scene(image, boxes[shown], states[shown].astype(np.int8))

    def batch(self, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """`[count, S, S, 3]` uint8 images and `[count, S / 8, S / 8, TARGETS]` float32 targets of a step."""
        cells = self._size // STRIDE
        images = np.empty((count, self._size, self._size, 3), np.uint8)
        targets = np.empty((count, cells, cells, TARGETS), np.float32)
        for index in range(count):
            scene = self.scene(step * count + index)
            images[index] = scene.image
            kernels.fill_targets(scene.boxes, scene.states, STRIDE, _SPREAD, _LEAST_SPREAD, targets[index])
        return images, targets

    def batches(self, count: int, first_step: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Endless batches, from a step on."""
        step = first_step
        while True:
            yield self.batch(step, count)
            step += 1

    def _background(self, rng: np.random.Generator) -> np.ndarray:
        """`[S, S, 3]` float32 part of a background, lighter or darker; sometimes two side by side."""
        canvas = np.empty((self._size, self._size, 3), np.float32)
        self._fill(canvas, rng)
        if rng.random() < self._config.split_share:
            edge = int(self._size * rng.uniform(0.15, 0.85))
            part = canvas[edge:] if rng.random() < 0.5 else canvas[:, edge:]
            self._fill(part, rng)
        return canvas

    def _fill(self, canvas: np.ndarray, rng: np.random.Generator) -> None:
        """Overwrites a canvas with a part of a background."""
        picture = self._backgrounds[rng.integers(len(self._backgrounds))]
        if rng.random() < self._config.strange_background_share:
            picture = np.rot90(picture, int(rng.integers(4)))[..., rng.permutation(3)]
        picture, whole = np.ascontiguousarray(picture), picture.shape[0]
        whole_share = self._config.whole_background_share
        least = _LEAST_OF_MOST if rng.random() < whole_share else _LEAST_OF_BACKGROUND
        height = width = whole * math.exp(rng.uniform(math.log(least), 0.0))
        if rng.random() < 0.3:
            width = min(whole, width * rng.uniform(0.5, 2.0))
        left, top = rng.uniform(0, whole - width), rng.uniform(0, whole - height)
        kernels.sample_square(picture, left, top, width, height, bool(rng.random() < 0.5), canvas)
        canvas *= np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.06, 3)).astype(np.float32)
        np.minimum(canvas, 255, out=canvas)

    def _paste_heads(
        self, canvas: np.ndarray, owners: np.ndarray, content: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[int]]:
        """Pastes heads, far ones first; `[N, 4]` boxes and how many pixels of each were painted inside the photo."""
        config, extent = self._config, content[2:] - content[:2]
        count = int(rng.choice(len(config.number_shares), p=config.number_shares))
        if count > config.few:
            count = int(rng.integers(count, 2 * count))
        room = float(extent.min())
        largest = config.largest_face / math.sqrt(max(count, 1))
        sizes = np.full(count, room) * np.exp(rng.uniform(math.log(config.smallest_drawn), math.log(largest)))
        sizes *= np.exp(rng.normal(0, 0.3, count)) if count > 1 else 1.0
        boxes, painted = [], []
        for owner, face in enumerate(np.sort(np.minimum(sizes, config.largest_face * room))):
            chosen = int(rng.integers(len(self._cutouts.pictures)))
            inset = (0.45 if rng.random() > config.cut_off_share else 0.0) * face
            reach = np.maximum(extent / 2 - inset, 0)
            center = content[:2] + extent / 2 + reach * rng.uniform(-1, 1, 2)
            forward, points = self._placed(chosen, face, center, rng)
            gains = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.05, 3)).astype(np.float32)
            below = self._cutouts.pictures.shape[1] * rng.uniform(0.2, 3.0)
            boxes.append(np.concatenate([points.min(axis=0), points.max(axis=0)]))
            frame = self._frame(boxes[-1], rng) if rng.random() < config.framed_share else None
            before = canvas.copy(), owners.copy()
            if frame is not None:
                self._fill(canvas[frame], rng)
                owners[frame] = kernels.NOBODY
            kernels.paste(
                canvas, owners, self._cutouts.pictures[chosen], _inverse(forward), gains, owner, 0, int(below)
            )
            painted.append(kernels.count_owned(owners, owner, _clipped(boxes[-1], content)))
            if frame is not None:
                for now, was in zip((canvas, owners), before, strict=True):
                    was[frame] = now[frame]
                    now[...] = was
        return np.array(boxes, np.float32).reshape(-1, 4), painted

    def _placed(
        self, chosen: int, face: float, center: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """`[2, 3]` map from a cut-out to the frame, and its `[68, 2]` points there."""
        config, points = self._config, self._cutouts.points[chosen].astype(np.float64)
        kind, share = rng.random(), rng.uniform(-1, 1)
        angle = math.radians(
            180 * share
            if kind < config.any_turn_share
            else 45 * share
            if kind < config.any_turn_share + config.large_turn_share
            else 10 * share
        )
        mirror = -1.0 if rng.random() < 0.5 else 1.0
        turned = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) @ np.diag(
            [mirror, 1]
        )
        low, high = points.min(axis=0), points.max(axis=0)
        linear = turned * face / (high - low).max()
        forward = np.column_stack([linear, center - linear @ ((low + high) / 2)])
        return forward, points @ linear.T + forward[:, 2]

    def _frame(self, box: np.ndarray, rng: np.random.Generator) -> tuple[slice, slice]:
        """Rows and columns of a picture in the picture around a face: a poster, a screen, a collage."""
        center = (box[:2] + box[2:]) / 2 + (box[2:] - box[:2]) * rng.uniform(-0.15, 0.15, 2)
        half = (box[2:] - box[:2]).max() * rng.uniform(0.55, 1.3, 2)
        left, top = np.clip(center - half, 0, self._size - 2).astype(int)
        right, bottom = np.clip(np.ceil(center + half), 2, self._size).astype(int)
        return slice(top, max(bottom, top + 2)), slice(left, max(right, left + 2))

    def _paste_body(self, canvas: np.ndarray, owners: np.ndarray, rng: np.random.Generator) -> None:
        """Pastes what is below a head's chin alone: a body that ends at the neck is no face."""
        chosen = int(rng.integers(len(self._cutouts.pictures)))
        face = self._size * math.exp(rng.uniform(math.log(0.1), math.log(0.9)))
        forward, _ = self._placed(chosen, face, self._size * rng.uniform(0, 1, 2), rng)
        chin = int(self._cutouts.points[chosen][:, 1].max()) + 6
        gains = np.exp(rng.normal(0, 0.25, 3)).astype(np.float32)
        picture = self._cutouts.pictures[chosen]
        kernels.paste(canvas, owners, picture, _inverse(forward), gains, kernels.NOBODY, chin, picture.shape[0])

    def _cover(self, canvas: np.ndarray, owners: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> None:
        """Puts something in front, every other time near a face."""
        size = self._size
        center, scale = size * rng.uniform(0, 1, 2), size * rng.uniform(0.1, 0.5)
        if len(boxes) and rng.random() < 0.5:
            box = boxes[rng.integers(len(boxes))]
            center = (box[:2] + box[2:]) / 2 + (box[2:] - box[:2]) * rng.uniform(-0.9, 0.9, 2)
            scale = float((box[2:] - box[:2]).max()) * rng.uniform(0.2, 0.8)
        half = scale * rng.uniform(0.15, 0.6, 2)
        self._fill(self._texture, rng)
        kernels.cover(canvas, owners, self._texture, center, half, rng.uniform(0, math.pi), bool(rng.random() < 0.5))

    def _developed(self, canvas: np.ndarray, content: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """`[S, S, 3]` uint8: what a camera, and those who pass pictures on, make of a canvas."""
        config, size = self._config, self._size
        if rng.random() < config.low_resolution_share:
            side = int(size * rng.uniform(0.25, 0.8))
            small = np.empty((side, side, 3), np.float32)
            kernels.sample_square(canvas, 0.0, 0.0, float(size), float(size), False, small)
            kernels.sample_square(small, 0.0, 0.0, float(side), float(side), False, canvas)
        if rng.random() < config.blur_share:
            sigma = rng.uniform(0.4, 1.6)
            steps = np.arange(-math.ceil(2.5 * sigma), math.ceil(2.5 * sigma) + 1)
            kernel = np.exp(-np.square(steps / sigma) / 2)
            canvas = kernels.blur(canvas, (kernel / kernel.sum()).astype(np.float32))
        gains = np.exp(rng.normal(0, 0.18) + rng.normal(0, 0.08, 3)).astype(np.float32)
        noise = np.square(rng.uniform(0, 1, 2)) * (8, 6) * (rng.random() < config.noise_share)
        saturation = 0.0 if rng.random() < config.grey_share else rng.uniform(0.4, 1.4)
        contrast, gamma = math.exp(rng.normal(0, 0.18)), math.exp(rng.normal(0, 0.2))
        tone = np.array([contrast, gamma, saturation, *noise], np.float32)
        y, x = rng.integers(self._noise.shape[0] - size, size=2)
        image = np.empty((size, size, 3), np.uint8)
        kernels.develop(canvas, self._noise[y : y + size, x : x + size], gains, tone, content.astype(np.int64), image)
        return _compressed(image, int(rng.integers(20, 90))) if rng.random() < config.jpeg_share else image


def _content(rng: np.random.Generator, config: SceneConfig, size: int) -> np.ndarray:
    """`[4]` part of the frame that the photo covers: a letterboxed photo of any format has bars on two sides."""
    bar = rng.uniform(0, config.widest_bar) * size if rng.random() < config.letterbox_share else 0.0
    low = np.array([round(bar), 0] if rng.random() < 0.5 else [0, round(bar)], np.float64)
    return np.concatenate([low, size - low])


def _inverse(forward: np.ndarray) -> np.ndarray:
    """`[2, 3]` the inverse of an affine map."""
    linear = np.linalg.inv(forward[:, :2])
    return np.column_stack([linear, -linear @ forward[:, 2]])


def _clipped(box: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The part of a box inside another."""
    return np.concatenate([np.maximum(box[:2], content[:2]), np.minimum(box[2:], content[2:])])


def _inside(box: np.ndarray, content: np.ndarray) -> float:
    """Share of a box's area inside another."""
    clipped = _clipped(box, content)
    return float(np.prod(np.maximum(clipped[2:] - clipped[:2], 0)) / max(np.prod(box[2:] - box[:2]), 1e-9))


def _compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """A picture as a JPEG file shows it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
