"""The models by name: the only file that knows which papers there are. What a model needs is imported when it is asked for."""

import importlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from trainer import configuration


class Entry(NamedTuple):
    """Where a model's parts are, as `module:attribute`."""

    config: str
    """A frozen dataclass, a subclass of `trainer.training.TrainingConfig`, with a classmethod `preset(name)`."""
    counts: str
    """`(config, face) -> (Ks, Ke)`: how many identity and expression coefficients it learns of a face model."""
    build: str
    """`(config, face, statistics) -> keras.Model`, with random weights; statistics are mean and deviation of its labels."""
    reconstructor: str
    """`(model) -> trainer.export.FaceRegressor`."""


_ENTRIES: Final[dict[str, Entry]] = {
    "tu2019": Entry(
        config="trainer.models.tu2019.config:Tu2019Config",
        counts="trainer.models.tu2019.model:counts",
        build="trainer.models.tu2019.model:build",
        reconstructor="trainer.models.tu2019.model:reconstructor",
    ),
}


def names() -> tuple[str, ...]:
    """Names of the models."""
    return tuple(sorted(_ENTRIES))


def load(name: str, part: str) -> Any:
    """A part of a model: `config`, `counts`, `build` or `reconstructor` (see `Entry`).

    Raises:
        ValueError: If there is no such model.
    """
    if name not in _ENTRIES:
        raise ValueError(f"`model` must be one of {', '.join(names())}. Received: {name!r}.")
    module, attribute = getattr(_ENTRIES[name], part).split(":")
    return getattr(importlib.import_module(module), attribute)


def config_class(name: str) -> Any:
    """The configuration's dataclass of a model."""
    return load(name, "config")


def configure(name: str, preset: str, overrides: Mapping[str, Any] | None = None) -> Any:
    """The configuration of a model.

    Args:
        name: Of the model.
        preset: Name of one of its presets.
        overrides: Fields that differ from the preset, nested as the dataclass is.

    Raises:
        ValueError: If model, preset or a field is unknown, or a value does not fit.
    """
    cls = config_class(name)
    values = configuration.to_mapping(cls.preset(preset))
    return configuration.from_mapping(cls, configuration.overlaid(values, overrides or {}))
