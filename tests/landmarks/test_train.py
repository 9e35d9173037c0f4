"""Training: it resumes where it stopped, refuses another run's folder, and its schedule is the stated one."""

import dataclasses
import json

import numpy as np
import pytest

from trainer.landmarks import network
from trainer.landmarks.config import LandmarkTrainingConfig
from trainer.landmarks.train import LOG_FILE, Trainer, learning_rate

CONFIG = dataclasses.replace(LandmarkTrainingConfig.preset("tiny"), steps=4, batch_size=4, checkpoint_steps=2)


def test_a_stopped_run_goes_on_at_its_step(shards, backgrounds, tmp_path):
    steps = []

    def stop_after_three(step, loss):
        steps.append(step)
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(CONFIG, tmp_path).train(shards, backgrounds, stop_after_three)
    resumed = Trainer(CONFIG, tmp_path)
    assert int(resumed.step) == 2  # the last checkpoint
    kept = [np.array(weight) for weight in resumed.network.get_weights()]
    fresh = network.build(CONFIG.network).get_weights()
    assert any(np.abs(a - b).max() > 0 for a, b in zip(kept, fresh, strict=True))
    path = resumed.train(shards, backgrounds, lambda step, loss: steps.append(step))
    assert steps == [1, 2, 3, 3, 4]
    loaded, config = network.load(path)
    assert config == CONFIG.network
    for weight, average in zip(loaded.get_weights(), resumed.average.get_weights(), strict=True):
        np.testing.assert_allclose(weight, average, atol=2e-3, rtol=2e-3)
    log = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert [entry["step"] for entry in log] == [2, 4]
    with pytest.raises(ValueError, match="seed"):
        Trainer(dataclasses.replace(CONFIG, seed=5), tmp_path)


def test_the_rate_warms_up_and_falls_to_a_hundredth():
    config = dataclasses.replace(CONFIG, steps=1000)
    rates = [learning_rate(config, step) for step in range(1001)]
    peak = int(np.argmax(rates))
    assert 15 <= peak <= 25
    assert rates[peak] == pytest.approx(config.learning_rate)
    assert (np.diff(rates[:peak]) > 0).all()
    assert (np.diff(rates[peak + 1 :]) < 0).all()
    assert rates[-1] == pytest.approx(config.learning_rate / 100)
