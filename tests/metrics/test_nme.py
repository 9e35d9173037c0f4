import keras
import numpy as np
import pytest

from trainer import contract
from trainer.metrics import nme


def _face() -> np.ndarray:
    """A face whose box is 40 x 90 and whose outer eye corners are (3, 4, 12) apart: 13."""
    points = np.full((1, 68, 3), (20.0, 30.0, 0.0), np.float32)
    points[0, 0] = (0, 0, 0)
    points[0, 8] = (40, 90, 0)
    points[0, 36] = (10, 20, 0)
    points[0, 45] = (13, 24, 12)
    return points


@pytest.mark.parametrize(("normalizer", "length"), [("sqrt_box", 60.0), ("box_width", 40.0), ("interocular", 13.0)])
def test_each_normalizer_by_hand(normalizer, length):
    truth = _face()
    predicted = truth + np.array([2.0, 3.0, 6.0], np.float32)
    value = np.asarray(nme.nme(truth, predicted, normalizer=normalizer))
    np.testing.assert_allclose(value, [7.0 / length], rtol=1e-6)


def test_one_wrong_point_counts_a_sixtyeighth_and_two_dimensions_ignore_depth():
    truth = _face()
    predicted = truth.copy()
    predicted[0, 5] += (3.0, 4.0, 100.0)
    value = np.asarray(nme.nme(truth[..., :2], predicted[..., :2]))
    np.testing.assert_allclose(value, [5.0 / 68 / 60.0], rtol=1e-6)


def test_a_given_box_replaces_the_landmarks_box():
    truth = _face()
    box = np.array([[0, 0, 10, 1000]], np.float32)
    for normalizer, length in (("sqrt_box", 100.0), ("box_width", 10.0), ("interocular", 13.0)):
        value = np.asarray(nme.nme(truth, truth + np.float32([1, 0, 0]), box, normalizer))
        np.testing.assert_allclose(value, [1.0 / length], rtol=1e-6)


def test_one_value_per_image():
    truth = np.concatenate([_face(), 2 * _face()])
    predicted = truth + np.array([1.0, 0.0, 0.0], np.float32)
    np.testing.assert_allclose(np.asarray(nme.nme(truth, predicted)), [1 / 60, 1 / 120], rtol=1e-6)


def test_mistakes_are_named():
    truth = _face()
    with pytest.raises(ValueError, match="normalizer"):
        nme.nme(truth, truth, normalizer="diagonal")
    with pytest.raises(ValueError, match="interocular"):
        nme.nme(truth[..., :2], truth[..., :2], normalizer="interocular")
    with pytest.raises(ValueError, match="same number"):
        nme.nme(truth, truth[:, :21])
    with pytest.raises(ValueError, match="normalizer"):
        nme.NormalizedMeanError("diagonal")


def test_balanced_mean_weighs_bins_not_images():
    errors = np.array([1.0, 1.0, 1.0, 4.0, 10.0])
    yaw = np.array([0.0, -30.0, 12.0, 31.0, -75.0])
    assert nme.balanced_mean(errors, yaw) == pytest.approx((1.0 + 4.0 + 10.0) / 3)
    assert nme.balanced_mean(errors[:4], yaw[:4]) == pytest.approx(2.5)
    with pytest.raises(ValueError, match="N > 0"):
        nme.balanced_mean(np.array([]), np.array([]))


def test_keras_metric_accumulates_weighs_and_is_serializable():
    truth = _face()
    metric = nme.NormalizedMeanError("box_width")
    assert metric.name == "nme_box_width"
    metric.update_state(truth, truth + np.float32([4, 0, 0]))
    metric.update_state(truth, truth + np.float32([8, 0, 0]))
    assert float(metric.result()) == pytest.approx(0.15)
    metric.reset_state()
    both = np.concatenate([truth, truth])
    metric.update_state(both, both + np.float32([[[4, 0, 0]], [[999, 0, 0]]]), sample_weight=[1.0, 0.0])
    assert float(metric.result()) == pytest.approx(0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert isinstance(again, nme.NormalizedMeanError)
    assert again.normalizer == "box_width"
    assert nme.NORMALIZERS == ("sqrt_box", "box_width", "interocular")
    assert contract.OUTER_EYE_CORNERS == (36, 45)
