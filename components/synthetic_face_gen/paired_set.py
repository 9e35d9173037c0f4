"""Gecer et al. 2018: renders drawn from the distribution of a set of photographs with known parameters, narrowed.

The set is known by its statistics, a JSON object: each of `expression`, `pose`, `light` and `color`, all optional, holds a
`mean` `[n]` and a `covariance` `[n][n]`. `expression`: weights of the face model's expression modes; `pose`: yaw, pitch, roll,
degrees; `light`: 27 radiance coefficients of the environment, coefficient by coefficient, red, green, blue; `color`: natural
logarithms of a gain for each colour. What is missing follows our own draws: their mean and covariance over `SAMPLES` of them.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from components.synthetic_face_gen import lights, placement
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.config_pictures import ImageChainConfig
from components.synthetic_face_gen.expressions import ExpressionSampler
from components.synthetic_face_gen.streams import Stream, generator
from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import HARMONICS_COUNT

PARTS: Final = ("expression", "pose", "light", "color")

SAMPLES: Final = 400
"""Draws behind the statistics that stand in for missing ones."""


class PairedSet:
    """Normal distributions of expression, pose, light and colour."""

    def __init__(self, config: SyntheticFaceConfig, model: MorphableModel, expressions: ExpressionSampler):
        """Reads the statistics, or makes them.

        Args:
            config: The data set; its `paired_set` must not be None.
            model: The face model.
            expressions: Of the same model.

        Raises:
            ValueError: If the file is no such JSON, or a mean or covariance does not fit; the message names it.
        """
        settings = config.paired_set
        if settings is None:
            raise ValueError("`paired_set` must be configured. Received: None")
        given = _read(settings.statistics) if settings.statistics else {}
        own = _own_draws(config, expressions)
        sizes = {"expression": len(model.expression), "pose": 3, "light": HARMONICS_COUNT * 3, "color": 3}
        self._parts = {}
        for name in PARTS:
            mean, covariance = _statistics(name, given[name], sizes[name]) if name in given else own[name]()
            divisor = getattr(settings, f"{name}_divisor")
            self._parts[name] = mean, _root(covariance / divisor)
        self._range = model.expression_range.astype(np.float64)
        self._pose = np.array([config.pose.yaw, config.pose.pitch, config.pose.roll])

    def expression(self, rng: np.random.Generator) -> np.ndarray:
        """`[K_expression]` float32 weights, within the model's range."""
        low, high = self._range.T
        return np.clip(self._draw("expression", rng), np.minimum(low, 0), high).astype(np.float32)

    def euler(self, rng: np.random.Generator) -> np.ndarray:
        """`[3]` yaw, pitch, roll, degrees, within the configured ranges."""
        return np.clip(self._draw("pose", rng), *self._pose.T)

    def harmonics(self, rng: np.random.Generator) -> np.ndarray:
        """`[9, 3]` float32 radiance coefficients."""
        return self._draw("light", rng).reshape(HARMONICS_COUNT, 3).astype(np.float32)

    def gains(self, rng: np.random.Generator) -> np.ndarray:
        """`[3]` factor on each colour."""
        return np.exp(self._draw("color", rng))

    def _draw(self, part: str, rng: np.random.Generator) -> np.ndarray:
        mean, root = self._parts[part]
        return mean + root @ rng.standard_normal(len(mean))


def _own_draws(
    config: SyntheticFaceConfig, expressions: ExpressionSampler
) -> Mapping[str, Callable[[], tuple[np.ndarray, np.ndarray]]]:
    """For each part, a function that gives mean and covariance of what the config's other fields would draw."""
    rng = generator(config.seed, Stream.STATISTICS)

    def over(draw: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        drawn = np.array([np.ravel(draw()) for _ in range(SAMPLES)], np.float64)
        return drawn.mean(axis=0), np.atleast_2d(np.cov(drawn, rowvar=False))

    gain = ImageChainConfig().gain_spread
    return {
        "expression": lambda: over(lambda: expressions.sample(rng, config.expression)),
        "pose": lambda: over(lambda: placement.sample_euler(config.pose, rng)),
        "light": lambda: over(lambda: lights.sample_light(config.light, rng).harmonics),
        "color": lambda: (np.zeros(3), np.full((3, 3), config.light.exposure_spread**2) + gain**2 * np.eye(3)),
    }


def _read(path: str) -> Mapping[str, Any]:
    try:
        values = json.loads(Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"`paired_set.statistics` must be a JSON file: {error}. Received: {path}") from error
    if not isinstance(values, Mapping) or not set(values) <= set(PARTS):
        raise ValueError(f"`paired_set.statistics` must be a JSON object with keys among {', '.join(PARTS)}: {path}")
    return values


def _statistics(name: str, values: Any, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of a part, checked."""
    where = f"paired_set.statistics: {name}"
    if not isinstance(values, Mapping) or set(values) != {"mean", "covariance"}:
        raise ValueError(f"`{where}` must hold `mean` and `covariance`.")
    try:
        mean, covariance = (np.array(values[key], np.float64) for key in ("mean", "covariance"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{where}` must hold numbers: {error}") from error
    if mean.shape != (size,) or covariance.shape != (size, size):
        raise ValueError(
            f"`{where}` must have a mean [{size}] and a covariance [{size}, {size}]. "
            f"Received: {list(mean.shape)} and {list(covariance.shape)}"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise ValueError(f"`{where}` must be finite.")
    smallest = np.linalg.eigvalsh(covariance).min(initial=0)
    if not np.allclose(covariance, covariance.T) or smallest < -1e-6 * max(np.abs(covariance).max(initial=0), 1e-12):
        raise ValueError(f"`{where}` must have a symmetric covariance without negative eigenvalues.")
    return mean, covariance


def _root(covariance: np.ndarray) -> np.ndarray:
    """`[n, n]` whose product with its transpose is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
