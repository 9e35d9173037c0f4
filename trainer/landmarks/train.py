"""Training of a network on endless batches: seeded, averaged, resumable. What it learns is the caller's."""

import json
import math
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.configuration import to_mapping
from trainer.landmarks import augment, network
from trainer.landmarks.canvases import Canvases
from trainer.landmarks.config import LandmarkTrainingConfig, ScheduleConfig
from trainer.landmarks.loss import landmark_distance, landmark_nll, mean_known

WEIGHTS_FILE = "landmarks.npz"
LOG_FILE = "log.jsonl"
_WARM_UP = 0.02
_LOWEST_RATE = 0.01
_CLIP_NORM = 5.0

Batches = Callable[[int], Iterator[Any]]
"""Endless batches from a step on; each is a tuple of arrays."""
Loss = Callable[..., Any]
"""Loss of a network on a batch: `loss(network, *batch)`, a scalar tensor."""


def learning_rate(config: ScheduleConfig, step: int) -> float:
    """Rate at a step, from 0: linear warm-up, then a cosine from the peak to 1 % of it."""
    warm_up = max(1, round(_WARM_UP * config.steps))
    if step < warm_up:
        return config.learning_rate * (step + 1) / warm_up
    progress = min(1.0, (step - warm_up) / max(1, config.steps - warm_up))
    return config.learning_rate * (_LOWEST_RATE + (1 - _LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))


class Trainer:
    """A network, its moving average and its optimiser, in a folder that a killed run goes on from."""

    def __init__(
        self,
        build: Callable[[], keras.Model],
        loss: Loss,
        schedule: ScheduleConfig,
        directory: str | os.PathLike[str],
        identity: Mapping[str, Any],
        save: Callable[[keras.Model, pathlib.Path], None],
    ):
        """Restores what `directory` holds, or starts anew.

        Args:
            build: Builds the network with fresh weights.
            loss: What the optimiser makes small.
            schedule: Steps, rate, seed.
            directory: Folder of checkpoints, log and weights; made if absent.
            identity: What is trained, as JSON holds it; with the seed it must be what the folder was begun with.
            save: Writes the averaged network, in float32, to a file.

        Raises:
            ValueError: If the folder holds another training.
        """
        self.schedule, self.directory = schedule, pathlib.Path(directory)
        self._loss, self._save = loss, save
        self.directory.mkdir(parents=True, exist_ok=True)
        self._claim({"seed": schedule.seed, **identity})
        keras.utils.set_random_seed(schedule.seed)
        self.average = build()
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(schedule.mixed_precision)
        try:
            self.network = build()
        finally:
            keras.config.set_dtype_policy(policy)
        self.average.set_weights(self.network.get_weights())
        self.optimizer = keras.optimizers.AdamW(
            schedule.learning_rate, weight_decay=schedule.weight_decay, global_clipnorm=_CLIP_NORM
        )
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        checkpoint = tf.train.Checkpoint(
            network=self.network, average=self.average, optimizer=self.optimizer, step=self.step
        )
        self.checkpoints = tf.train.CheckpointManager(checkpoint, str(self.directory / "checkpoints"), max_to_keep=2)
        try:
            self.checkpoints.restore_or_initialize()
        except Exception as error:  # TensorFlow raises nearly anything on damaged files
            raise ValueError(f"{self.directory} holds a damaged checkpoint: {error}") from error
        self._update = tf.function(self._update_eagerly, reduce_retracing=True)

    def train(
        self,
        batches: Batches,
        report: Callable[[int, float], None] = lambda step, loss: None,
        weights_file: str = WEIGHTS_FILE,
    ) -> str:
        """Trains up to the schedule's end and writes the averaged weights.

        Args:
            batches: Where the batches come from.
            report: Called after every step with the number of steps done and the loss.
            weights_file: Name of the weights in the folder.

        Returns:
            Path of the weights.
        """
        path, done = self.directory / weights_file, int(self.step)
        started, losses = time.monotonic(), []
        with ThreadPoolExecutor(1) as ahead:
            source = batches(done)
            coming = ahead.submit(next, source)
            while done < self.schedule.steps:
                self.optimizer.learning_rate.assign(learning_rate(self.schedule, done))
                batch = coming.result()
                coming = ahead.submit(next, source)
                decay = min(self.schedule.average_decay, (1 + done) / (10 + done))
                losses.append(float(self._update(tuple(map(tf.constant, batch)), tf.constant(decay, tf.float32))))
                done += 1
                self.step.assign(done)
                report(done, losses[-1])
                if done % self.schedule.checkpoint_steps == 0 or done == self.schedule.steps:
                    self._save(self.average, path)
                    self.checkpoints.save()  # last: a finished training has its weights
                    self._log(done, float(np.mean(losses)), time.monotonic() - started)
                    losses = []
            coming.cancel()
        if not path.exists():  # removed since
            self._save(self.average, path)
        return str(path)

    def _update_eagerly(self, batch: Any, decay: Any) -> Any:
        """One optimiser step and one step of the average."""
        with tf.GradientTape() as tape:
            loss = self._loss(self.network, *batch)
        gradients = tape.gradient(loss, self.network.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.network.trainable_variables, strict=True))
        for kept, variable in zip(self.average.weights, self.network.weights, strict=True):
            kept.assign(decay * kept + (1 - decay) * tf.cast(variable, kept.dtype))
        return loss

    def _log(self, step: int, loss: float, seconds: float) -> None:
        with (self.directory / LOG_FILE).open("a") as file:
            file.write(json.dumps({"step": step, "loss": round(loss, 4), "seconds": round(seconds, 1)}) + "\n")

    def _claim(self, identity: Mapping[str, Any]) -> None:
        """Refuses to go on from another training's checkpoints."""
        path = self.directory / "identity.json"
        wanted = json.loads(json.dumps(identity))
        if path.exists() and (known := json.loads(path.read_text())) != wanted:
            differing = sorted(key for key in {*known, *wanted} if known.get(key) != wanted.get(key))
            raise ValueError(
                f"{self.directory} holds a training that differs in {', '.join(differing)}. Take another folder."
            )
        path.write_text(json.dumps(wanted, indent=1, sort_keys=True))


def landmark_trainer(config: LandmarkTrainingConfig, directory: str | os.PathLike[str]) -> Trainer:
    """The training of the landmark network; `train` it on `augment.training_batches`.

    Args:
        config: The training.
        directory: See `Trainer`.

    Raises:
        ValueError: If the folder holds another training.
    """

    def loss(model: keras.Model, images: Any, points: Any, known: Any) -> Any:
        return landmark_loss(model, images, points, known, config.distance_weight)

    values = to_mapping(config)
    return Trainer(
        lambda: network.build(config.network),
        loss,
        config.schedule,
        directory,
        {name: values[name] for name in ("network", "canvas")},
        lambda model, path: network.save(model, config.network, path),
    )


def landmark_loss(model: keras.Model, images: Any, points: Any, known: Any, distance_weight: float) -> Any:
    """Mean over a batch of likelihood and distance.

    Args:
        model: See `network.build`.
        images: `[B, S, S, 3]` uint8 sRGB.
        points: `[B, 2, 68, 2]` pixels.
        known: `[B, 2, 68]`.
        distance_weight: See `LandmarkTrainingConfig`.
    """
    predicted, log_sigma = model(tf.cast(images, tf.float32) / 255.0, training=True)
    likelihood = landmark_nll(points, predicted, log_sigma, known)
    distance = mean_known(landmark_distance(points, predicted), known) * (100 / model.input_shape[1])
    return tf.reduce_mean(likelihood + distance_weight * distance)


def train_landmarks(
    config: LandmarkTrainingConfig,
    sources: Canvases | Sequence[augment.Source],
    directory: str | os.PathLike[str],
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> str:
    """Trains the landmark network on faces; a run that was stopped goes on.

    Args:
        config: The training.
        sources: The faces, see `augment.training_batches`.
        directory: See `Trainer`.
        report: See `Trainer.train`.

    Returns:
        Path of the weights.

    Raises:
        ValueError: If the folder holds another training.
    """
    trainer = landmark_trainer(config, directory)
    return trainer.train(lambda step: augment.training_batches(sources, config, step), report)
