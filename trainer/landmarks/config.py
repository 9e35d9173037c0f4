"""Configuration of the landmark network M and of its training."""

import dataclasses
from typing import Any, Final


@dataclasses.dataclass(frozen=True)
class LandmarkNetworkConfig:
    """Size of the landmark network."""

    image_size: int = 96
    """Side of the square input, pixels; a multiple of 32."""
    stem_channels: int = 24
    """Channels at half the input's resolution."""
    channels: tuple[int, ...] = (48, 96, 128)
    """Channels at a quarter of the input's resolution, an eighth, and so on."""
    blocks: tuple[int, ...] = (1, 2, 1)
    """Residual blocks at each of these resolutions."""
    pooled_channels: int = 48
    """Channels of the last grid when it is flattened."""
    features: int = 256
    """Units of the layer between the flattened grid and the points."""
    margin: float = 0.25
    """Margin of the crop that the network sees, fraction of the box's longer side on every side."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.image_size <= 0 or self.image_size % 32:
            raise ValueError(f"`image_size` must be a positive multiple of 32. Received: image_size={self.image_size}")
        if min(self.stem_channels, self.pooled_channels, self.features, *self.channels) <= 0:
            raise ValueError("`stem_channels`, `channels`, `pooled_channels` and `features` must be positive.")
        if len(self.blocks) != len(self.channels) or any(count < 0 for count in self.blocks):
            raise ValueError(
                "`blocks` must hold a number, not negative, for each of `channels`. "
                f"Received: blocks={self.blocks}, channels={self.channels}"
            )
        if not 0 <= self.margin <= 2:
            raise ValueError(f"`margin` must lie in [0, 2]. Received: margin={self.margin}")

    @classmethod
    def preset(cls, name: str) -> "LandmarkNetworkConfig":
        """The configuration of this name: `paper-size`, `small` (released) or `tiny` (tests).

        Raises:
            ValueError: If there is no such preset.
        """
        if name not in NETWORK_PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(NETWORK_PRESETS)}. Received: {name!r}")
        return NETWORK_PRESETS[name]


NETWORK_PRESETS: Final = {
    # About the depth and cost of the ResNet-34 at 256² of Wood et al. 2021, for GPUs.
    "paper-size": LandmarkNetworkConfig(
        image_size=256,
        stem_channels=64,
        channels=(64, 128, 256, 512),
        blocks=(3, 4, 6, 3),
        pooled_channels=128,
        features=1024,
    ),
    "small": LandmarkNetworkConfig(),
    "tiny": LandmarkNetworkConfig(
        image_size=32, stem_channels=8, channels=(16, 24), blocks=(0, 1), pooled_channels=16, features=32
    ),
}


@dataclasses.dataclass(frozen=True)
class CanvasConfig:
    """How faces wait in memory to be cut out: see `trainer.landmarks.canvases`."""

    size: int = 144
    """Side of a canvas, pixels."""
    margin: float = 0.5
    """Room around the landmarks' box, fraction of its longer side on every side: for turning, shifting and scaling."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.size <= 0 or not 0 <= self.margin <= 4:
            raise ValueError(f"`size` must be positive, `margin` in [0, 4]. Received: {self.size}, {self.margin}")


@dataclasses.dataclass(frozen=True)
class CropAugmentationConfig:
    """What happens to a face between canvas and network; 0 switches an ingredient off."""

    flip: float = 0.5
    """Share of mirrored faces."""
    rotation: float = 18.0
    """Largest turn in the plane, degrees, on top of the pictures' own roll; uniform both ways."""
    shift: float = 0.06
    """Standard deviation of the crop's place, fraction of the box's longer side."""
    scale: float = 0.15
    """Largest relative change of the crop's size, log-uniform both ways."""
    stretch: float = 0.06
    """Standard deviation of the logarithm of the aspect ratio, and of the shear: lenses, and faces that nobody rendered."""
    gain: float = 0.15
    """Standard deviation of the logarithm of the brightness."""
    gamma: float = 0.1
    """Standard deviation of the logarithm of the exponent."""
    contrast: float = 0.15
    """Standard deviation of the relative change of contrast."""
    color: float = 0.06
    """Standard deviation of the logarithm of each channel's gain."""
    gray: float = 0.1
    """Share of pictures that lose their colour."""
    blur: float = 0.2
    """Share of pictures shown at a resolution up to three times lower."""
    noise: float = 0.02
    """Largest standard deviation of noise, of the range of values; half of the pictures have none."""
    occlusion: float = 0.12
    """Share of pictures in which a patch of another one hides something."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        for field in dataclasses.fields(self):
            if getattr(self, field.name) < 0:
                raise ValueError(f"`{field.name}` must not be negative. Received: {getattr(self, field.name)}.")
        for name in ("flip", "gray", "blur", "occlusion"):
            if getattr(self, name) > 1:
                raise ValueError(f"`{name}` must lie in [0, 1]. Received: {getattr(self, name)}.")

    @classmethod
    def none(cls) -> "CropAugmentationConfig":
        """Everything off: the crop as it is."""
        return cls(**{field.name: 0.0 for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class ScheduleConfig:
    """How a network is trained, whatever it learns."""

    seed: int = 1
    """Seed of the weights, the order of the examples and the augmentation."""
    steps: int = 10_000
    """Optimiser steps."""
    batch_size: int = 96
    """Images a step."""
    learning_rate: float = 2e-3
    """Peak: linear warm-up over the first 2 % of the steps, then a cosine down to 1 %."""
    weight_decay: float = 1e-3
    """Decoupled weight decay (AdamW)."""
    average_decay: float = 0.998
    """Decay of the moving average of the weights that is saved, in [0, 1)."""
    checkpoint_steps: int = 500
    """Steps between checkpoints."""
    mixed_precision: str = "float32"
    """Keras' policy: `float32`, or `mixed_bfloat16` where the processor multiplies matrices of it faster."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        for name in ("steps", "batch_size", "learning_rate", "checkpoint_steps"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"`average_decay` must lie in [0, 1). Received: {self.average_decay}")
        if self.weight_decay < 0:
            raise ValueError(f"`weight_decay` must not be negative. Received: {self.weight_decay}")
        if self.mixed_precision not in ("float32", "mixed_bfloat16", "mixed_float16"):
            raise ValueError(f"`mixed_precision` must be a policy of Keras. Received: {self.mixed_precision!r}")


@dataclasses.dataclass(frozen=True)
class LandmarkTrainingConfig:
    """How the landmark network is trained."""

    network: LandmarkNetworkConfig = LandmarkNetworkConfig()
    """The network."""
    schedule: ScheduleConfig = ScheduleConfig()
    """Steps, rate, seed."""
    canvas: CanvasConfig = CanvasConfig()
    """How faces are kept."""
    augmentation: CropAugmentationConfig = CropAugmentationConfig()
    """What happens to them."""
    distance_weight: float = 0.5
    """Weight of the mean distance, in hundredths of the crop's side, beside the likelihood: the likelihood alone forgives faces
    that the network is unsure of, and those are the profiles."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.distance_weight < 0:
            raise ValueError(f"`distance_weight` must not be negative. Received: {self.distance_weight}")

    @classmethod
    def preset(cls, name: str, **schedule: Any) -> "LandmarkTrainingConfig":
        """The configuration of this name: `paper-size`, `small` (released) or `tiny` (tests).

        Args:
            name: The preset.
            schedule: Fields of the schedule that differ.

        Raises:
            ValueError: If there is no such preset, or a field is wrong.
        """
        network = LandmarkNetworkConfig.preset(name)
        settings: dict[str, Any] = {}
        canvas = CanvasConfig()
        if name == "tiny":
            settings, canvas = {"steps": 20, "batch_size": 8, "checkpoint_steps": 10}, CanvasConfig(size=64)
        if name == "paper-size":
            settings = {"steps": 300_000, "batch_size": 128, "learning_rate": 1e-3, "average_decay": 0.9995}
            canvas = CanvasConfig(size=384)
        return cls(network=network, schedule=ScheduleConfig(**{**settings, **schedule}), canvas=canvas)
