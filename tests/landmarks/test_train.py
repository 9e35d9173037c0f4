"""Training: it resumes where it stopped, refuses another run's folder, and its schedule is the stated one."""

import dataclasses
import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.landmarks import network
from trainer.landmarks.config import LandmarkTrainingConfig, ScheduleConfig
from trainer.landmarks.train import LOG_FILE, Trainer, landmark_loss, landmark_trainer, learning_rate, train_landmarks

CONFIG = LandmarkTrainingConfig.preset("tiny", steps=4, batch_size=4, checkpoint_steps=2)


def with_schedule(**changes):
    return dataclasses.replace(CONFIG, schedule=dataclasses.replace(CONFIG.schedule, **changes))


def test_a_stopped_run_goes_on_at_its_step(canvases, tmp_path):
    steps = []

    def stop_after_three(step, loss):
        steps.append(step)
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_landmarks(CONFIG, canvases, tmp_path, stop_after_three)
    resumed = landmark_trainer(CONFIG, tmp_path)
    assert int(resumed.step) == 2  # the last checkpoint
    path = train_landmarks(CONFIG, canvases, tmp_path, lambda step, loss: steps.append(step))
    assert steps == [1, 2, 3, 3, 4]
    assert network.load(path)[1] == CONFIG.network
    log = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert [entry["step"] for entry in log] == [2, 4]
    with pytest.raises(ValueError, match="differs in seed"):
        landmark_trainer(with_schedule(seed=5), tmp_path)


def test_weights_that_were_removed_come_back_and_a_damaged_checkpoint_is_named(canvases, tmp_path):
    path = pathlib.Path(train_landmarks(CONFIG, canvases, tmp_path))
    weights = path.read_bytes()
    path.unlink()
    train_landmarks(CONFIG, canvases, tmp_path)
    assert path.read_bytes() == weights
    for file in (tmp_path / "checkpoints").glob("*.data-*"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged checkpoint"):
        landmark_trainer(CONFIG, tmp_path)


def test_interrupted_and_whole_runs_end_alike(canvases, tmp_path):
    whole = train_landmarks(CONFIG, canvases, tmp_path / "whole")

    def stop(step, loss):
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_landmarks(CONFIG, canvases, tmp_path / "halves", stop)
    halves = train_landmarks(CONFIG, canvases, tmp_path / "halves")
    for one, other in zip(*(network.load(path)[0].get_weights() for path in (whole, halves)), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_the_rate_warms_up_and_falls_to_a_hundredth():
    config = ScheduleConfig(steps=1000)
    rates = [learning_rate(config, step) for step in range(1001)]
    peak = int(np.argmax(rates))
    assert 15 <= peak <= 25
    assert rates[peak] == pytest.approx(config.learning_rate)
    assert (np.diff(rates[:peak]) > 0).all()
    assert (np.diff(rates[peak + 1 :]) < 0).all()
    assert rates[-1] == pytest.approx(config.learning_rate / 100)


def test_any_network_can_be_trained_and_its_average_lags_behind(tmp_path):
    def build():
        return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])

    def loss(model, x, y):
        return tf.reduce_mean(tf.square(model(x) - y))

    def batches(step):
        while True:
            x = np.random.default_rng(step).normal(size=(16, 1)).astype(np.float32)
            yield x, 3 * x
            step += 1

    schedule = ScheduleConfig(steps=300, learning_rate=0.1, weight_decay=0.0, checkpoint_steps=300)
    trainer = Trainer(build, loss, schedule, tmp_path, {}, lambda model, path: path.write_text("saved"))
    reported = []
    path = trainer.train(batches, lambda step, value: reported.append(value), "line.txt")
    assert path == str(tmp_path / "line.txt")
    assert np.mean(reported[-20:]) < 1e-2 * np.mean(reported[:5])
    slope = float(trainer.network.layers[-1].kernel[0, 0])
    assert slope == pytest.approx(3, abs=0.05)
    assert slope != float(trainer.average.layers[-1].kernel[0, 0])


def test_distance_counts_with_its_weight():
    model = network.build(CONFIG.network)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    points, known = np.full((2, 2, 68, 2), 16, np.float32), np.ones((2, 2, 68), np.float32)
    zero, one, two = (float(landmark_loss(model, images, points, known, weight)) for weight in (0.0, 1.0, 2.0))
    assert one > zero
    assert two - one == pytest.approx(one - zero, rel=1e-3)
