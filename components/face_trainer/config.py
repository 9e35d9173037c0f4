"""What `face_trainer` trains."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainer import configuration
from trainer.models import registry


@dataclasses.dataclass(frozen=True)
class FaceTrainerConfig:
    """A model, one of its presets, and what differs from it.

    Raises:
        ValueError: If model, preset or a field of the overrides is unknown, or a value does not fit.
    """

    model: str = "tu2019"
    """Name in `trainer.models.registry`."""
    preset: str = "tiny"
    """Name of one of the model's presets."""
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of the model's configuration that differ from the preset, nested as it is."""

    def __post_init__(self) -> None:
        """Checks the fields by building the model's configuration."""
        registry.configure(self.model, self.preset, self.overrides)

    def resolved(self) -> "FaceTrainerConfig":
        """The same with every field of the model's configuration spelt out, so that a changed preset is not taken for a
        cached result.
        """
        config = registry.configure(self.model, self.preset, self.overrides)
        return dataclasses.replace(self, overrides=configuration.to_mapping(config))
