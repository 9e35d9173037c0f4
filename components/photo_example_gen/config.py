"""Configuration of the examples made of photos."""

import dataclasses

from trainer import contract
from trainer.imaging.codecs import MIN_IMAGE_SIDE


@dataclasses.dataclass(frozen=True)
class PhotoConfig:
    """How a folder of photos becomes examples."""

    eval_fraction: float = 0.1
    """Share of the identities that go to the split `eval`, in [0, 1)."""
    max_pixels: int = contract.MAX_IMAGE_PIXELS
    """Photos whose header claims more pixels are refused before they are decoded."""
    max_side: int = 1280
    """Photos with a longer side are reduced to this, pixels."""
    jpeg_quality: int = 95
    """Of the photos in the examples, 1 to 100."""
    shard_size: int = 256
    """Photos a file, at most."""
    seed: int = 0
    """Chooses which identities go to which split."""

    def __post_init__(self) -> None:
        if not 0 <= self.eval_fraction < 1:
            raise ValueError(f"`eval_fraction` must be in [0, 1). Received: eval_fraction={self.eval_fraction}")
        limits = {
            "max_pixels": (1, None),
            "max_side": (MIN_IMAGE_SIDE, None),
            "jpeg_quality": (1, 100),
            "shard_size": (1, None),
            "seed": (0, None),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if value < least or (most is not None and value > most):
                rule = f"at least {least}" if most is None else f"in [{least}, {most}]"
                raise ValueError(f"`{name}` must be {rule}. Received: {name}={value}")
