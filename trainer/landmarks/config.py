"""Configuration of the landmark network and of its training."""

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True)
class LandmarkNetworkConfig:
    """Size of the landmark network."""

    image_size: int = 96
    """Side of the square input, pixels; a multiple of 16."""
    stem_channels: int = 16
    """Channels at half the input's resolution."""
    channels: tuple[int, int, int] = (24, 64, 96)
    """Channels at a quarter, an eighth and a sixteenth of the input's resolution."""
    blocks: tuple[int, int, int] = (1, 1, 2)
    """Residual blocks at each of these resolutions."""
    margin: float = 0.25
    """Margin of the crop that the network refines a found face in, fraction of the box's longer side on every side."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.image_size <= 0 or self.image_size % 16:
            raise ValueError(f"`image_size` must be a positive multiple of 16. Received: image_size={self.image_size}")
        if self.stem_channels <= 0 or any(count <= 0 for count in self.channels):
            raise ValueError(f"`channels` must be positive. Received: {self.stem_channels}, {self.channels}")
        if any(count < 0 for count in self.blocks):
            raise ValueError(f"`blocks` must not be negative. Received: blocks={self.blocks}")
        if not 0 <= self.margin <= 2:
            raise ValueError(f"`margin` must lie in [0, 2]. Received: margin={self.margin}")

    @classmethod
    def preset(cls, name: str) -> "LandmarkNetworkConfig":
        """The configuration of this name: `small` (released) or `tiny` (tests).

        Raises:
            ValueError: If there is no such preset.
        """
        if name not in NETWORK_PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(NETWORK_PRESETS)}. Received: {name!r}")
        return NETWORK_PRESETS[name]


NETWORK_PRESETS: Final = {
    "small": LandmarkNetworkConfig(),
    "tiny": LandmarkNetworkConfig(image_size=48, stem_channels=8, channels=(8, 16, 24), blocks=(0, 0, 1)),
}


@dataclasses.dataclass(frozen=True)
class LandmarkTrainingConfig:
    """How the landmark network is trained."""

    network: LandmarkNetworkConfig = LandmarkNetworkConfig()
    """The network."""
    seed: int = 0
    """Seed of the weights, the order of the faces and the augmentation."""
    steps: int = 5_600
    """Optimiser steps."""
    batch_size: int = 32
    """Images a step."""
    learning_rate: float = 1.5e-3
    """Peak of the schedule: linear warm-up over the first 2 % of the steps, then a cosine down to 1 %."""
    weight_decay: float = 1e-4
    """Decoupled weight decay (AdamW)."""
    average_decay: float = 0.998
    """Decay of the moving average of the weights that is saved, in [0, 1)."""
    checkpoint_steps: int = 500
    """Steps between checkpoints."""
    whole_photo_share: float = 0.5
    """Share of images that are whole frames with a face of any size anywhere; the rest are crops around a face."""
    smallest_face: float = 0.1
    """Longer side of the smallest face's box, fraction of the frame."""
    empty_share: float = 0.05
    """Share of images without a face: their points are noise, so that the network learns to be unsure."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        for name in ("steps", "batch_size", "learning_rate", "checkpoint_steps", "smallest_face"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}")
        for name in ("average_decay", "whole_photo_share", "smallest_face", "empty_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must lie in [0, 1]. Received: {name}={getattr(self, name)}")
        if self.weight_decay < 0:
            raise ValueError(f"`weight_decay` must not be negative. Received: {self.weight_decay}")

    @classmethod
    def preset(cls, name: str) -> "LandmarkTrainingConfig":
        """The configuration of this name: `small` (released) or `tiny` (tests).

        Raises:
            ValueError: If there is no such preset.
        """
        network = LandmarkNetworkConfig.preset(name)
        if name == "tiny":
            return cls(network=network, steps=20, batch_size=8, checkpoint_steps=10)
        return cls(network=network)
