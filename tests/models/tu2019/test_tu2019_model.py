import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import training_parts as parts

from trainer import contract, training
from trainer.models.tu2019 import backbones, model
from trainer.models.tu2019.config import Tu2019Config

FACE = parts.face_model()
SMALL = dataclasses.replace(
    Tu2019Config.preset("tiny"), image_size=64, batch_size=4, steps=200, warmup_steps=0, learning_rate=4e-3
)


def batch(count=4, size=64):
    """Random pixels with the labels of real parameters."""
    rng = np.random.default_rng(3)
    records = [parts.features(FACE, index) for index in range(count)]
    scale = size / parts.SIZE
    points = np.stack([np.c_[record[contract.LANDMARKS_XY], record[contract.LANDMARKS_Z]] for record in records])
    labels = {
        "landmarks": points * scale,
        "landmark_weights": np.ones((count, 68)),
        "camera": np.stack([record[contract.CAMERA_MATRIX] for record in records]) * scale,
        "shape": np.stack([record[contract.MORPHABLE_SHAPE] for record in records]),
        "expression": np.stack([record[contract.MORPHABLE_EXPRESSION] for record in records]),
        "has_parameters": np.ones(count),
    }
    labels = {key: value.astype("f") for key, value in labels.items()}
    inputs = {"image": rng.uniform(0, 1, (count, size, size, 3)).astype("f"), "landmarks": labels["landmarks"][..., :2]}
    return inputs, labels


@pytest.fixture
def quick_backbone(monkeypatch):
    """A convolution in place of the backbone, for what a whole network would only make slow."""

    def build(name, width, image_size, outputs):
        images = keras.Input((image_size, image_size, 4))
        features = keras.layers.Flatten()(keras.layers.Conv2D(4, 8, 8, activation="relu")(images))
        return keras.Model(images, keras.layers.Dense(outputs, dtype="float32")(features))

    monkeypatch.setattr(backbones, "build", build)


def vector(labels):
    return np.concatenate([labels["camera"].reshape(-1, 12), labels["shape"], labels["expression"]], axis=1)


def built(config=SMALL):
    keras.utils.set_random_seed(0)
    statistics = vector(batch(64)[1])
    return model.build(config, FACE, (statistics.mean(0), statistics.std(0)))


def compiled(config=SMALL, **arguments):
    network = built(config)
    network.compile(training.optimizer(config), **arguments)
    return network


def test_true_parameters_decode_to_the_labels_and_cost_nothing(quick_backbone):
    network, (_, labels) = built(), batch()
    whitened = network.whitening(vector(labels))
    camera, shape, expression = network.decode(whitened)
    np.testing.assert_allclose(camera, labels["camera"], atol=1e-3)
    np.testing.assert_allclose(shape, labels["shape"], atol=1e-4)
    np.testing.assert_allclose(expression, labels["expression"], atol=1e-4)
    np.testing.assert_allclose(network.landmarks(whitened), labels["landmarks"], atol=1e-2)
    for name, values in network.loss_terms(labels, whitened).items():
        np.testing.assert_allclose(values, 0, atol=0.2 if name == "consistency" else 1e-3)


def test_photos_are_taught_by_their_landmarks_alone(quick_backbone):
    network, (_, labels) = built(), batch()
    photos = {**labels, "has_parameters": np.zeros(4, np.float32), "camera": 0 * labels["camera"]}
    whitened = tf.Variable(np.random.default_rng(0).normal(0, 1, (4, 17)).astype("f"))
    with tf.GradientTape() as tape:
        terms = network.loss_terms(photos, whitened)
        total = sum(tf.reduce_sum(values) for values in terms.values())
    np.testing.assert_array_equal(terms["coefficient"], 0)
    assert np.isfinite(tape.gradient(total, whitened)).all()
    deeper = {**photos, "landmarks": photos["landmarks"] + np.float32([0, 0, 9])}
    np.testing.assert_allclose(network.loss_terms(deeper, whitened)["landmark"], terms["landmark"])


def test_a_term_of_weight_zero_is_not_computed(quick_backbone):
    config = dataclasses.replace(SMALL, consistency_weight=0.0, coefficient_weight=0.0)
    network, (_, labels) = built(config), batch()
    assert set(network.loss_terms(labels, np.zeros((4, 17), np.float32))) == {"landmark"}
    assert set(network.terms) == {"landmark"}


def test_loss_falls_on_a_batch_it_can_overfit():
    network, data = compiled(), batch()
    first = network.train_on_batch(*data, return_dict=True)
    for _ in range(40):
        network.reset_metrics()
        last = network.train_on_batch(*data, return_dict=True)
    assert last["loss"] < 0.4 * first["loss"]
    assert last["nme_sqrt_box"] < 0.6 * first["nme_sqrt_box"]


def test_save_and_load_give_the_same_predictions(tmp_path, quick_backbone):
    network, (inputs, labels) = compiled(), batch()
    network.train_on_batch(inputs, labels)
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.settings == network.settings
    expected, found = network.landmarks(network(inputs)), loaded.landmarks(loaded(inputs))
    np.testing.assert_allclose(expected, found, atol=1e-4)


def test_reconstructor_is_what_a_servable_asks_for():
    network, (inputs, _) = built(), batch()
    regressor = model.reconstructor(network)
    assert (regressor.image_size, regressor.margin) == (64, SMALL.margin)
    camera, shape, expression = regressor(inputs["image"], inputs["landmarks"])
    assert (camera.shape, shape.shape, expression.shape) == ((4, 3, 4), (4, 3), (4, 2))
    whitened = network(inputs, training=False)
    np.testing.assert_allclose(camera, network.decode(whitened)[0], atol=1e-4)


def test_counts_are_those_of_the_face_model_where_it_has_fewer_and_that_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(model._LOGGER, "warning", lambda text, *values: said.append(text % values))
    assert model.counts(dataclasses.replace(SMALL, shape_count=500, expression_count=500), FACE) == (
        parts.IDENTITY,
        parts.EXPRESSION,
    )
    assert len(said) == 1
    assert f"{parts.IDENTITY} identity and {parts.EXPRESSION} expression modes" in said[0]
    assert model.counts(dataclasses.replace(SMALL, shape_count=2, expression_count=1), FACE) == (2, 1)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_runs_a_step_and_keeps_the_global_policy(precision, quick_backbone):
    network, data = compiled(dataclasses.replace(SMALL, mixed_precision=precision)), batch()
    assert keras.config.dtype_policy().name == "float32"
    assert network.regressor.layers[-1].compute_dtype == "float32"
    assert any(layer.compute_dtype == precision.removeprefix("mixed_") for layer in network.regressor.layers)
    assert np.isfinite(network.train_on_batch(*data, return_dict=True)["loss"])
    assert isinstance(network.optimizer, keras.optimizers.LossScaleOptimizer) == (precision == "mixed_float16")


def test_xla_runs_a_step_with_the_same_loss(quick_backbone):
    plain, xla, data = compiled(), compiled(jit_compile=True), batch()
    found, expected = (network.train_on_batch(*data, return_dict=True) for network in (xla, plain))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3)


def test_resnet_has_the_authors_shape():
    network = backbones.build("resnet50", 1.0, 120, 62)
    pooled = next(layer for layer in network.layers if isinstance(layer, keras.layers.AveragePooling2D))
    assert tuple(pooled.input.shape[1:]) == (8, 8, 2048)  # stride 16, not 32
    assert tuple(pooled.output.shape[1:]) == (1, 1, 2048)
    assert network.output_shape == (None, 62)
    # torchvision's ResNet-50 has 23,508,032 parameters before its classifier, running statistics not counted.
    fourth_channel, head = 7 * 7 * 64, 2048 * 62 + 62
    trainable = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    assert trainable == 23_508_032 + fourth_channel + head


def test_unknown_backbone_is_an_error():
    with pytest.raises(ValueError, match="mobilenet"):
        backbones.build("vgg", 1.0, 120, 62)
