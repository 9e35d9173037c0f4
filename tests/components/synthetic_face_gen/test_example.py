import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from components.synthetic_face_gen import sampling
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_parts import CameraConfig, ExpressionConfig, PopulationConfig, PoseConfig
from components.synthetic_face_gen.example import render_example
from trainer import contract, examples
from trainer.imaging.codecs import PhotoError
from trainer.morphable.default import default_head
from trainer.rendering.camera import project
from trainer.rendering.forward import render_image
from trainer.rendering.lighting import UNIT_L00
from trainer.rendering.scene import Light

CONFIG = SyntheticFaceConfig(count=12, image_size=96, views_per_identity=2, seed=1)
PERSPECTIVE = dataclasses.replace(CONFIG, camera=CameraConfig(kind=contract.PERSPECTIVE))
MEAN_FACE = PopulationConfig(identity_scale=0, albedo_scale=0)
STILL = ExpressionConfig(strength=0, strong_fraction=0, closed_fraction=0, gaze_fraction=0)

PHOTOS_ONLY = {
    contract.LANDMARKS_KNOWN,
    contract.LANDMARKS_CONFIDENCE,
    *(key for key in contract.FEATURES if key.startswith("quality/")),
}


@pytest.mark.parametrize("config", [CONFIG, PERSPECTIVE], ids=["orthographic", "perspective"])
def test_records_keep_the_contract(config):
    model = default_head()
    for index in (0, 5):
        record = examples.decode(render_example(config, model, index))
        missing = set(contract.FEATURES) - set(record)
        expected = {
            contract.MORPHABLE_FREEFORM,
            contract.LIGHT_LAMP_POSITIONS,
            contract.LIGHT_LAMP_COLORS,
            contract.LIGHT_SPECULAR_COMPLEMENT,
            *PHOTOS_ONLY,
        }
        assert missing == expected | (set() if config is PERSPECTIVE else {contract.CAMERA_FIELD_OF_VIEW})
        for key, value in record.items():
            length = contract.FEATURES[key].length
            if isinstance(value, np.ndarray):
                assert np.isfinite(value).all()
                assert length is None or value.size == length
        image = np.asarray(Image.open(io.BytesIO(record[contract.IMAGE_ENCODED])))
        assert image.shape == (record[contract.IMAGE_HEIGHT], record[contract.IMAGE_WIDTH], 3) == (96, 96, 3)
        assert image.std() > 5
        points = record[contract.LANDMARKS_XY].reshape(-1, 2)
        np.testing.assert_allclose(record[contract.FACE_BOX], [*points.min(0), *points.max(0)], atol=1e-3)
        assert record[contract.POSE_YAW_BIN] == contract.yaw_bin(record[contract.POSE_EULER][0])
        assert set(record[contract.LANDMARKS_VISIBLE]) <= {0.0, 1.0}
        assert 20 <= record[contract.LANDMARKS_VISIBLE].sum() <= 68
        provenance = json.loads(record[contract.PROVENANCE])
        assert (provenance["seed"], provenance["index"]) == (1, index)
        assert provenance["morphable_model_sha256"] == model.sha256
        assert SyntheticFaceConfig.from_values(provenance["config"]) == config


def test_genova_records_keep_their_lamps_and_how_the_mirrored_share_gives_way():
    config = SyntheticFaceConfig.preset("genova2018", count=3, image_size=48)
    record = examples.decode(render_example(config, default_head(), 0))
    assert record[contract.LIGHT_SPECULAR_COMPLEMENT] == 1
    assert record[contract.LIGHT_LAMP_POSITIONS].size == record[contract.LIGHT_LAMP_COLORS].size == 6


@pytest.mark.parametrize("config", [CONFIG, PERSPECTIVE], ids=["orthographic", "perspective"])
def test_stored_parameters_project_to_the_stored_landmarks(config):
    model = default_head()
    record = examples.decode(render_example(config, model, 3))
    vertices = model.vertices(record[contract.MORPHABLE_SHAPE], record[contract.MORPHABLE_EXPRESSION])
    projected = project(
        model.landmark_points(vertices, record[contract.LANDMARKS_SET]),
        record[contract.CAMERA_MATRIX].reshape(3, 4),
        record[contract.CAMERA_KIND],
        record.get(contract.CAMERA_FIELD_OF_VIEW),
        96,
        96,
    )
    np.testing.assert_allclose(projected[:, :2], record[contract.LANDMARKS_XY].reshape(-1, 2), atol=0.01)
    np.testing.assert_allclose(projected[:, 2], record[contract.LANDMARKS_Z], atol=0.01)


def test_same_arguments_give_the_same_bytes_in_any_order():
    model = default_head()
    first = [render_example(CONFIG, model, index) for index in (4, 7)]
    assert [render_example(CONFIG, model, index) for index in (7, 4)] == first[::-1]
    assert first[0] != first[1]


def test_views_of_one_person_share_the_identity_and_not_the_moment():
    model = default_head()
    one, two, stranger = (examples.decode(render_example(CONFIG, model, index)) for index in (2, 3, 4))
    assert one[contract.IDENTITY] == two[contract.IDENTITY] != stranger[contract.IDENTITY]
    assert one[contract.MOMENT] != two[contract.MOMENT]
    assert one[contract.IMAGE_ID] != two[contract.IMAGE_ID]


@pytest.mark.parametrize("euler", [(0, 0, 0), (50, 0, 0), (-50, 10, 20), (20, 30, -30), (-10, -30, 0)])
def test_rendered_pixels_show_the_surface_that_the_landmarks_name(euler):
    """Every vertex is coloured by its place in the model; a landmark's pixel must hold the colour of that landmark's place."""
    model = default_head()
    face = sampling.sample(_fixed(euler), model, 0)
    low, span = model.mean.min(axis=0), np.ptp(model.mean, axis=0)
    place = Light(np.zeros((9, 3)), np.array([0.0, 0, 1]), np.zeros(3), np.zeros(3), np.float32(1))
    place.harmonics[0] = UNIT_L00
    image = render_image(
        model.mean, (model.mean - low) / span, model.triangles, face.camera, place, (160, 160), supersample=1
    )
    projected = project(face.landmarks, face.camera.matrix, face.camera.kind)
    record = examples.decode(render_example(_fixed(euler), model, 0))
    visible = record[contract.LANDMARKS_VISIBLE] > 0
    pixels = np.floor(projected[:, :2]).astype(int)
    shown = image.color[pixels[:, 1], pixels[:, 0]] * span + low
    covered = image.triangle_ids[pixels[:, 1], pixels[:, 0]] >= 0
    offset = pixels + 0.5 - projected[:, :2]
    moved = (shown - face.landmarks) @ face.camera.matrix[:2, :3].T * (1, -1)
    errors = np.linalg.norm(moved - offset, axis=1)[visible & covered]
    assert len(errors) > 30
    assert np.median(errors) < 0.1
    assert np.mean(errors < 1) > 0.9


@pytest.mark.parametrize(("yaw", "side"), [(55, 1), (-55, -1)])
def test_positive_yaw_turns_the_nose_to_the_right_of_the_picture(yaw, side):
    """Only the front of the face is bright: its pixels must lie on the side that the label says."""
    model = default_head()
    front = (model.mean[:, 2] > model.landmark_points(model.mean)[30, 2] - 12)[:, None]
    marked = dataclasses.replace(
        model, albedo_mean=np.where(front, [0.5, 0.5, 0.5], [0.0, 0.0, 0.0]), albedo=np.zeros_like(model.albedo)
    )
    face = sampling.sample(_fixed((yaw, 0, 0)), marked, 0)
    image = render_image(
        face.vertices, marked.albedo_mean, marked.triangles, face.camera, face.light, (160, 160), supersample=1
    )
    bright = image.color.sum(axis=-1) > 0.1
    assert bright.sum() > 10
    assert side * (np.nonzero(bright)[1].mean() - np.nonzero(image.mask)[1].mean()) > 10
    points = examples.decode(render_example(_fixed((yaw, 0, 0)), marked, 0))[contract.LANDMARKS_XY].reshape(-1, 2)
    assert side * (points[30, 0] - points[[36, 45], 0].mean()) > 5


def test_far_side_is_hidden_in_profile_and_nothing_much_from_the_front():
    model = default_head()
    visible = {
        yaw: examples.decode(render_example(_fixed((yaw, 0, 0)), model, 0))[contract.LANDMARKS_VISIBLE]
        for yaw in (0, 80, -80)
    }
    right, left = list(contract.LANDMARK_GROUPS["right_eye"]), list(contract.LANDMARK_GROUPS["left_eye"])
    assert visible[0][17:].mean() > 0.9
    assert visible[80][right].mean() > 0.4 > 0.2 > visible[80][left].mean()
    assert visible[-80][left].mean() > 0.4 > 0.2 > visible[-80][right].mean()
    np.testing.assert_allclose(visible[0].mean(), visible[0][list(contract.LANDMARK_FLIP)].mean())


def test_background_that_cannot_be_read_says_so(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    config = dataclasses.replace(CONFIG, background=str(tmp_path))
    with pytest.raises(PhotoError, match=r"broken\.jpg"):
        render_example(config, default_head(), 0)


def _fixed(euler):
    """A data set of the mean face in one pose."""
    pose = PoseConfig(*((float(angle), float(angle)) for angle in euler))
    return SyntheticFaceConfig(
        count=1, image_size=160, pose=pose, population=MEAN_FACE, expression=STILL, supersample=1
    )
