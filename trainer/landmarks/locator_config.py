"""Configuration of the face locator and of its training."""

import dataclasses
from typing import Any, Final

from trainer.landmarks.config import ScheduleConfig
from trainer.landmarks.scene_config import SceneConfig


@dataclasses.dataclass(frozen=True)
class LocatorConfig:
    """Size of the face locator's network."""

    image_size: int = 128
    """Side of the square input, pixels; a multiple of 16."""
    stem_channels: int = 16
    """Channels at half the input's resolution."""
    channels: tuple[int, int, int] = (32, 64, 80)
    """Channels at a quarter, an eighth and a sixteenth of the input's resolution."""
    blocks: tuple[int, int, int] = (1, 1, 2)
    """Residual blocks at each of these resolutions."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.image_size <= 0 or self.image_size % 16:
            raise ValueError(f"`image_size` must be a positive multiple of 16. Received: image_size={self.image_size}")
        if self.stem_channels <= 0 or any(count <= 0 for count in self.channels):
            raise ValueError(f"`channels` must be positive. Received: {self.stem_channels}, {self.channels}")
        if any(count < 0 for count in self.blocks):
            raise ValueError(f"`blocks` must not be negative. Received: blocks={self.blocks}")

    @classmethod
    def preset(cls, name: str) -> "LocatorConfig":
        """The configuration of this name: `small` (released) or `tiny` (tests).

        Raises:
            ValueError: If there is no such preset.
        """
        if name not in LOCATOR_PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(LOCATOR_PRESETS)}. Received: {name!r}")
        return LOCATOR_PRESETS[name]


LOCATOR_PRESETS: Final = {
    "small": LocatorConfig(),
    "tiny": LocatorConfig(image_size=64, stem_channels=8, channels=(8, 16, 16), blocks=(0, 1, 0)),
}


@dataclasses.dataclass(frozen=True)
class LocatorTrainingConfig:
    """How the face locator is trained."""

    network: LocatorConfig = dataclasses.field(default_factory=LocatorConfig)
    """The network."""
    schedule: ScheduleConfig = dataclasses.field(default_factory=lambda: ScheduleConfig(steps=9_000, batch_size=32))
    """Steps, rate, seed."""
    scenes: SceneConfig = dataclasses.field(default_factory=SceneConfig)
    """The pictures."""

    @classmethod
    def preset(cls, name: str, **schedule: Any) -> "LocatorTrainingConfig":
        """The configuration of this name: `small` (released) or `tiny` (tests).

        Args:
            name: The preset.
            schedule: Fields of the schedule that differ.

        Raises:
            ValueError: If there is no such preset, or a field is wrong.
        """
        network = LocatorConfig.preset(name)
        settings: dict[str, Any] = {"steps": 9_000, "batch_size": 32}
        if name == "tiny":
            settings = {"steps": 20, "batch_size": 8, "checkpoint_steps": 10}
        return cls(network=network, schedule=ScheduleConfig(**{**settings, **schedule}))
