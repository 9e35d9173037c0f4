"""What every part of monoface agrees on: frames, landmark indices, example features and serving signatures.

Standard library only, so that a client of a served model can import it without TensorFlow.

Frames
------
Image frame: right-handed; x right, y down, z away from the camera. x and y are pixels with (0, 0) at the top-left corner of
the image, so that the centre of its first pixel is (0.5, 0.5). z is in the same scale as x and y, 0 at the origin of the
model frame, and grows away from the camera: the nose tip of a frontal face has a negative z.

Model frame: right-handed; x to the image's right when the face looks at the camera, y up, z out of the face; millimetres;
origin between the eyes' and the mouth's centres.

Rotation: `R = R_z(roll) R_y(yaw) R_x(pitch)` on column vectors in the model frame, right-handed. Degrees at the API.
yaw > 0 turns the nose to the image's right, pitch > 0 lowers it, roll > 0 turns the head counter-clockwise in the image.

Cameras, with `FLIP = diag(1, -1, -1)` (model axes to image axes, a proper rotation):
- `scaled_orthographic`, matrix `[f R | t]`: image = FLIP (f R) X + t; f in pixels per millimetre; t = (x, y, z) of the model
  frame's origin in the image frame, pixels.
- `perspective`, matrix `[R | t]`: camera = FLIP R X + t, millimetres; t = the model frame's origin in the camera's frame (x
  right, y down, z away; t_z > 0 is its distance). With F = (height / 2) / tan(field_of_view / 2):
  x = width / 2 + F camera_x / camera_z, y = height / 2 + F camera_y / camera_z, z = (camera_z - t_z) F / t_z.

Boxes: `x0, y0, x1, y1` pixels, the tight box of the 68 landmarks. Whoever crops adds a margin.
"""

from typing import Final, NamedTuple

# --- Landmarks -------------------------------------------------------------------------------------------------------

LANDMARK_COUNT: Final = 68
"""Points of the iBUG 68 scheme, 0-based; index 0 is the image-left end of the jaw."""

LANDMARK_SETS: Final = ("basel", "outline")
"""`basel`: the 68 that AFLW2000-3D and 300W-LP mean (the jaw runs along the mandible to the ear). `outline`: what a 2D
annotator sees (the far jaw slides to the visible contour)."""

LANDMARK_GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "jaw": tuple(range(0, 17)),
    "right_brow": tuple(range(17, 22)),
    "left_brow": tuple(range(22, 27)),
    "nose_bridge": tuple(range(27, 31)),
    "nose_base": tuple(range(31, 36)),
    "right_eye": tuple(range(36, 42)),
    "left_eye": tuple(range(42, 48)),
    "outer_lips": tuple(range(48, 60)),
    "inner_lips": tuple(range(60, 68)),
}
"""Names are the person's left and right: `right_eye` is the image-left one on a frontal face."""

CLOSED_GROUPS: Final = frozenset({"right_eye", "left_eye", "outer_lips", "inner_lips"})
"""Groups whose last point joins the first when drawn."""

OUTER_EYE_CORNERS: Final = (36, 45)

LANDMARK_FLIP: Final[tuple[int, ...]] = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Landmark `i` of a mirrored image is landmark `LANDMARK_FLIP[i]` of the original."""

MEDIAPIPE_LANDMARK_COUNT: Final = 478
"""Points of MediaPipe's refined face mesh."""

# fmt: off
MEDIAPIPE_TO_IBUG68: Final[tuple[int, ...]] = (
    127, 93, 132, 58, 172, 136, 150, 176, 152, 400, 379, 365, 397, 288, 361, 323, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 240, 97, 2, 326, 460,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)
# fmt: on
"""iBUG landmark `i` is point `MEDIAPIPE_TO_IBUG68[i]` of MediaPipe's face mesh. It approximates `MEDIAPIPE_LANDMARK_SET`."""

MEDIAPIPE_LANDMARK_SET: Final = "basel"
"""The mesh's jaw points are fixed to the skin and turn with the head: none slides to the visible contour."""

# --- Pose ------------------------------------------------------------------------------------------------------------

YAW_BINS: Final = ("0-30", "30-60", "60-90")
"""Names of the |yaw| bins [0, 30], (30, 60], (60, 90] degrees; more than 90 counts in the last."""


def yaw_bin(yaw: float) -> str:
    """Name of the bin in which a yaw falls, one of `YAW_BINS`.

    Args:
        yaw: Degrees, any sign.
    """
    magnitude = abs(yaw)
    return YAW_BINS[0] if magnitude <= 30 else YAW_BINS[1] if magnitude <= 60 else YAW_BINS[2]


# --- Examples --------------------------------------------------------------------------------------------------------

IMAGE_ENCODED: Final = "image/encoded"
IMAGE_HEIGHT: Final = "image/height"
IMAGE_WIDTH: Final = "image/width"
IMAGE_ID: Final = "image/id"
DOMAIN: Final = "domain"
IDENTITY: Final = "identity"
MOMENT: Final = "moment"
LANDMARKS_XY: Final = "landmarks/xy"
LANDMARKS_Z: Final = "landmarks/z"
LANDMARKS_VISIBLE: Final = "landmarks/visible"
LANDMARKS_SOURCE: Final = "landmarks/source"
LANDMARKS_SET: Final = "landmarks/set"
LANDMARKS_KNOWN: Final = "landmarks/known"
"""1 where `landmarks/xy` holds a point, 0 where the annotator's scheme has none; absent where all 68 are known."""
LANDMARKS_CONFIDENCE: Final = "landmarks/confidence"
"""Score of the detector that found the face, 0 to 1; absent where landmarks were annotated or rendered."""
LANDMARKS_OUTLINE_XY: Final = "landmarks/outline_xy"
"""On renders: the `outline` points as an annotator sees them, those of the far jaw slid to the visible contour."""
FACE_BOX: Final = "face/box"
POSE_EULER: Final = "pose/euler"
POSE_YAW_BIN: Final = "pose/yaw_bin"
POSE_SHOULDERS: Final = "pose/shoulders"
QUALITY_SHARPNESS: Final = "quality/sharpness"
QUALITY_FACE_SIZE: Final = "quality/face_size"
QUALITY_EXPOSURE: Final = "quality/exposure"
QUALITY_CONTRAST: Final = "quality/contrast"
"""On photos: what `trainer.imaging.quality` measures in the face's box."""
CAMERA_KIND: Final = "camera/kind"
CAMERA_MATRIX: Final = "camera/matrix"
CAMERA_FIELD_OF_VIEW: Final = "camera/field_of_view"
MORPHABLE_SHAPE: Final = "morphable/shape"
MORPHABLE_EXPRESSION: Final = "morphable/expression"
MORPHABLE_ALBEDO: Final = "morphable/albedo"
MORPHABLE_FREEFORM: Final = "morphable/freeform"
LIGHT_HARMONICS: Final = "light/harmonics"
LIGHT_DIRECTION: Final = "light/direction"
LIGHT_COLOR: Final = "light/color"
LIGHT_SPECULAR: Final = "light/specular"
LIGHT_SHININESS: Final = "light/shininess"
LIGHT_LAMP_POSITIONS: Final = "light/lamp_positions"
LIGHT_LAMP_COLORS: Final = "light/lamp_colors"
LIGHT_SPECULAR_COMPLEMENT: Final = "light/specular_complement"
LIGHT_SHADOW: Final = "light/shadow"
SKIN_TONE_BIN: Final = "skin_tone_bin"
EXPRESSION_BIN: Final = "expression_bin"
OCCLUDED: Final = "occluded"
PROVENANCE: Final = "provenance"

DOMAIN_SYNTHETIC: Final = "synthetic"
DOMAIN_PHOTO: Final = "photo"
SOURCE_TRUTH: Final = "truth"
SOURCE_ANNOTATED: Final = "annotated"
SOURCE_DETECTED: Final = "detected"
SCALED_ORTHOGRAPHIC: Final = "scaled_orthographic"
PERSPECTIVE: Final = "perspective"


class Feature(NamedTuple):
    """How one key of a `tf.Example` is stored."""

    kind: str
    """`bytes`, `float` or `int64`."""
    length: int | None
    """Number of values; None where it depends on the face model or the scene."""


FEATURES: Final[dict[str, Feature]] = {
    IMAGE_ENCODED: Feature("bytes", 1),
    IMAGE_HEIGHT: Feature("int64", 1),
    IMAGE_WIDTH: Feature("int64", 1),
    IMAGE_ID: Feature("bytes", 1),
    DOMAIN: Feature("bytes", 1),
    IDENTITY: Feature("bytes", 1),
    MOMENT: Feature("bytes", 1),
    LANDMARKS_XY: Feature("float", 2 * LANDMARK_COUNT),
    LANDMARKS_Z: Feature("float", LANDMARK_COUNT),
    LANDMARKS_VISIBLE: Feature("float", LANDMARK_COUNT),
    LANDMARKS_SOURCE: Feature("bytes", 1),
    LANDMARKS_SET: Feature("bytes", 1),
    LANDMARKS_KNOWN: Feature("float", LANDMARK_COUNT),
    LANDMARKS_CONFIDENCE: Feature("float", 1),
    LANDMARKS_OUTLINE_XY: Feature("float", 2 * LANDMARK_COUNT),
    FACE_BOX: Feature("float", 4),
    POSE_EULER: Feature("float", 3),
    POSE_YAW_BIN: Feature("bytes", 1),
    POSE_SHOULDERS: Feature("float", 3),
    QUALITY_SHARPNESS: Feature("float", 1),
    QUALITY_FACE_SIZE: Feature("float", 1),
    QUALITY_EXPOSURE: Feature("float", 1),
    QUALITY_CONTRAST: Feature("float", 1),
    CAMERA_KIND: Feature("bytes", 1),
    CAMERA_MATRIX: Feature("float", 12),
    CAMERA_FIELD_OF_VIEW: Feature("float", 1),
    MORPHABLE_SHAPE: Feature("float", None),
    MORPHABLE_EXPRESSION: Feature("float", None),
    MORPHABLE_ALBEDO: Feature("float", None),
    MORPHABLE_FREEFORM: Feature("float", None),
    LIGHT_HARMONICS: Feature("float", 27),
    LIGHT_DIRECTION: Feature("float", 3),
    LIGHT_COLOR: Feature("float", 3),
    LIGHT_SPECULAR: Feature("float", 3),
    LIGHT_SHININESS: Feature("float", 1),
    LIGHT_LAMP_POSITIONS: Feature("float", None),
    LIGHT_LAMP_COLORS: Feature("float", None),
    LIGHT_SPECULAR_COMPLEMENT: Feature("float", 1),
    LIGHT_SHADOW: Feature("int64", 1),
    SKIN_TONE_BIN: Feature("bytes", 1),
    EXPRESSION_BIN: Feature("bytes", 1),
    OCCLUDED: Feature("int64", 1),
    PROVENANCE: Feature("bytes", 1),
}
"""Every key an example may carry. Which are present depends on the domain: a photo before detection has no landmarks."""

# --- Serving ---------------------------------------------------------------------------------------------------------

SIGNATURE_DEFAULT: Final = "serving_default"
SIGNATURE_WITH_BOX: Final = "with_box"
SIGNATURE_MESH: Final = "mesh"
SIGNATURE_EXAMPLES: Final = "examples"
SIGNATURE_FACES: Final = "faces"

INPUT_IMAGE_BYTES: Final = "image_bytes"
INPUT_BOX: Final = "box"
INPUT_EXAMPLES: Final = "examples"
OUTPUT_IMAGE_INDEX: Final = "image_index"
OUTPUT_BOX: Final = "box"
OUTPUT_LANDMARKS: Final = "landmarks"
OUTPUT_POSE: Final = "pose"
OUTPUT_CONFIDENCE: Final = "confidence"
OUTPUT_VERTICES: Final = "vertices"
OUTPUT_TRIANGLES: Final = "triangles"

MAX_IMAGE_PIXELS: Final = 50_000_000
"""Photos with more pixels than this are refused before they are decoded."""
