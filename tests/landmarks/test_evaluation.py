"""Evaluation: errors by hand, sides mirrored, doubts measured, pictures written."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from trainer import contract
from trainer.landmarks import evaluation, evaluation_pictures, network
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.landmarks.evaluation import LandmarkEvaluation

FLIP = list(contract.LANDMARK_FLIP)


def faces_of(points, yaw, known=None):
    """Grey crops with points `[N, 68, 2]` in the set `basel`."""
    count = len(points)
    both = np.stack([points, np.zeros_like(points)], axis=1).astype(np.float32)
    mask = np.stack([np.ones((count, 68)) if known is None else known, np.zeros((count, 68))], axis=1)
    return Canvases(np.full((count, 32, 32, 3), 90, np.uint8), both, mask.astype(np.float32), np.float32(yaw))


def square_points(count):
    """Points in a box of 20 × 20 pixels."""
    points = np.random.default_rng(0).uniform(6, 26, (count, 68, 2))
    points[:, 0], points[:, 1] = 6, 26
    return points


def predicted(faces, shift, sigma=1.0):
    points = np.stack([faces.points[:, 0] + shift] * 2, axis=1)
    count = len(points)
    return LandmarkEvaluation(
        faces, np.zeros(count, int), points, np.full((count, 2, 68), sigma), np.linspace(0.1, 0.9, count)
    )


def test_errors_are_per_cent_of_the_boxs_root():
    faces = faces_of(square_points(2), [0, 40])
    result = predicted(faces, np.array([0.6, 0.8]))
    np.testing.assert_allclose(result.errors("basel"), 5.0, rtol=1e-4)
    np.testing.assert_allclose(result.announced("basel"), 200 / 20, rtol=1e-4)
    figures = result.summary()["basel"]
    assert figures["without_bias"] == pytest.approx(0, abs=1e-3)
    assert figures["bins"] == {"0-30": pytest.approx(5), "30-60": pytest.approx(5)}
    assert figures["balanced"] is None


def test_unknown_points_do_not_count():
    points, known = square_points(1), np.ones((1, 68))
    known[0, 20] = 0
    faces = faces_of(points, [0], known)
    result = predicted(faces, np.zeros(2))
    result.points[0, :, 20] += 100
    assert result.errors("basel")[0] == pytest.approx(0, abs=1e-4)


def test_balanced_is_the_mean_of_the_three_bins():
    faces = faces_of(square_points(4), [5, -10, 45, -80])
    result = predicted(faces, np.zeros(2))
    result.points[2] += (1.0, 0.0)
    result.points[3] += (2.0, 0.0)
    figures = result.summary()["basel"]
    assert figures["balanced"] == pytest.approx((0 + 5 + 10) / 3, rel=1e-3)
    assert figures["image"] == pytest.approx((5 + 10) / 4, rel=1e-3)


def test_faces_that_look_left_are_mirrored_before_residuals_are_averaged():
    points = square_points(1)[0]
    mirrored = points[FLIP] * (-1, 1) + (32, 0)
    faces = faces_of(np.stack([points, mirrored]), [50, -50])
    result = predicted(faces, np.zeros(2))
    result.points[0, 0, 36] += (2, 0)
    result.points[1, 0, contract.LANDMARK_FLIP[36]] += (-2, 0)
    residual = result.median_residuals("basel")["30-60"]
    np.testing.assert_allclose(residual[36], (10, 0), atol=1e-3)
    assert np.abs(np.delete(residual, 36, axis=0)).max() < 1e-3


def test_confidence_that_rises_with_the_error_has_a_negative_correlation():
    faces = faces_of(square_points(5), np.zeros(5))
    result = predicted(faces, np.zeros(2))
    result.points[...] += np.arange(5)[:, None, None, None]
    assert result.summary()["basel"]["confidence_rank_correlation"] == pytest.approx(-1)


def test_a_network_is_run_on_its_own_crops():
    config = LandmarkNetworkConfig.preset("tiny")
    model = network.build(config)
    faces = faces_of(square_points(3), np.zeros(3))
    result = evaluation.evaluate(model, faces)
    points, log_sigma = model(np.asarray(faces.images, np.float32) / 255)
    np.testing.assert_allclose(result.points, points, atol=1e-3)
    np.testing.assert_allclose(result.sigma, np.exp(log_sigma), rtol=1e-3)
    with pytest.raises(ValueError, match="32 pixels"):
        evaluation.evaluate(model, Canvases(np.zeros((1, 64, 64, 3), np.uint8), *[np.zeros(1)] * 3))


def test_pictures_are_written_and_show_the_worst_first(tmp_path):
    faces = faces_of(square_points(12), np.linspace(-80, 80, 12))
    result = predicted(faces, np.zeros(2))
    result.points[...] += np.arange(12)[:, None, None, None] / 4
    paths = evaluation_pictures.write_report(result, "basel", tmp_path / "report")
    names = {"best.png", "median.png", "worst.png", "residuals.png", "reliability.png"}
    assert {path.name for path in paths} == names
    pictures = {}
    for path in paths:
        with Image.open(path) as picture:
            pictures[path.name] = np.asarray(picture)
        assert pictures[path.name].shape[1] > 500
    chosen = np.argsort(result.errors("basel"))[::-1][: evaluation_pictures.SHEET]
    shown = evaluation_pictures.sheet(result, "basel", chosen)
    np.testing.assert_array_equal(pictures["worst.png"], shown)


def test_what_no_face_tells_is_none_and_no_warning():
    points, known = square_points(2), np.ones((2, 68))
    known[:, list(contract.LANDMARK_GROUPS["nose_base"])] = 0
    result = predicted(faces_of(points, [0, 10], known), np.zeros(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures = result.summary()["basel"]
        assert np.isnan(result.median_residuals("basel")["0-30"]).any()
    assert figures["groups"]["nose_base"] is None
    assert figures["confidence_rank_correlation"] is None
    json.dumps(figures, allow_nan=False)
