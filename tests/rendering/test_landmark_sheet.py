"""The mean face on annotated photographs: the check of the landmark sets."""

import numpy as np
import pytest
import scipy.io
from morphable_parts import build_tiny_model
from PIL import Image

from trainer import contract
from trainer.morphable.default import default_head
from trainer.rendering import landmark_sheet
from trainer.rendering.camera import project, scaled_orthographic_matrix


def write_photo(folder, name, points, yaw):
    Image.fromarray(np.full((90, 80, 3), 120, np.uint8)).save(folder / f"{name}.jpg")
    pose = np.array([[0.1, np.radians(yaw), 0.0, 30.0, 40.0, 0.0, 1e-3]])
    scipy.io.savemat(folder / f"{name}.mat", {"pt3d_68": points.T, "Pose_Para": pose})


@pytest.fixture
def folder(tmp_path):
    head = default_head()
    points = head.landmark_points(head.mean)
    for name, yaw in (("a", 10.0), ("b", -50.0)):
        matrix = scaled_orthographic_matrix(np.array([yaw, 5.0, -8.0]), 0.3, np.array([40.0, 45.0, 0.0]))
        write_photo(tmp_path, name, project(points, matrix, contract.SCALED_ORTHOGRAPHIC), yaw)
    return tmp_path


def test_the_pose_of_its_own_mean_is_found(folder):
    head, photos = default_head(), landmark_sheet.read_photos(folder)
    assert [round(photo.yaw) for photo in photos] == [10, -50]
    fits = landmark_sheet.fit_mean_face(head, "basel", photos)
    for fit in fits:
        np.testing.assert_allclose(fit.points, fit.photo.points, atol=0.01)
    assert landmark_sheet.balanced(fits) < 1e-3
    assert landmark_sheet.balanced(landmark_sheet.fit_mean_face(head, "outline", photos)) > 0.005


def test_the_error_is_balanced_over_yaw(folder):
    photos = landmark_sheet.read_photos(folder)
    fits = [
        landmark_sheet.MeanFaceFit(photo, photo.points, error)
        for photo, error in ((photos[0], 0.02), (photos[0], 0.04), (photos[1], 0.09))
    ]
    assert landmark_sheet.balanced(fits) == pytest.approx((0.03 + 0.09) / 2)


def test_sheets_show_every_set_and_every_photo(folder):
    head = default_head()
    assert landmark_sheet.landmark_sheet(head, 64).shape == (2 * 64, 4 * 64, 3)
    fits = landmark_sheet.fit_mean_face(head, "basel", landmark_sheet.read_photos(folder))
    sheet = landmark_sheet.photo_sheet(fits, 96)
    assert sheet.shape == (96, 4 * 96, 3)
    assert (sheet[:, :192].reshape(-1, 3) == (255, 60, 60)).all(axis=1).sum() > 100  # fitted points
    assert sheet[:, 192:].max() == 0


def test_a_model_without_colours_is_drawn_too():
    assert landmark_sheet.landmark_sheet(build_tiny_model(), 32).std() > 0


@pytest.mark.parametrize("content", [{}, {"pt3d_68": np.zeros((3, 5)), "Pose_Para": np.zeros((1, 7))}])
def test_a_broken_annotation_is_refused(tmp_path, content):
    scipy.io.savemat(tmp_path / "x.mat", content)
    with pytest.raises(ValueError, match=r"x.mat does not hold"):
        landmark_sheet.read_photos(tmp_path)
    (tmp_path / "x.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(40))
    with pytest.raises(ValueError, match=r"x.mat does not hold"):
        landmark_sheet.read_photos(tmp_path)


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no annotated photograph"):
        landmark_sheet.read_photos(tmp_path)


@pytest.mark.parametrize(("name", "bar"), [("basel", 0.023), ("outline", 0.030)])
def test_the_default_head_s_mean_fits_photographs(development_data, name, bar):
    folder = development_data / "aflw2000_fixtures"
    if not folder.is_dir():
        pytest.skip(f"no annotated photographs at {folder}")
    photos = landmark_sheet.read_photos(folder)
    assert landmark_sheet.balanced(landmark_sheet.fit_mean_face(default_head(), name, photos)) <= bar
