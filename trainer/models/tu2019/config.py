"""Configuration of tu2019 with its presets."""

import dataclasses
from typing import Final

from trainer.imaging.augmentation import AugmentationConfig
from trainer.training import TrainingConfig

BACKBONES: Final = ("resnet50", "mobilenet")


@dataclasses.dataclass(frozen=True)
class Tu2019Config(TrainingConfig):
    """2DASL: a crop and its landmark map to the whitened parameters of camera and face model."""

    image_size: int = 120
    """Side of the crop, pixels."""
    margin: float = 0.25
    """Margin around the landmarks' box, fraction of its longer side, on every side."""
    backbone: str = "resnet50"
    """`resnet50` or `mobilenet`."""
    backbone_width: float = 1.0
    """Multiplier of a MobileNet's channels, in (0, 1]; not used by ResNet-50."""
    shape_count: int = 40
    """Identity coefficients to predict: the face model's first ones, all where it has fewer."""
    expression_count: int = 10
    """Expression coefficients to predict: the face model's first ones, all where it has fewer."""
    coefficient_weight: float = 1.0
    """Weight of L_3d."""
    consistency_weight: float = 0.005
    """λ1, the weight of L_2d-con."""
    landmark_weight: float = 0.0
    """Weight of the mean distance of all 68 landmarks, in sides of the crop, with z where it is known. Not in the paper."""
    landmark_noise: float = 0.015
    """Standard deviation of the error of the landmarks in the input's map, fraction of the crop's side (see
    `trainer.data.detector_error`). Not in the paper."""
    landmark_dropout: float = 0.1
    """Largest share of landmarks left out of the input's map while training, in [0, 1]. Not in the paper."""
    photo_fraction: float = 0.25
    """Share of photos in a batch where there are photos, in [0, 1)."""
    augmentation: AugmentationConfig = dataclasses.field(default_factory=AugmentationConfig)
    """What happens to training crops."""
    whitening_examples: int = 20_000
    """Training examples from which mean and deviation of the parameters are taken, at most."""

    def __post_init__(self) -> None:
        """Checks the fields."""
        super().__post_init__()
        if self.image_size < 32:
            raise ValueError(f"`image_size` must be at least 32. Received: image_size={self.image_size}.")
        if not 0 <= self.margin <= 2:
            raise ValueError(f"`margin` must lie in [0, 2]. Received: margin={self.margin}.")
        if self.backbone not in BACKBONES:
            raise ValueError(f"`backbone` must be one of {', '.join(BACKBONES)}. Received: {self.backbone!r}.")
        if not 0 < self.backbone_width <= 1:
            raise ValueError(f"`backbone_width` must lie in (0, 1]. Received: {self.backbone_width}.")
        weights = ("coefficient_weight", "consistency_weight", "landmark_weight")
        for name in ("shape_count", "expression_count", *weights, "landmark_noise"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {name}={getattr(self, name)}.")
        if not any(getattr(self, name) for name in weights):
            raise ValueError(f"One of {', '.join(f'`{name}`' for name in weights)} must be positive. Received: all 0.")
        if not 0 <= self.landmark_dropout <= 1:
            raise ValueError(f"`landmark_dropout` must lie in [0, 1]. Received: {self.landmark_dropout}.")
        if not 0 <= self.photo_fraction < 1:
            raise ValueError(f"`photo_fraction` must lie in [0, 1). Received: {self.photo_fraction}.")
        if self.whitening_examples <= 0:
            raise ValueError(f"`whitening_examples` must be positive. Received: {self.whitening_examples}.")

    @classmethod
    def preset(cls, name: str) -> "Tu2019Config":
        """The configuration of this name: `paper` or `tiny`.

        Raises:
            ValueError: If there is no such preset.
        """
        if name not in PRESETS:
            raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}. Received: {name!r}.")
        return PRESETS[name]


PRESETS: Final = {
    # Batch, rate, sizes and λ1 are the paper's (section 4.1). It gives neither the momentum (0.9 is 3DDFA's, whose code it builds
    # on), nor the decay, nor the number of steps: these are ours, about 25 passes over 122,450 images.
    "paper": Tu2019Config(
        steps=100_000,
        batch_size=32,
        optimizer="sgd",
        learning_rate=5e-5,
        momentum=0.9,
        schedule="exponential",
        decay_rate=0.94,
        decay_steps=4_000,
        checkpoint_steps=2_000,
    ),
    # A minute or two on a laptop's processor: the same code with a quarter of a MobileNet, Adam, and the landmarks' own loss, as
    # few hundred steps are not enough without. The default head's 52 expressions are single face units: all are predicted.
    "tiny": Tu2019Config(
        steps=600,
        batch_size=32,
        optimizer="adam",
        learning_rate=3e-3,
        schedule="cosine",
        decay_rate=0.01,
        warmup_steps=30,
        clip_norm=5.0,
        checkpoint_steps=150,
        backbone="mobilenet",
        backbone_width=0.25,
        expression_count=52,
        landmark_weight=10.0,
        landmark_noise=0.02,
        augmentation=AugmentationConfig(rotation=10.0, occlusion=0.1, blur=0.1),
    ),
}
