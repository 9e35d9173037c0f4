"""One rendered face as a `tf.Example`, with everything that it was made from."""

import json
from typing import Any, Final

import numpy as np

from components.synthetic_face_gen import labels
from components.synthetic_face_gen.backgrounds import sample_background
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.image_chain import develop
from components.synthetic_face_gen.sampling import SURROUNDINGS_STREAM, FaceSample, generator, sample
from trainer import configuration, contract, examples
from trainer.imaging.alignment import landmark_box
from trainer.morphable.model import MorphableModel
from trainer.rendering import camera as cameras
from trainer.rendering.forward import ForwardImage, render_image
from trainer.rendering.landmark_visibility import landmark_visibility

GENERATOR_VERSION: Final = 1
"""Raised whenever the same configuration, model and index give other bytes than before."""

DEPTH_TOLERANCE: Final = 6.0
"""A landmark this many millimetres behind the nearest surface still counts as on it: the corners of a closed mouth lie
almost 5 behind the lips that they separate, what a nose or a cheek hides lies 8 and more behind."""


def render_example(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> bytes:
    """Renders an image and describes it.

    Args:
        config: The data set.
        model: The face model.
        index: Number of the image, in [0, count).

    Returns:
        A serialised `tf.Example` by `trainer.contract`; the same bytes for the same arguments.

    Raises:
        ValueError: If the index is out of range, a rendered value is not finite, or (`PhotoError`) a background cannot be read.
    """
    return examples.encode(features(config, model, index))


def features(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> dict[str, Any]:
    """The example's features before they are serialised, by key of the contract."""
    face = sample(config, model, index)
    rng = generator(config.seed, SURROUNDINGS_STREAM, index)
    image = _render(config, model, face, rng)
    if not np.isfinite(image.color).all():
        raise ValueError(f"Image {index} has values that are not finite; is the face model sound?")
    camera, size = face.camera, config.image_size
    projected = cameras.project(face.landmarks, camera.matrix, camera.kind, camera.field_of_view, size, size)
    neutral = model.landmark_points(model.vertices(face.shape), config.landmark_set)
    person, moment = f"{config.seed}-{face.identity:07d}", f"{config.seed}-{face.identity:07d}-{face.view:03d}"
    described: dict[str, Any] = {
        contract.IMAGE_ENCODED: develop(image.color, config, rng),
        contract.IMAGE_HEIGHT: size,
        contract.IMAGE_WIDTH: size,
        contract.IMAGE_ID: image_id(config, index),
        contract.DOMAIN: contract.DOMAIN_SYNTHETIC,
        contract.IDENTITY: person,
        contract.MOMENT: moment,
        contract.LANDMARKS_XY: projected[:, :2],
        contract.LANDMARKS_Z: projected[:, 2],
        contract.LANDMARKS_VISIBLE: landmark_visibility(projected, image.depth, _tolerance(face, size)),
        contract.LANDMARKS_SOURCE: contract.SOURCE_TRUTH,
        contract.LANDMARKS_SET: config.landmark_set,
        contract.FACE_BOX: landmark_box(projected),
        contract.POSE_EULER: face.euler,
        contract.POSE_YAW_BIN: contract.yaw_bin(float(face.euler[0])),
        contract.CAMERA_KIND: camera.kind,
        contract.CAMERA_MATRIX: camera.matrix,
        contract.MORPHABLE_SHAPE: face.shape,
        contract.MORPHABLE_EXPRESSION: face.expression,
        contract.MORPHABLE_ALBEDO: face.albedo,
        contract.LIGHT_HARMONICS: face.light.harmonics,
        contract.LIGHT_DIRECTION: face.light.direction,
        contract.LIGHT_COLOR: face.light.color,
        contract.LIGHT_SPECULAR: face.light.specular,
        contract.LIGHT_SHININESS: face.light.shininess,
        contract.SKIN_TONE_BIN: labels.skin_tone_bin(labels.skin_color(model, face.colors, config.landmark_set)),
        contract.EXPRESSION_BIN: labels.expression_bin(face.landmarks, neutral),
        contract.OCCLUDED: 0,
        contract.PROVENANCE: _provenance(config, model, index),
    }
    if camera.kind == contract.PERSPECTIVE:
        described[contract.CAMERA_FIELD_OF_VIEW] = camera.field_of_view
    return described


def image_id(config: SyntheticFaceConfig, index: int) -> str:
    """Name of an image, unique among data sets of different seeds."""
    return f"synthetic-{config.seed}-{index:08d}"


def _render(
    config: SyntheticFaceConfig, model: MorphableModel, face: FaceSample, rng: np.random.Generator
) -> ForwardImage:
    size = config.image_size
    background = sample_background(config.background, size, rng)
    return render_image(
        face.vertices,
        face.colors,
        model.triangles,
        face.camera,
        face.light,
        (size, size),
        config.supersample,
        background,
    )


def _tolerance(face: FaceSample, size: int) -> float:
    """`DEPTH_TOLERANCE` in pixels at the face's distance."""
    matrix = face.camera.matrix
    if face.camera.kind == contract.SCALED_ORTHOGRAPHIC:
        return DEPTH_TOLERANCE * float(np.linalg.norm(matrix[0, :3]))
    return DEPTH_TOLERANCE * float(cameras.focal_length(face.camera.field_of_view, size) / matrix[2, 3])


def _provenance(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> str:
    return json.dumps(
        {
            "generator": "synthetic_face_gen",
            "generator_version": GENERATOR_VERSION,
            "seed": config.seed,
            "index": index,
            "morphable_model": model.name,
            "morphable_model_sha256": model.sha256,
            "config": configuration.to_mapping(config),
        },
        sort_keys=True,
    )
