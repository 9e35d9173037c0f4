"""Landmarks on photographs: where they must lie by eye, in which order, and how small or displaced a face may be."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from components.landmark_detector.mediapipe_landmarks import LandmarkDetector
from trainer import contract
from trainer.imaging import codecs

# Read off scikit-image's astronaut by eye, pixels.
BY_EYE = {
    8: (223, 177.5),  # chin
    30: (223.5, 126.5),  # tip of the nose
    33: (223.5, 133),  # under the nose
    36: (194, 101),  # the right eye's outer corner
    39: (212.5, 103.5),  # its inner corner
    42: (236.5, 105),  # the left eye's inner corner
    45: (258, 104.5),  # its outer corner
    48: (203, 140),  # the mouth's right corner
    51: (222.5, 140),  # upper lip
    54: (244.5, 141.5),  # the mouth's left corner
    57: (222, 155),  # lower lip
}


@pytest.fixture(scope="module")
def detector() -> Iterator[LandmarkDetector]:
    detector = LandmarkDetector()
    yield detector
    detector.close()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def points(detector: LandmarkDetector, astronaut: np.ndarray) -> np.ndarray:
    (face,) = detector.detect(astronaut)
    return face.points


def group(points: np.ndarray, name: str) -> np.ndarray:
    return points[list(contract.LANDMARK_GROUPS[name])]


def pasted(face: np.ndarray, side: int, canvas: tuple[int, int], corner: tuple[int, int]) -> np.ndarray:
    image = np.full((*canvas, 3), 90, np.uint8)
    small = np.asarray(Image.fromarray(face).resize((side, side), Image.Resampling.LANCZOS))
    x, y = corner
    image[y : y + side, x : x + side] = small
    return image


def test_points_lie_where_they_are_by_eye(points: np.ndarray) -> None:
    for index, where in BY_EYE.items():
        assert np.linalg.norm(points[index, :2] - where) < 4, (index, points[index], where)


def test_left_and_right_and_up_and_down(points: np.ndarray) -> None:
    centers = {name: group(points, name)[:, :2].mean(0) for name in contract.LANDMARK_GROUPS}
    assert centers["right_eye"][0] < centers["nose_bridge"][0] < centers["left_eye"][0]
    assert centers["right_brow"][1] < centers["right_eye"][1] < centers["nose_base"][1] < centers["outer_lips"][1]
    for name in ("jaw", "right_brow", "left_brow", "nose_base"):
        assert (np.diff(group(points, name)[:, 0]) > 0).all(), f"{name} runs to the image's right"
    assert (np.diff(group(points, "nose_bridge")[:, 1]) > 0).all()
    # Around eyes and lips clockwise as seen in the image: the signed area is positive with y down.
    for name in contract.CLOSED_GROUPS:
        x, y = group(points, name)[:, :2].T
        assert np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0, name
    # Upper points lie above lower ones.
    for upper, lower in (
        (37, 41),
        (38, 40),
        (43, 47),
        (44, 46),
        (51, 57),
        (61, 67),
        (62, 66),
        (63, 65),
        (51, 62),
        (66, 57),
    ):
        assert points[upper, 1] < points[lower, 1]


def test_depth_grows_away_from_the_camera_from_the_middle_of_the_face(points: np.ndarray) -> None:
    assert points[30, 2] == points[:, 2].min() < -10
    assert min(points[0, 2], points[16, 2]) > 10
    eyes = points[36:48, 2].mean()
    assert abs(eyes + group(points, "outer_lips")[:, 2].mean()) < 1e-3
    # In the scale of x and y: from ear to nose is between a third and all of the face's width.
    depth, width = np.ptp(points[:, 2]), np.ptp(points[:, 0])
    assert 0.33 * width < depth < width


def test_the_box_is_tight_and_the_score_a_share(detector: LandmarkDetector, astronaut: np.ndarray) -> None:
    (face,) = detector.detect(astronaut)
    np.testing.assert_array_equal(face.box, [*face.points[:, :2].min(0), *face.points[:, :2].max(0)])
    assert 0.5 <= face.confidence <= 1
    assert face.points.dtype == np.float32


def test_a_mirrored_photo_has_mirrored_landmarks(
    detector: LandmarkDetector, astronaut: np.ndarray, points: np.ndarray
) -> None:
    (face,) = detector.detect(np.ascontiguousarray(astronaut[:, ::-1]))
    mirrored = face.points[list(contract.LANDMARK_FLIP), :2] * [-1, 1] + [astronaut.shape[1], 0]
    assert np.linalg.norm(mirrored - points[:, :2], axis=1).mean() < 2
    assert np.linalg.norm(mirrored - points[:, :2], axis=1).max() < 5


@pytest.mark.parametrize(
    ("side", "canvas", "corner"),
    [
        (512, (600, 900), (380, 80)),
        (300, (400, 1200), (20, 60)),
        (250, (2000, 1500), (1200, 1700)),
        (120, (640, 960), (800, 500)),
    ],
)
def test_faces_small_and_aside_are_found_where_they_are(
    detector: LandmarkDetector,
    astronaut: np.ndarray,
    points: np.ndarray,
    side: int,
    canvas: tuple[int, int],
    corner: tuple[int, int],
) -> None:
    (face,) = detector.detect(pasted(astronaut, side, canvas, corner))
    back = (face.points[:, :2] - corner) * (512 / side)
    assert np.linalg.norm(back - points[:, :2], axis=1).mean() < 3


@pytest.mark.parametrize("margin", [-4, 6, 25])
def test_close_ups_are_found(
    detector: LandmarkDetector, astronaut: np.ndarray, points: np.ndarray, margin: int
) -> None:
    x0, y0, x1, y1 = (int(value) for value in [*points[:, :2].min(0) - margin, *points[:, :2].max(0) + margin])
    (face,) = detector.detect(np.ascontiguousarray(astronaut[y0:y1, x0:x1]))
    assert np.linalg.norm(face.points[:, :2] + [x0, y0] - points[:, :2], axis=1).mean() < 3


def test_several_faces_come_largest_first_and_once_each(astronaut: np.ndarray) -> None:
    image = pasted(astronaut, 400, (500, 1000), (20, 20))
    image[150:400, 600:850] = np.asarray(Image.fromarray(astronaut).resize((250, 250), Image.Resampling.LANCZOS))
    detector = LandmarkDetector(every_face=True)
    large, small = detector.detect(image)
    detector.close()
    assert large.box[2] < 420 < 600 < small.box[0]


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket"])
def test_photos_without_a_person_have_no_face(detector: LandmarkDetector, name: str) -> None:
    assert detector.detect(getattr(skimage.data, name)()) == []


@pytest.mark.parametrize("shape", [(16, 16), (16, 900), (900, 16), (700, 700)])
def test_blank_photos_have_no_face(detector: LandmarkDetector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.full((*shape, 3), 128, np.uint8)) == []


def test_loading_writes_nothing_to_standard_error(capfd: pytest.CaptureFixture[str], astronaut: np.ndarray) -> None:
    detector = LandmarkDetector()
    detector.detect(astronaut)
    detector.close()
    assert capfd.readouterr().err == ""


def nme(points: np.ndarray, truth: np.ndarray) -> float:
    width, height = np.ptp(truth[:, :2], axis=0)
    return 100 * np.linalg.norm(points[:, :2] - truth[:, :2], axis=1).mean() / np.sqrt(width * height)


def test_near_the_annotations_of_aflw2000(detector: LandmarkDetector, development_data: Path) -> None:
    from scipy.io import loadmat

    folder = development_data / "aflw2000_fixtures"
    errors = []
    for path in sorted(folder.glob("*.jpg")):
        annotation = loadmat(path.with_suffix(".mat"))
        if abs(np.degrees(annotation["Pose_Para"][0, 1])) > 40:
            continue
        # The files count pixels from 1, so that the first one's centre is (1, 1).
        truth = annotation["pt3d_68"].T - 0.5
        faces = detector.detect(codecs.read_photo(path))
        errors.append(nme(faces[0].points, truth) if faces else np.inf)
    assert len(errors) > 15
    # A wrong order of any group, or left for right, would cost far more.
    assert np.median(errors) < 4
    assert max(errors) < 7


def test_near_the_annotations_of_p1(detector: LandmarkDetector, development_data: Path) -> None:
    labels = np.load(development_data / "p1/labels.npz", allow_pickle=False)
    files = {path.name: path for path in (development_data / "p1").rglob("*.*g")}
    errors = []
    for index in range(0, len(labels["names"]), 80):
        name = Path(str(labels["names"][index])).name
        faces = detector.detect(codecs.read_photo(files[name]))
        errors.append(nme(faces[0].points, labels["pts68_crop"][index]) if faces else np.inf)
    assert np.median(errors) < 5
