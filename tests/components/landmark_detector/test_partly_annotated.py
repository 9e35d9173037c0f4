"""Photos on which somebody has marked something, but not all: some of the 68 landmarks, or a box."""

from typing import Any

import numpy as np
import pytest
import skimage.data
from photo_parts import annotated, photo
from PIL import Image

from components.landmark_detector import transforms
from components.landmark_detector.config import LandmarkDetectorConfig
from components.landmark_detector.fitted_head import determines_pose
from trainer import contract, examples
from trainer.imaging import codecs
from trainer.morphable.default import default_head

SCHEME = (17, 19, 21, 22, 24, 26, 36, 39, 42, 45, 31, 33, 35, 48, 54, 8)
"""About what AFLW's annotators marked."""

CANVAS = np.full((400, 400, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def worker() -> Any:
    worker = transforms.DetectionWorker(LandmarkDetectorConfig())
    with worker.setup():
        yield worker


def partly(indices: tuple[int, ...], **more: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """All 68 points, and the features of an example in which only some are marked."""
    features = annotated()
    points = features[contract.LANDMARKS_XY]
    known = np.isin(np.arange(68), indices)
    marked = {contract.LANDMARKS_XY: np.where(known[:, None], points, 0), contract.LANDMARKS_KNOWN: known}
    return points, {**features, **marked, **more}


def test_what_is_missing_comes_from_a_head_fitted_to_what_is_known(worker: Any) -> None:
    points, given = partly(SCHEME)
    (result,) = worker.landmarked(photo("a", CANVAS, **given), "?")
    features = examples.decode(result)
    np.testing.assert_array_equal(features[contract.LANDMARKS_XY], given[contract.LANDMARKS_XY].reshape(-1))
    np.testing.assert_array_equal(features[contract.LANDMARKS_KNOWN], given[contract.LANDMARKS_KNOWN])
    assert features[contract.LANDMARKS_SOURCE] == contract.SOURCE_ANNOTATED
    assert contract.LANDMARKS_CONFIDENCE not in features
    np.testing.assert_allclose(features[contract.POSE_EULER], [35, 5, -10], atol=0.1)
    np.testing.assert_allclose(features[contract.FACE_BOX], [*points.min(0), *points.max(0)], atol=0.1)
    # Only what has a place can be seen.
    assert set(np.flatnonzero(features[contract.LANDMARKS_VISIBLE])) <= set(SCHEME)
    assert features[contract.LANDMARKS_VISIBLE].sum() > 10


def test_marked_points_stretch_the_box_where_the_head_would_not_reach(worker: Any) -> None:
    points, given = partly(SCHEME)
    given[contract.LANDMARKS_XY] = given[contract.LANDMARKS_XY].copy()
    given[contract.LANDMARKS_XY][8] += [0, 12]  # a longer chin than the mean head's
    (result,) = worker.landmarked(photo("a", CANVAS, **given), "?")
    assert examples.decode(result)[contract.FACE_BOX][3] == pytest.approx(points[8, 1] + 12)


def test_pose_and_box_that_are_given_stay(worker: Any) -> None:
    more = {contract.POSE_EULER: [1.0, 2.0, 3.0], contract.FACE_BOX: [100.0, 100.0, 300.0, 290.0]}
    _, given = partly(SCHEME, **more)
    (result,) = worker.landmarked(photo("a", CANVAS, **given), "?")
    for key, value in more.items():
        np.testing.assert_array_equal(examples.decode(result)[key], value)


@pytest.mark.parametrize(
    "indices", [(36, 39, 42, 45, 8), tuple(range(48, 68)), tuple(range(36, 48)), tuple(range(27, 36)), ()]
)
def test_too_few_or_too_close_points_are_a_letter(worker: Any, indices: tuple[int, ...]) -> None:
    _, given = partly(indices)
    (letter,) = worker.landmarked(photo("a.jpg", CANVAS, **given), "?")
    assert letter.reason == "pose_unknown"
    assert f"At least 6 landmarks, spread over the face, must be known to tell its pose. Received: {len(indices)}" in (
        letter.message
    )


def test_which_landmarks_tell_a_pose() -> None:
    head = default_head()
    points = head.landmark_points(head.vertices(), "outline")
    assert determines_pose(points[list(SCHEME)])
    assert determines_pose(points[:17])
    assert not determines_pose(points[[36, 39, 42, 45, 48, 54]])  # corners of eyes and mouth: a plane


def test_points_outside_the_photo_and_broken_photos_are_letters(worker: Any) -> None:
    _, given = partly(SCHEME)
    far = given[contract.LANDMARKS_XY] + 1000 * np.asarray(given[contract.LANDMARKS_KNOWN])[:, None]
    (letter,) = worker.landmarked(photo("a", CANVAS, **{**given, contract.LANDMARKS_XY: far}), "?")
    assert (letter.reason, "`box` must lie in the image" in letter.message) == ("not_usable", True)
    cut = codecs.encode_jpeg(CANVAS)[:300]
    (letter,) = worker.landmarked(photo("a", CANVAS, **{**given, contract.IMAGE_ENCODED: cut}), "?")
    assert letter.reason in ("truncated", "damaged")


def test_a_box_says_which_face_is_meant(worker: Any) -> None:
    image = np.full((400, 900, 3), 120, np.uint8)
    for side, x in ((380, 10), (250, 600)):
        small = Image.fromarray(skimage.data.astronaut()).resize((side, side), Image.Resampling.LANCZOS)
        image[10 : 10 + side, x : x + side] = np.asarray(small)
    factor = 250 / 512
    box = np.array([175, 70, 272, 182]) * factor + [600, 10, 600, 10]
    (result,) = worker.landmarked(photo("us", image, **{contract.FACE_BOX: box}), "?")
    features = examples.decode(result)
    np.testing.assert_allclose(features[contract.FACE_BOX], box, rtol=1e-5)
    points = features[contract.LANDMARKS_XY].reshape(68, 2)
    assert np.linalg.norm((points[30] - [600, 10]) / factor - [223.5, 126.5]) < 4
    assert features[contract.LANDMARKS_SOURCE] == contract.SOURCE_DETECTED
    nowhere = {contract.FACE_BOX: [420.0, 300.0, 520.0, 390.0]}
    (letter,) = worker.landmarked(photo("us", image, **nowhere), "?")
    assert (letter.reason, "in the box [420.0, 300.0, 520.0, 390.0]" in letter.message) == ("no_face", True)
