"""Training of the face locator, on rendered heads pasted into pictures without people."""

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.configuration import to_mapping
from trainer.landmarks import locator
from trainer.landmarks.locator_config import LocatorTrainingConfig
from trainer.landmarks.locator_loss import locator_loss
from trainer.landmarks.scenes import Cutouts, SceneMaker
from trainer.landmarks.train import Trainer

WEIGHTS_FILE = "locator.npz"


def train_locator(
    config: LocatorTrainingConfig,
    cutouts: Cutouts,
    backgrounds: np.ndarray,
    directory: str | os.PathLike[str],
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> str:
    """Trains the locator up to the schedule's end.

    Args:
        config: The training.
        cutouts: Rendered heads.
        backgrounds: `[N, P, P, 3]` uint8 pictures without people, P at least twice the network's image size at best.
        directory: Folder of checkpoints, log and weights; a run that was stopped goes on from it.
        report: Called after every step with the number of steps done and the loss.

    Returns:
        Path of the weights, see `trainer.landmarks.locator.load`.

    Raises:
        ValueError: If the folder holds another training.
    """
    seed, size = config.schedule.seed, config.network.image_size
    scenes = SceneMaker(cutouts, backgrounds, config.scenes, size, seed)
    trainer = Trainer(
        lambda: locator.build(config.network),
        _loss,
        config.schedule,
        directory,
        {"locator": to_mapping(config.network), "scenes": to_mapping(config.scenes)},
        lambda network, path: locator.save(network, config.network, path),
    )
    return trainer.train(lambda step: scenes.batches(config.schedule.batch_size, step), report, WEIGHTS_FILE)


def _loss(network: keras.Model, images: Any, targets: Any) -> Any:
    """Of a network on `[B, S, S, 3]` uint8 images and their targets."""
    return locator_loss(network(tf.cast(images, tf.float32) / 255.0, training=True), targets)
