import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer import training
from trainer.training import Checkpoints, TrainingConfig

TWO_REPLICAS = """
import keras, numpy as np, tensorflow as tf
from trainer import training

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


class Mean(keras.Model):
    def __init__(self):
        super().__init__()
        self.value = self.add_weight(shape=(), initializer="zeros")
        self.built = True

    def call(self, x):
        return x * 0 + self.value

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return mean_over_batch(keras.ops.square(y - y_pred)[:, 0])


mean_over_batch = training.mean_over_batch
strategy = training.strategy(training.TrainingConfig(strategy="mirrored"))
assert strategy.num_replicas_in_sync == 2
with strategy.scope():
    model = Mean()
    model.compile(keras.optimizers.SGD(0.1))
data = tf.data.Dataset.from_tensors((np.zeros((4, 1), "f"), np.array([[1], [2], [3], [6]], "f")))
model.fit(data, verbose=0)
print("value", float(model.get_weights()[0]), "loss", float(model.evaluate(data, return_dict=True, verbose=0)["loss"]))
"""


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def data():
    rng = np.random.default_rng(0)
    return tf.data.Dataset.from_tensors((rng.normal(size=(4, 3)), rng.normal(size=(4, 2)))).repeat()


def test_schedules_by_hand():
    exponential = training.learning_rate(
        TrainingConfig(schedule="exponential", learning_rate=1.0, decay_rate=0.5, decay_steps=10)
    )
    assert [float(exponential(step)) for step in (0, 10, 20)] == pytest.approx([1.0, 0.5, 0.25])
    cosine = training.learning_rate(
        TrainingConfig(schedule="cosine", learning_rate=1.0, decay_rate=0.1, steps=110, warmup_steps=10)
    )
    assert [float(cosine(step)) for step in (0, 5, 10, 60, 110)] == pytest.approx([0, 0.5, 1.0, 0.55, 0.1], abs=1e-5)
    assert training.learning_rate(TrainingConfig(schedule="constant", learning_rate=0.3)) == 0.3


def test_optimizers_are_the_configured_ones():
    sgd = training.optimizer(TrainingConfig(optimizer="sgd", momentum=0.8, clip_norm=2.0))
    assert isinstance(sgd, keras.optimizers.SGD)
    assert (sgd.momentum, sgd.global_clipnorm) == (0.8, 2.0)
    assert isinstance(training.optimizer(TrainingConfig()), keras.optimizers.Adam)


@pytest.mark.parametrize(
    "field", [{"steps": 0}, {"momentum": 1.0}, {"decay_rate": 0.0}, {"schedule": "linear"}, {"clip_norm": -1.0}]
)
def test_mistakes_are_named(field):
    with pytest.raises(ValueError, match=next(iter(field))):
        TrainingConfig(**field)


def test_precision_holds_inside_only_even_after_an_error():
    def fail():
        with training.precision("mixed_bfloat16"):
            assert keras.layers.Dense(1).compute_dtype == "bfloat16"
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_a_restored_run_ends_like_one_that_was_not_interrupted(tmp_path):
    whole = network()
    whole.fit(data(), epochs=4, steps_per_epoch=5, verbose=0)

    checkpoints = Checkpoints(str(tmp_path / "checkpoints"), 5)
    network().fit(data(), epochs=2, steps_per_epoch=5, verbose=0, callbacks=[checkpoints])
    assert checkpoints.saved_steps() == [5, 10]
    resumed = network()
    assert checkpoints.restore(resumed) == 10
    assert int(resumed.optimizer.iterations) == 10
    resumed.fit(data(), initial_epoch=2, epochs=4, steps_per_epoch=5, verbose=0, callbacks=[checkpoints])
    assert checkpoints.saved_steps() == [15, 20]  # the older ones are gone
    for expected, found in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_half_a_checkpoint_is_not_taken_for_one(tmp_path):
    checkpoints = Checkpoints(str(tmp_path), 5)
    assert checkpoints.restore(network()) == 0
    (tmp_path / "step-00000005.weights.h5.writing").write_bytes(b"cut")
    assert checkpoints.saved_steps() == []


def test_mirrored_strategy_runs_a_step_on_this_machine():
    with training.strategy(TrainingConfig(strategy="mirrored")).scope():
        model = network()
    model.fit(data(), epochs=1, steps_per_epoch=1, verbose=0)
    assert model.optimizer.iterations.numpy() == 1


@pytest.mark.slow
def test_two_replicas_take_the_step_of_one():
    """The mean of 1, 2, 3, 6 is 3: the first step of rate 0.1 on the squared error goes to 0.6, on however many devices."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    words = done.stdout.split()
    assert float(words[words.index("value") + 1]) == pytest.approx(0.6, abs=1e-5)
    assert float(words[words.index("loss") + 1]) == pytest.approx(9.26, abs=1e-3)  # mean of (1 - 0.6)², …
