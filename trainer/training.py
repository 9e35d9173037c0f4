"""How a model is trained, whatever it learns: optimiser, schedule, precision, strategy, checkpoints."""

import contextlib
import dataclasses
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import keras
import tensorflow as tf

OPTIMIZERS: Final = ("adam", "sgd")
SCHEDULES: Final = ("constant", "exponential", "cosine")
PRECISIONS: Final = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES: Final = ("none", "mirrored")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """What every model's configuration says about its training."""

    steps: int = 10_000
    """Optimiser steps in all."""
    batch_size: int = 32
    """Images a step, over all replicas."""
    optimizer: str = "adam"
    """`adam` or `sgd`."""
    learning_rate: float = 1e-3
    """Rate at the schedule's start, after the warm-up."""
    momentum: float = 0.9
    """Momentum, in [0, 1); SGD only."""
    schedule: str = "cosine"
    """`constant`; `exponential`: times `decay_rate` every `decay_steps` steps; `cosine`: down to `decay_rate` of the rate
    at the last step."""
    decay_rate: float = 0.01
    """See `schedule`, in (0, 1]."""
    decay_steps: int = 1_000
    """See `schedule`, steps."""
    warmup_steps: int = 0
    """Steps over which a `cosine` schedule rises from 0 to the rate."""
    clip_norm: float = 0.0
    """Largest global norm of the gradient; 0 does not clip."""
    mixed_precision: str = "float32"
    """Keras' policy: `float32`, `mixed_bfloat16` or `mixed_float16` (with loss scaling)."""
    xla: bool = False
    """Whether XLA compiles the training step."""
    strategy: str = "none"
    """`none`: one device; `mirrored`: a replica on every GPU of this machine."""
    checkpoint_steps: int = 1_000
    """Steps between checkpoints; the held-out faces are evaluated then too."""
    seed: int = 0
    """Seed of weights, order and augmentation."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        for name in ("steps", "batch_size", "learning_rate", "decay_steps", "checkpoint_steps"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}.")
        for name in ("warmup_steps", "clip_norm", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {name}={getattr(self, name)}.")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"`momentum` must lie in [0, 1). Received: momentum={self.momentum}.")
        if not 0 < self.decay_rate <= 1:
            raise ValueError(f"`decay_rate` must lie in (0, 1]. Received: decay_rate={self.decay_rate}.")
        choices = {
            "optimizer": OPTIMIZERS,
            "schedule": SCHEDULES,
            "mixed_precision": PRECISIONS,
            "strategy": STRATEGIES,
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"`{name}` must be one of {', '.join(known)}. Received: {getattr(self, name)!r}.")


def learning_rate(config: TrainingConfig) -> Any:
    """The rate, a number or a Keras schedule."""
    if config.schedule == "exponential":
        return keras.optimizers.schedules.ExponentialDecay(config.learning_rate, config.decay_steps, config.decay_rate)
    if config.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            0.0 if config.warmup_steps else config.learning_rate,
            max(config.steps - config.warmup_steps, 1),
            alpha=config.decay_rate,
            warmup_target=config.learning_rate if config.warmup_steps else None,
            warmup_steps=config.warmup_steps,
        )
    return config.learning_rate


def optimizer(config: TrainingConfig) -> keras.optimizers.Optimizer:
    """The optimiser with its schedule."""
    clip = config.clip_norm or None
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(learning_rate(config), momentum=config.momentum, global_clipnorm=clip)
    return keras.optimizers.Adam(learning_rate(config), global_clipnorm=clip)


def strategy(config: TrainingConfig) -> tf.distribute.Strategy:
    """The strategy under whose scope the model is to be built: over every GPU, or the CPU where there is none."""
    if config.strategy == "mirrored":
        gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
        cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
        return tf.distribute.MirroredStrategy(gpus or cpus)
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def precision(policy: str) -> Iterator[None]:
    """Layers built within compute by this policy; the one that was set before comes back."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def mean_over_batch(values: Any) -> Any:
    """Mean `[]` of a loss `[B]`, scaled so that Keras' sum over replicas is the mean over the global batch."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return keras.ops.mean(values) / replicas


class Checkpoints(keras.callbacks.Callback):
    """Keeps the training's state on disk: a run that was killed goes on from the last checkpoint.

    A checkpoint is a Keras weights file that holds the optimiser's state too. It is written under another name and renamed,
    so that whatever bears the name is whole.
    """

    PATTERN: Final = re.compile(r"step-(\d+)\.weights\.h5")

    def __init__(self, directory: str, steps_per_epoch: int, keep: int = 2) -> None:
        """Sets where checkpoints are.

        Args:
            directory: Folder, local or any that `tf.io.gfile` knows; made when it is first needed.
            steps_per_epoch: Steps between two ends of an epoch, when checkpoints are written.
            keep: How many of the newest checkpoints to keep.
        """
        super().__init__()
        self.directory = directory
        self.steps_per_epoch = steps_per_epoch
        self.keep = keep

    def saved_steps(self) -> list[int]:
        """Steps of the checkpoints on disk, ascending."""
        if not tf.io.gfile.exists(self.directory):
            return []
        found = (self.PATTERN.fullmatch(name) for name in tf.io.gfile.listdir(self.directory))
        return sorted(int(match.group(1)) for match in found if match)

    def restore(self, model: keras.Model) -> int:
        """Loads the newest checkpoint into a built and compiled model.

        Returns:
            Steps that are done; 0 if there is no checkpoint.
        """
        steps = self.saved_steps()
        if not steps:
            return 0
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "latest.weights.h5"
            tf.io.gfile.copy(self._path(steps[-1]), str(local))
            model.load_weights(local)
        return steps[-1]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Writes a checkpoint and removes old ones."""
        step = (epoch + 1) * self.steps_per_epoch
        tf.io.gfile.makedirs(self.directory)
        writing = self._path(step) + ".writing"
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "latest.weights.h5"
            self.model.save_weights(local)
            tf.io.gfile.copy(str(local), writing, overwrite=True)
        tf.io.gfile.rename(writing, self._path(step), overwrite=True)
        for old in self.saved_steps()[: -self.keep]:
            tf.io.gfile.remove(self._path(old))

    def _path(self, step: int) -> str:
        return f"{self.directory}/step-{step:08d}.weights.h5"
