"""Training of the landmark network: seeded, resumable, on rendered heads alone."""

import json
import math
import os
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.configuration import to_mapping
from trainer.landmarks import network
from trainer.landmarks.config import LandmarkTrainingConfig
from trainer.landmarks.loss import landmark_nll
from trainer.landmarks.pictures import training_batches

WEIGHTS_FILE = "landmarks.npz"
LOG_FILE = "log.jsonl"
_WARM_UP = 0.02
_LOWEST_RATE = 0.01
_CLIP_NORM = 5.0


def learning_rate(config: LandmarkTrainingConfig, step: int) -> float:
    """Rate at a step, from 0: linear warm-up, then a cosine from the peak to 1 % of it."""
    warm_up = max(1, round(_WARM_UP * config.steps))
    if step < warm_up:
        return config.learning_rate * (step + 1) / warm_up
    progress = min(1.0, (step - warm_up) / max(1, config.steps - warm_up))
    return config.learning_rate * (_LOWEST_RATE + (1 - _LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))


class Trainer:
    """A network, its moving average and its optimiser, in a folder that a killed run goes on from."""

    def __init__(self, config: LandmarkTrainingConfig, directory: str | os.PathLike[str]):
        """Restores what `directory` holds, or starts anew.

        Args:
            config: The training.
            directory: Folder of checkpoints, log and weights; made if absent.

        Raises:
            ValueError: If the folder holds a training of another network or seed.
        """
        self.config = config
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._check_identity()
        keras.utils.set_random_seed(config.seed)
        self.network = network.build(config.network)
        self.average = network.build(config.network)
        self.average.set_weights(self.network.get_weights())
        self.optimizer = keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, global_clipnorm=_CLIP_NORM
        )
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        checkpoint = tf.train.Checkpoint(
            network=self.network, average=self.average, optimizer=self.optimizer, step=self.step
        )
        self.checkpoints = tf.train.CheckpointManager(checkpoint, str(self.directory / "checkpoints"), max_to_keep=2)
        self.checkpoints.restore_or_initialize()
        self._update = tf.function(self._update_eagerly, reduce_retracing=True)

    def train(
        self,
        shards: Sequence[str],
        backgrounds: np.ndarray,
        report: Callable[[int, float], None] = lambda step, loss: None,
    ) -> str:
        """Trains up to `config.steps` and writes the averaged weights.

        Args:
            shards: See `training_batches`.
            backgrounds: See `training_batches`.
            report: Called after every step with the number of steps done and the loss.

        Returns:
            Path of the weights.
        """
        path = self.directory / WEIGHTS_FILE
        first, done = int(self.step), int(self.step)
        started, losses = time.monotonic(), []
        if first < self.config.steps:
            batches = iter(training_batches(shards, backgrounds, self.config, first))
        while done < self.config.steps:
            self.optimizer.learning_rate.assign(learning_rate(self.config, done))
            decay = min(self.config.average_decay, (1 + done) / (10 + done))
            losses.append(self._update(*next(batches), tf.constant(decay, tf.float32)))
            done += 1
            self.step.assign(done)
            report(done, float(losses[-1]))
            if done % self.config.checkpoint_steps == 0 or done == self.config.steps:
                self.checkpoints.save()
                network.save(self.average, self.config.network, path)
                self._log(done, float(np.mean(losses)), time.monotonic() - started)
                losses = []
        return str(path)

    def _update_eagerly(self, images: Any, points: Any, decay: Any) -> Any:
        """One optimiser step and one step of the average."""
        with tf.GradientTape() as tape:
            predicted, log_sigma = self.network(images, training=True)
            loss = tf.reduce_mean(landmark_nll(points, predicted, log_sigma))
        gradients = tape.gradient(loss, self.network.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.network.trainable_variables, strict=True))
        for kept, variable in zip(self.average.weights, self.network.weights, strict=True):
            kept.assign(decay * kept + (1 - decay) * variable)
        return loss

    def _log(self, step: int, loss: float, seconds: float) -> None:
        with (self.directory / LOG_FILE).open("a") as file:
            file.write(json.dumps({"step": step, "loss": round(loss, 4), "seconds": round(seconds, 1)}) + "\n")

    def _check_identity(self) -> None:
        """Refuses to go on from another network's or seed's checkpoints."""
        path = self.directory / "config.json"
        values = to_mapping(self.config)
        if path.exists():
            known = json.loads(path.read_text())
            for name in ("network", "seed"):
                if known[name] != values[name]:
                    raise ValueError(
                        f"{self.directory} holds a training with {name}={known[name]}. Received: {name}={values[name]}"
                    )
        path.write_text(json.dumps(values, indent=1, sort_keys=True))
