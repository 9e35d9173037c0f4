"""What `landmark_trainer` trains."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainer import configuration
from trainer.landmarks.config import LandmarkTrainingConfig


@dataclasses.dataclass(frozen=True)
class LandmarkTrainerConfig:
    """A preset of the landmark network and of its training, what differs from it, and how photos join.

    Raises:
        ValueError: If the preset or a field of the overrides is unknown, or a value does not fit.
    """

    preset: str = "small"
    """Name of a preset of `trainer.landmarks.config.LandmarkTrainingConfig`."""
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of it that differ, nested as it is, such as `{schedule: {steps: 20000}}`."""
    photo_share: float = 0.5
    """Share of photos in every batch where there are photos, in (0, 1)."""

    def __post_init__(self) -> None:
        """Checks the fields, the training's too."""
        batch = self.training().schedule.batch_size
        if not 1 <= round(self.photo_share * batch) < batch:
            raise ValueError(
                "`photo_share` must leave at least one photo and one render in a batch. "
                f"Received: photo_share={self.photo_share}, batch_size={batch}"
            )

    def training(self) -> LandmarkTrainingConfig:
        """The training that is meant."""
        values = configuration.to_mapping(LandmarkTrainingConfig.preset(self.preset))
        return configuration.from_mapping(LandmarkTrainingConfig, configuration.overlaid(values, self.overrides))

    def resolved(self) -> "LandmarkTrainerConfig":
        """The same with every field of the training spelt out, so that a changed preset is not taken for a cached result."""
        return dataclasses.replace(self, overrides=configuration.to_mapping(self.training()))
