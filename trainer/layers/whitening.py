"""Whitening of parameter vectors by the statistics of a training set."""

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="monoface")
class Whitening(keras.layers.Layer):
    """Maps parameters to zero mean and unit deviation, element by element, and back.

    Mean and deviation are weights that no optimiser moves, so they are saved with the model. An element that never varies in the
    training set has deviation 0: it whitens to 0 and comes back as its mean whatever the input.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        """Sets the size.

        Args:
            size: Elements of a parameter vector, P.
            **kwargs: Of `keras.layers.Layer`.
        """
        super().__init__(**{"dtype": "float32", **kwargs, "trainable": False})
        self.size = size
        self.mean = self.add_weight(shape=(size,), initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=(size,), initializer="ones", trainable=False, name="deviation")
        self.built = True

    def set_statistics(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Takes the training set's statistics.

        Args:
            mean: `[P]`.
            deviation: `[P]`, 0 or more.

        Raises:
            ValueError: If the lengths are wrong, or a value is not finite or a deviation negative.
        """
        for name, value in (("mean", mean), ("deviation", deviation)):
            if np.shape(value) != (self.size,) or not np.isfinite(value).all():
                raise ValueError(f"`{name}` must be {self.size} finite values. Received: shape {np.shape(value)}.")
        if (np.asarray(deviation) < 0).any():
            raise ValueError("`deviation` must not be negative.")
        self.mean.assign(mean)
        self.deviation.assign(deviation)

    def call(self, parameters: Any) -> Any:
        """Whitens `[B, P]` parameters."""
        varies = self.deviation > 0
        safe = ops.where(varies, self.deviation, ops.ones_like(self.deviation))
        return ops.where(varies, (parameters - self.mean) / safe, ops.zeros_like(parameters))

    def invert(self, whitened: Any) -> Any:
        """Parameters `[B, P]` of whitened ones."""
        return ops.cast(whitened, "float32") * self.deviation + self.mean

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.size}


def statistics(batches: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over all rows, in one pass.

    Args:
        batches: Iterable of `[B, P]` arrays.

    Returns:
        Mean `[P]` and deviation `[P]`, float32. Deviations that are rounding errors are 0.

    Raises:
        ValueError: If there is no row, or a value is not finite.
    """
    count, mean, squares = 0, 0.0, 0.0
    for batch in batches:
        rows = np.asarray(batch, np.float64)
        if not np.isfinite(rows).all():
            raise ValueError("Parameters of the training set must be finite.")
        if not len(rows):
            continue
        # Chan's update of mean and sum of squared deviations: exact for large means, such as crop centres.
        batch_mean = rows.mean(axis=0)
        difference, total = batch_mean - mean, count + len(rows)
        squares = squares + ((rows - batch_mean) ** 2).sum(axis=0) + difference**2 * (count * len(rows) / total)
        mean = mean + difference * (len(rows) / total)
        count = total
    if not count:
        raise ValueError("The training set holds no example.")
    deviation = np.sqrt(squares / count)
    deviation[deviation <= 1e-6 * np.maximum(np.abs(mean), 1e-6)] = 0.0
    return np.asarray(mean, np.float32), deviation.astype(np.float32)
