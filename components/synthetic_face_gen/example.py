"""One rendered face as a `tf.Example`, with everything that it was made from."""

from typing import Any

from components.synthetic_face_gen import labels
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.studio import GENERATOR_VERSION, Studio
from trainer import contract, examples
from trainer.imaging.alignment import landmark_box
from trainer.morphable.model import MorphableModel

__all__ = ["GENERATOR_VERSION", "features", "image_id", "render_example"]

_KEPT_STUDIOS = 2
_studios: dict[tuple[SyntheticFaceConfig, str], Studio] = {}


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
    studio = studio_of(config, model)
    picture = studio.photograph(index)
    face, light, size = picture.face, picture.face.light, config.image_size
    person = f"{config.seed}-{face.identity:07d}"
    described: dict[str, Any] = {
        contract.IMAGE_ENCODED: picture.jpeg,
        contract.IMAGE_HEIGHT: size,
        contract.IMAGE_WIDTH: size,
        contract.IMAGE_ID: image_id(config, index),
        contract.DOMAIN: contract.DOMAIN_SYNTHETIC,
        contract.IDENTITY: person,
        contract.MOMENT: f"{person}-{face.moment:03d}",
        contract.LANDMARKS_XY: picture.projected[:, :2],
        contract.LANDMARKS_Z: picture.projected[:, 2],
        contract.LANDMARKS_VISIBLE: picture.visibility.visible,
        contract.LANDMARKS_SOURCE: contract.SOURCE_TRUTH,
        contract.LANDMARKS_SET: config.landmark_set,
        contract.FACE_BOX: landmark_box(picture.projected),
        contract.POSE_EULER: face.euler,
        contract.POSE_YAW_BIN: contract.yaw_bin(float(face.euler[0])),
        contract.POSE_SHOULDERS: face.shoulders,
        contract.CAMERA_KIND: face.camera.kind,
        contract.CAMERA_MATRIX: face.camera.matrix,
        contract.MORPHABLE_SHAPE: face.person.shape,
        contract.MORPHABLE_EXPRESSION: face.expression,
        contract.MORPHABLE_ALBEDO: face.person.albedo,
        contract.LIGHT_HARMONICS: light.harmonics,
        contract.LIGHT_DIRECTION: light.direction,
        contract.LIGHT_COLOR: light.color,
        contract.LIGHT_SPECULAR: light.specular,
        contract.LIGHT_SHININESS: light.shininess,
        contract.LIGHT_SHADOW: int(face.shadow),
        contract.SKIN_TONE_BIN: labels.skin_tone_bin(face.person.skin_color),
        contract.EXPRESSION_BIN: labels.expression_bin(face.landmarks, face.person.landmarks),
        contract.OCCLUDED: int(picture.visibility.occluded),
        contract.PROVENANCE: studio.describe(picture),
    }
    if picture.outline is not None:
        described[contract.LANDMARKS_OUTLINE_XY] = picture.outline
    if face.camera.kind == contract.PERSPECTIVE:
        described[contract.CAMERA_FIELD_OF_VIEW] = face.camera.field_of_view
    if face.person.freeform is not None:
        described[contract.MORPHABLE_FREEFORM] = face.person.freeform
    if light.lamp_positions is not None:
        described[contract.LIGHT_LAMP_POSITIONS] = light.lamp_positions
        described[contract.LIGHT_LAMP_COLORS] = light.lamp_colors
    if light.specular_complement is not None:
        described[contract.LIGHT_SPECULAR_COMPLEMENT] = light.specular_complement
    return described


def image_id(config: SyntheticFaceConfig, index: int) -> str:
    """Name of an image, unique among data sets of different seeds."""
    return f"synthetic-{config.seed}-{index:08d}"


def studio_of(config: SyntheticFaceConfig, model: MorphableModel) -> Studio:
    """The studio of a data set and a model; those last used are kept.

    Raises:
        ValueError: If the model does not fit the configuration.
    """
    key = config, model.sha256
    studio = _studios.pop(key, None) or Studio(config, model)
    _studios[key] = studio
    while len(_studios) > _KEPT_STUDIOS:
        del _studios[next(iter(_studios))]
    return studio


def forget_studios() -> None:
    """Frees what is kept."""
    _studios.clear()
