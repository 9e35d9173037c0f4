import keras
import numpy as np
import pytest

from trainer.layers import whitening
from trainer.layers.whitening import Whitening


def test_statistics_are_those_of_all_rows_whatever_the_batches():
    rows = np.random.default_rng(0).normal([60.0, 0.5, 7.0], [3.0, 0.01, 0.0], (1000, 3))
    mean, deviation = whitening.statistics([rows[:1], rows[1:300], rows[300:]])
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(deviation, rows.std(0), rtol=1e-5, atol=1e-12)
    assert deviation[2] == 0


def test_statistics_refuse_what_has_none():
    with pytest.raises(ValueError, match="no example"):
        whitening.statistics([])
    with pytest.raises(ValueError, match="finite"):
        whitening.statistics([np.array([[1.0, np.nan]])])


def test_whitens_and_comes_back_and_a_constant_element_is_its_mean():
    layer = Whitening(3)
    layer.set_statistics(np.array([1.0, -2.0, 5.0]), np.array([2.0, 0.5, 0.0]))
    parameters = np.array([[3.0, -3.0, 5.0]], np.float32)
    np.testing.assert_allclose(layer(parameters), [[1.0, -2.0, 0.0]])
    np.testing.assert_allclose(layer.invert(layer(parameters)), parameters)
    np.testing.assert_allclose(layer.invert(np.array([[1.0, -2.0, 99.0]], np.float32)), parameters)
    assert layer.trainable_variables == []


def test_wrong_statistics_are_refused():
    layer = Whitening(2)
    with pytest.raises(ValueError, match="`mean`"):
        layer.set_statistics(np.zeros(3), np.ones(2))
    with pytest.raises(ValueError, match="negative"):
        layer.set_statistics(np.zeros(2), np.array([1.0, -1.0]))


def test_statistics_are_saved_with_a_model(tmp_path):
    inputs = keras.Input((2,))
    layer = Whitening(2)
    layer.set_statistics(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(np.array([[4.0, 6.0]], np.float32)), [[1.0, 1.0]])
