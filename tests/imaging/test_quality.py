"""Quality of a face's picture: what changes each measure, and what must not."""

import itertools

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageFilter

from trainer.imaging.quality import FaceQuality, face_quality

BOX = np.array([180.0, 75.0, 270.0, 180.0])


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return skimage.data.astronaut()


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def test_blur_lowers_sharpness_and_leaves_size_and_exposure(face: np.ndarray) -> None:
    measured = [face_quality(blurred(face, radius), BOX) for radius in (0, 1, 2, 4)]
    sharpness = [quality.sharpness for quality in measured]
    assert all(before > 1.8 * after for before, after in itertools.pairwise(sharpness)), sharpness
    assert [quality.size for quality in measured] == pytest.approx([np.sqrt(90 * 105)] * 4)
    assert max(abs(quality.exposure - measured[0].exposure) for quality in measured) < 0.02


def test_light_and_contrast_do_not_pass_for_sharpness(face: np.ndarray) -> None:
    sharp = face_quality(face, BOX)
    dim = face_quality((0.4 * face).astype(np.uint8), BOX)
    flat = face_quality((100 + 0.3 * face).astype(np.uint8), BOX)
    assert dim.sharpness == pytest.approx(sharp.sharpness, rel=0.1)
    assert flat.sharpness == pytest.approx(sharp.sharpness, rel=0.1)
    assert dim.exposure == pytest.approx(0.4 * sharp.exposure, abs=0.01)
    assert flat.contrast == pytest.approx(0.3 * sharp.contrast, rel=0.05)


def test_more_pixels_of_the_same_face_are_not_sharper_but_fewer_than_networks_see_are_duller(face: np.ndarray) -> None:
    def resized(factor: float) -> FaceQuality:
        size = round(512 * factor), round(512 * factor)
        return face_quality(np.asarray(Image.fromarray(face).resize(size, Image.Resampling.LANCZOS)), BOX * factor)

    once = resized(1)
    assert resized(2).sharpness == pytest.approx(once.sharpness, rel=0.15)
    assert resized(2).size == pytest.approx(2 * once.size)
    assert resized(0.25).sharpness < 0.5 * once.sharpness


def test_noise_is_the_sharpest_and_paper_has_no_detail() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 1), np.uint8).repeat(3, axis=2)
    assert face_quality(noise, np.array([0, 0, 64, 64])).sharpness == pytest.approx(20, rel=0.1)
    paper = face_quality(np.full((64, 64, 3), 200, np.uint8), np.array([3.3, 4, 50, 60.5]))
    assert (paper.sharpness, paper.contrast) == pytest.approx((0, 0))
    assert paper.exposure == pytest.approx(200 / 255)


def test_what_lies_outside_the_photo_does_not_count(face: np.ndarray) -> None:
    cut = np.ascontiguousarray(face[:, 225:])
    quality = face_quality(cut, BOX - [225, 0, 225, 0])
    assert quality.size == pytest.approx(face_quality(face, BOX).size)
    assert quality.exposure == pytest.approx(face_quality(face, np.array([225, 75, 270, 180])).exposure, abs=0.01)


@pytest.mark.parametrize("box", [[600, 0, 700, 90], [-50, 0, 0.5, 90], [10, 10, 10, 10], [np.nan] * 4])
def test_boxes_without_pixels_are_refused(face: np.ndarray, box: list[float]) -> None:
    with pytest.raises(ValueError, match=r"`box` must lie in the image of 512 × 512 pixels. Received:"):
        face_quality(face, np.array(box))
