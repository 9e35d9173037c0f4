"""The picture of the table in docs/: drawn from the table, on points where the detector has them."""

import io

import numpy as np
import skimage.data
from PIL import Image

from components.landmark_detector import table_picture
from components.landmark_detector.mediapipe_landmarks import LandmarkDetector
from trainer import contract


def test_chosen_points_of_the_mesh_are_the_detector_s_landmarks() -> None:
    photo = Image.fromarray(skimage.data.astronaut())
    face = np.asarray(photo.crop(table_picture.SQUARE).resize((table_picture.SIDE, table_picture.SIDE)))
    mesh = table_picture.mesh_points(face)
    assert mesh.shape == (contract.MEDIAPIPE_LANDMARK_COUNT, 2)
    x0, y0, x1, _ = table_picture.SQUARE
    chosen = mesh[list(contract.MEDIAPIPE_TO_IBUG68)] * (x1 - x0) / table_picture.SIDE + [x0, y0]
    detector = LandmarkDetector()
    (found,) = detector.detect(np.asarray(photo))
    detector.close()
    assert np.linalg.norm(chosen - found.points[:, :2], axis=1).max() < 4


def test_the_picture_is_a_png_with_a_photograph_and_red_points() -> None:
    with Image.open(io.BytesIO(table_picture.table_picture())) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape == (900, 1500, 3)
    reddish = (pixels[..., 0] > pixels[..., 1] + 40) & (pixels[..., 0] > pixels[..., 2] + 40)
    assert reddish.sum() > 68 * 10
