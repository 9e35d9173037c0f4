"""A small face model and shards of faces whose every number is known: one bright dot per landmark, nothing else."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer import contract, examples
from trainer.imaging.codecs import encode_png
from trainer.morphable.model import LandmarkSet, MorphableModel
from trainer.rendering import camera as cameras

IDENTITY, EXPRESSION = 3, 2
SIZE = 96
"""Side of the images, pixels."""


def face_model(seed: int = 0) -> MorphableModel:
    """A face model of 70 random vertices whose landmarks are the first 68."""
    rng = np.random.default_rng(seed)
    vertices = 70
    triangles = np.stack([np.arange(vertices), np.roll(np.arange(vertices), -1), np.roll(np.arange(vertices), -2)], -1)
    landmarks = LandmarkSet(np.arange(contract.LANDMARK_COUNT), np.tile([1.0, 0.0, 0.0], (contract.LANDMARK_COUNT, 1)))
    return MorphableModel(
        name="tiny",
        mean=rng.uniform(-50, 50, (vertices, 3)),
        identity=rng.normal(0, 3, (IDENTITY, vertices, 3)),
        identity_sd=np.ones(IDENTITY),
        expression=rng.normal(0, 4, (EXPRESSION, vertices, 3)),
        expression_names=("a", "b"),
        expression_range=np.tile([0.0, 1.0], (EXPRESSION, 1)),
        expression_sd=np.ones(EXPRESSION),
        albedo_mean=np.full((vertices, 3), 0.5),
        albedo=np.zeros((1, vertices, 3)),
        albedo_sd=np.ones(1),
        triangles=triangles,
        uv=np.zeros((vertices, 2)),
        landmarks=dict.fromkeys(contract.LANDMARK_SETS, landmarks),
        regions={},
        mirror=np.arange(vertices),
        provenance={},
        licence="CC0-1.0",
    )


def dots(points: np.ndarray, size: int) -> np.ndarray:
    """Black image `[size, size, 3]` uint8 with a soft white dot, 1.5 pixels wide, at every point."""
    grid = np.arange(size) + 0.5
    near_x = np.exp(-((grid[None, :] - points[:, :1]) ** 2) / 4.5)
    near_y = np.exp(-((grid[None, :] - points[:, 1:2]) ** 2) / 4.5)
    gray = np.clip(np.einsum("ny,nx->yx", near_y, near_x), 0, 1)
    return np.repeat((255 * gray).astype(np.uint8)[..., None], 3, axis=-1)


def features(face: MorphableModel, index: int, kind: str = contract.SCALED_ORTHOGRAPHIC) -> dict:
    """A face with everything the contract has for it; the image shows landmark `index % 68` alone."""
    rng = np.random.default_rng(1_000 + index)
    shape, expression = rng.normal(0, 1, IDENTITY), rng.uniform(0, 1, EXPRESSION)
    euler = rng.uniform(-35, 35, 3)
    points = face.landmark_points(face.vertices(shape, expression)).astype(np.float64)
    if kind == contract.SCALED_ORTHOGRAPHIC:
        shift = np.array([*rng.uniform(44, 52, 2), 0.0])
        matrix, field = cameras.scaled_orthographic_matrix(euler, rng.uniform(0.4, 0.5), shift), 0.0
        projected = cameras.project(points, matrix, kind)
    else:
        matrix, field = cameras.perspective_matrix(euler, np.array([0.0, 0.0, 5_000.0])), 2.0
        projected = cameras.project(points, matrix, kind, field, SIZE, SIZE)
    described = {
        contract.IMAGE_ENCODED: encode_png(dots(projected[index % 68 : index % 68 + 1], SIZE)),
        contract.IMAGE_HEIGHT: SIZE,
        contract.IMAGE_WIDTH: SIZE,
        contract.IMAGE_ID: f"{index}",
        contract.DOMAIN: contract.DOMAIN_SYNTHETIC,
        contract.LANDMARKS_XY: projected[:, :2],
        contract.LANDMARKS_Z: projected[:, 2],
        contract.LANDMARKS_SET: contract.LANDMARK_SETS[0],
        contract.FACE_BOX: [*projected[:, :2].min(0), *projected[:, :2].max(0)],
        contract.CAMERA_KIND: kind,
        contract.CAMERA_MATRIX: matrix,
        contract.MORPHABLE_SHAPE: shape,
        contract.MORPHABLE_EXPRESSION: expression,
    }
    return {**described, contract.CAMERA_FIELD_OF_VIEW: field} if field else described


def photo(face: MorphableModel, index: int) -> dict:
    """What a photo with detected landmarks carries."""
    whole = features(face, index)
    kept = (contract.IMAGE_ENCODED, contract.LANDMARKS_XY, contract.FACE_BOX)
    return {
        **{key: whole[key] for key in kept},
        contract.DOMAIN: contract.DOMAIN_PHOTO,
        contract.LANDMARKS_SET: contract.LANDMARK_SETS[1],
    }


def write(path: Path, records: list[dict]) -> str:
    """One GZIP TFRecord file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(examples.encode(record))
    return str(path)
