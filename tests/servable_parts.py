"""Stand-ins whose answers can be computed by hand: a face model, networks that find coloured patches, a fixed regressor."""

import io

import keras
import numpy as np
from PIL import Image

from trainer import contract
from trainer.landmarks.finder import FaceNetworks
from trainer.landmarks.locator import STRIDE
from trainer.morphable.model import LandmarkSet, MorphableModel

VERTEX_COUNT = 90


def tiny_model(seed: int = 0) -> MorphableModel:
    """A face model of 90 random vertices whose landmarks are the first 68."""
    rng = np.random.default_rng(seed)
    triangles = np.stack([np.arange(VERTEX_COUNT), np.roll(np.arange(VERTEX_COUNT), -1)] * 2, axis=-1)[:, :3]
    landmarks = LandmarkSet(np.arange(contract.LANDMARK_COUNT), np.tile([1.0, 0.0, 0.0], (contract.LANDMARK_COUNT, 1)))
    return MorphableModel(
        name="tiny",
        mean=rng.uniform(-60, 60, (VERTEX_COUNT, 3)),
        identity=rng.normal(0, 3, (4, VERTEX_COUNT, 3)),
        identity_sd=np.ones(4),
        expression=rng.normal(0, 3, (3, VERTEX_COUNT, 3)),
        expression_names=("a", "b", "c"),
        expression_range=np.tile([0.0, 1.0], (3, 1)),
        expression_sd=np.ones(3),
        albedo_mean=np.full((VERTEX_COUNT, 3), 0.5),
        albedo=np.zeros((1, VERTEX_COUNT, 3)),
        albedo_sd=np.ones(1),
        triangles=triangles,
        uv=np.zeros((VERTEX_COUNT, 2)),
        landmarks=dict.fromkeys(contract.LANDMARK_SETS, landmarks),
        regions={},
        mirror=np.arange(VERTEX_COUNT),
        provenance={},
        licence="CC0-1.0",
    )


def extent_of(weights):
    """Mean and half extent along x and y `[B, 2]` of a uniform patch, and its total weight `[B]`, of `[B, S, S]` weights."""
    ops = keras.ops
    centers = (np.arange(weights.shape[1]) + 0.5).astype("float32")
    total = ops.sum(weights, axis=(1, 2)) + 1e-6
    means, halves = [], []
    for line in (ops.sum(weights, axis=1), ops.sum(weights, axis=2)):
        mean = ops.sum(line * centers, axis=1) / total
        variance = ops.sum(line * (centers - mean[:, None]) ** 2, axis=1) / total
        means.append(mean)
        halves.append(ops.sqrt(3.0 * variance))  # a uniform patch reaches sqrt(3) sd to each side
    return ops.stack(means, axis=-1), ops.stack(halves, axis=-1), total


def unit_circle():
    """`[68, 2]` points on a circle of radius 1 that are the same in a mirrored image."""
    turns = np.linspace(0, 2 * np.pi, contract.LANDMARK_COUNT, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    for index, other in enumerate(contract.LANDMARK_FLIP):
        circle[other] = (0, (-1) ** index) if other == index else circle[index] * (-1, 1)
    return circle.astype("float32")


@keras.saving.register_keras_serializable(package="monoface_tests")
class ColorPatch(keras.layers.Layer):
    """68 points on an ellipse in the red or green patch of an image; sigmas are large where the patch is cut or missing.

    The `outline` points lie a tenth further out.
    """

    def call(self, images):
        ops = keras.ops
        color = ops.clip(ops.abs(images[..., 0] - images[..., 1]), 0.0, 1.0)
        mean, half, total = extent_of(color)
        sets = [mean[:, None] + reach * half[:, None] * unit_circle() for reach in (1.0, 1.1)]
        inner = ops.sum(color[:, 1:-1, 1:-1], axis=(1, 2))
        sigma = 0.1 + 30 * (total - inner) / total + 30 / total
        ones = np.ones((1, len(contract.LANDMARK_SETS), contract.LANDMARK_COUNT), "float32")
        return ops.stack(sets, axis=1), ops.log(sigma)[:, None, None] * ones

    def compute_output_shape(self, input_shape):
        shape = (input_shape[0], len(contract.LANDMARK_SETS), contract.LANDMARK_COUNT)
        return (*shape, 2), shape


@keras.saving.register_keras_serializable(package="monoface_tests")
class ColorBoxes(keras.layers.Layer):
    """Cells as a locator's: one face where red is, one where green is."""

    def call(self, images):
        ops = keras.ops
        size, grid = images.shape[1], images.shape[1] // STRIDE
        difference = images[..., 0] - images[..., 1]
        cells = 0.0
        for weights in (ops.clip(difference, 0.0, 1.0), ops.clip(-difference, 0.0, 1.0)):
            mean, half, total = extent_of(weights)
            place = ops.clip(ops.cast(mean / STRIDE, "int32"), 0, grid - 1)
            column, row = ops.one_hot(place[:, 0], grid), ops.one_hot(place[:, 1], grid)
            here = (
                row[:, :, None, None] * column[:, None, :, None] * ops.cast(total > 1, "float32")[:, None, None, None]
            )
            offset = mean / STRIDE - ops.cast(place, "float32") - 0.5
            logs = ops.log(ops.maximum(2 * half, 0.5) / size)
            said = ops.concatenate([16 + 0 * offset[:, :1], offset, logs], axis=-1)
            cells = cells + here * said[:, None, None]
        return cells - np.array([8, 0, 0, 0, 0], "float32")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] // STRIDE, input_shape[1] // STRIDE, 5)


def color_patch_networks(size: int = 96) -> FaceNetworks:
    """Networks that take a red patch, and a green one, for faces."""
    image, frame = keras.Input((size, size, 3)), keras.Input((128, 128, 3))
    return FaceNetworks(keras.Model(image, list(ColorPatch()(image))), keras.Model(frame, ColorBoxes()(frame)))


def tiny_networks() -> FaceNetworks:
    """The project's own, tiny, with random weights."""
    from trainer.landmarks import locator, network
    from trainer.landmarks.config import LandmarkNetworkConfig
    from trainer.landmarks.locator_config import LocatorConfig

    keras.utils.set_random_seed(0)
    return FaceNetworks(
        network.build(LandmarkNetworkConfig.preset("tiny")), locator.build(LocatorConfig.preset("tiny"))
    )


class FixedRegressor:
    """Always the same camera and coefficients, in the crop's frame."""

    image_size = 120
    margin = 0.2
    matrix = np.array([[0.5, 0.0, 0.0, 63.0], [0.0, 0.5, 0.0, 58.0], [0.0, 0.0, 0.5, 7.0]], np.float32)
    shape = np.array([1.0, -2.0], np.float32)
    expression = np.array([0.5], np.float32)

    def __call__(self, images, landmarks):
        assert tuple(images.shape[1:]) == (self.image_size, self.image_size, 3)
        assert tuple(landmarks.shape[1:]) == (contract.LANDMARK_COUNT, 2)
        ones = keras.ops.ones_like(images[:, 0, 0, :1])
        return ones[..., None] * self.matrix, ones * self.shape, ones * self.expression


def photo(
    width: int, height: int, patch: tuple[int, int, int, int] | None, green: tuple[int, int, int, int] | None = None
) -> np.ndarray:
    """A grey photo `[H, W, 3]` uint8 with a red patch x0, y0, x1, y1, and a green one."""
    image = np.full((height, width, 3), 90, np.uint8)
    for box, color in ((patch, (255, 0, 0)), (green, (0, 255, 0))):
        if box is not None:
            x0, y0, x1, y1 = box
            image[y0:y1, x0:x1] = color
    return image


def encoded(image: np.ndarray, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()
