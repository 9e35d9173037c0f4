"""Stand-ins whose answers can be computed by hand: a face model, a network that finds red patches, a fixed regressor."""

import io

import keras
import numpy as np
from PIL import Image

from trainer import contract
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


@keras.saving.register_keras_serializable(package="monoface_tests")
class RedPatch(keras.layers.Layer):
    """68 points on the outline of the red patch of an image; sigmas are large where the patch is cut or missing."""

    def call(self, images):
        ops = keras.ops
        size = images.shape[1]
        red = ops.clip(images[..., 0] - images[..., 1], 0.0, 1.0)
        total = ops.sum(red, axis=(1, 2)) + 1e-6
        centers = (np.arange(size) + 0.5).astype("float32")
        ranges = []
        for weights in (ops.sum(red, axis=1), ops.sum(red, axis=2)):
            mean = ops.sum(weights * centers, axis=1) / total
            variance = ops.sum(weights * (centers - mean[:, None]) ** 2, axis=1) / total
            ranges.append((mean, ops.sqrt(3.0 * variance)))  # a uniform patch reaches sqrt(3) sd to each side
        turns = np.linspace(0, 2 * np.pi, contract.LANDMARK_COUNT, endpoint=False).astype("float32")
        circle = np.cos(turns), np.sin(turns)
        points = ops.stack([m[:, None] + h[:, None] * c for (m, h), c in zip(ranges, circle, strict=True)], axis=-1)
        inner = ops.sum(red[:, 1:-1, 1:-1], axis=(1, 2))
        sigma = 0.1 + 30 * (total - inner) / total + 30 / total
        return points, ops.log(sigma)[:, None] * np.ones((1, contract.LANDMARK_COUNT), "float32")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], contract.LANDMARK_COUNT, 2), (input_shape[0], contract.LANDMARK_COUNT)


def red_patch_network(size: int = 96) -> keras.Model:
    image = keras.Input((size, size, 3))
    return keras.Model(image, list(RedPatch()(image)))


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


def photo(width: int, height: int, patch: tuple[int, int, int, int]) -> np.ndarray:
    """A grey photo `[H, W, 3]` uint8 with a red patch x0, y0, x1, y1."""
    image = np.full((height, width, 3), 90, np.uint8)
    x0, y0, x1, y1 = patch
    image[y0:y1, x0:x1] = (255, 0, 0)
    return image


def encoded(image: np.ndarray, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()
