"""Labels stay on the pixels that they were made on, whatever is done to the picture."""

import pickle

import numpy as np
import photo_files
import pytest
from PIL import Image

from components.photo_example_gen import labels as labelling
from components.photo_example_gen.labels import LabelError, Labels
from trainer import contract
from trainer.imaging import codecs
from trainer.rendering import camera as cameras

DOTS = {0: (20, 30), 8: (80, 100), 16: (140, 40), 36: (50, 20), 45: (110, 24)}


def labelled() -> Labels:
    points = np.full((68, 2), np.nan)
    for index, place in DOTS.items():
        points[index] = place
    return Labels(points=points, visible=np.arange(68.0) % 2, box=np.array([20.0, 20.0, 140.0, 100.0]))


def color_at(image: np.ndarray, point: np.ndarray) -> np.ndarray:
    return image[int(point[1]), int(point[0])].astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_points_keep_their_pixels_however_the_camera_was_held(orientation: int) -> None:
    data = photo_files.jpeg(photo_files.dotted(DOTS), orientation)
    photo = codecs.decode_photo(data, max_side=96)
    assert photo.orientation == orientation
    turned = labelling.upright(labelled(), orientation, photo.original_height, photo.original_width)
    height, width = photo.image.shape[:2]
    moved = labelling.scaled(turned, width / photo.original_width, height / photo.original_height)
    mirrored = orientation in (2, 4, 5, 7)
    for index in DOTS:
        # In a mirrored picture the person's right eye is the left one of what was annotated.
        now = contract.LANDMARK_FLIP[index] if mirrored else index
        assert np.abs(color_at(photo.image, moved.points[now]) - photo_files.dot_color(index)).max() < 40, index
        assert moved.visible[now] == index % 2
    assert moved.known.sum() == len(DOTS)
    tight = moved.points[moved.known]
    np.testing.assert_allclose(moved.box, [*tight.min(axis=0), *tight.max(axis=0)], atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pose_and_camera_turn_with_the_picture(orientation: int) -> None:
    """The face model under the turned camera lies on the turned points; a mirrored pose is that of the mirrored face."""
    euler = np.array([25.0, -10.0, 15.0])
    matrix = cameras.scaled_orthographic_matrix(euler, np.float64(0.5), np.array([70.0, 50.0, 3.0]))
    model = np.random.default_rng(3).uniform(-60, 60, (68, 3))
    model = (model + model[list(contract.LANDMARK_FLIP)] * [-1, 1, 1]) / 2  # alike on both sides
    projected = cameras.project(model, matrix, contract.SCALED_ORTHOGRAPHIC)
    before = Labels(
        points=projected[:, :2],
        depths=projected[:, 2],
        euler=euler,
        camera=matrix,
        shape=np.ones(3),
        expression=np.ones(2),
    )
    height, width = (160, 120) if orientation >= 5 else (120, 160)
    after = labelling.upright(before, orientation, height, width)
    fitted = cameras.fit_scaled_orthographic(model, np.column_stack([after.points, after.depths]))
    np.testing.assert_allclose(after.euler, cameras.decompose(fitted)[1], atol=1e-6)
    if orientation in (2, 4, 5, 7):
        assert after.camera is after.shape is after.expression is None
        return
    again = cameras.project(model, after.camera, contract.SCALED_ORTHOGRAPHIC)
    np.testing.assert_allclose(again[:, :2], after.points, atol=1e-9)
    small = labelling.scaled(after, 0.5, 0.5)
    again = cameras.project(model, small.camera, contract.SCALED_ORTHOGRAPHIC)
    np.testing.assert_allclose(again[:, :2], after.points / 2, atol=1e-9)
    np.testing.assert_allclose(small.depths, after.depths / 2)
    assert small.shape is after.shape


def test_orientations_are_those_of_pillow() -> None:
    """An independent check of the table: where one marked pixel goes."""
    for orientation, transposition in codecs._TRANSPOSITIONS.items():
        image = np.zeros((12, 16), np.uint8)
        image[2, 5] = 255
        upright = np.asarray(Image.fromarray(image).transpose(transposition))
        y, x = np.argwhere(upright)[0]
        points = np.full((68, 2), np.nan)
        points[30] = 5.5, 2.5
        moved = labelling.upright(Labels(points=points), orientation, *upright.shape)
        np.testing.assert_allclose(moved.points[30], [x + 0.5, y + 0.5], err_msg=str(orientation))


def test_features_of_partly_and_wholly_known_landmarks() -> None:
    found = labelling.features(labelled(), 120, 160)
    assert found[contract.LANDMARKS_KNOWN].sum() == len(DOTS)
    unknown = ~found[contract.LANDMARKS_KNOWN]
    assert (found[contract.LANDMARKS_XY][unknown] == 0).all()
    assert (found[contract.LANDMARKS_VISIBLE][unknown] == 0).all()
    np.testing.assert_array_equal(found[contract.FACE_BOX], [20, 20, 140, 100])
    assert found[contract.LANDMARKS_SOURCE] == "annotated"
    # Without a box of its own, only a whole face has one.
    points = labelled().points
    assert contract.FACE_BOX not in labelling.features(Labels(points=points), 120, 160)
    face = photo_files.face_points()
    found = labelling.features(Labels(points=face), 120, 160)
    assert contract.LANDMARKS_KNOWN not in found
    assert contract.LANDMARKS_VISIBLE not in found
    np.testing.assert_allclose(found[contract.FACE_BOX], [*face.min(axis=0), *face.max(axis=0)])


def test_a_yaw_alone_gives_its_bin_and_no_pose() -> None:
    euler = np.array([-45.0, np.nan, np.nan])
    for orientation in range(1, 9):
        found = labelling.features(labelling.upright(Labels(euler=euler), orientation, 120, 160), 120, 160)
        assert found == {contract.POSE_YAW_BIN: "30-60"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"points": np.full((68, 2), np.inf)}, "not_finite"),
        ({"points": np.full((68, 2), -1e30)}, "out_of_range"),
        ({"depths": np.full(68, np.nan)}, "not_finite"),
        ({"shape": np.array([1e9])}, "out_of_range"),
        ({"box": np.array([10.0, 10.0, 10.0, 20.0])}, "bad_box"),
        ({"box": np.array([10.0, 30.0, 20.0, 20.0])}, "bad_box"),
        ({"landmark_set": "dlib"}, "unknown_landmark_set"),
    ],
)
def test_what_cannot_be_right_is_refused(values: dict, reason: str) -> None:
    with pytest.raises(LabelError) as caught:
        Labels(**values)
    assert caught.value.problem.reason == reason
    assert pickle.loads(pickle.dumps(caught.value)).problem == caught.value.problem


def test_labels_of_another_picture_are_refused() -> None:
    far = {"points": photo_files.face_points(center=(1000.0, 60.0)), "box": np.array([500.0, 10.0, 600.0, 90.0])}
    for name, value in far.items():
        with pytest.raises(
            LabelError, match=f"`{'landmarks' if name == 'points' else name}` must lie on the photo"
        ) as e:
            labelling.features(Labels(**{name: value}), 120, 160)
        assert e.value.problem.reason == "outside_photo"
    with pytest.raises(LabelError, match="must spread"):
        labelling.features(Labels(points=np.full((68, 2), 50.0)), 120, 160)
