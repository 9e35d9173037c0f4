"""Configuration of the examples made of photos."""

import dataclasses
from typing import Final

from trainer import contract
from trainer.imaging.codecs import MIN_IMAGE_SIDE

AUTO: Final = "auto"
FOLDER: Final = "folder"
MANIFEST: Final = "manifest"
PTS: Final = "pts"
AFLW2000: Final = "aflw2000"
MULTIVIEW: Final = "multiview"
READERS: Final = (AUTO, FOLDER, MANIFEST, PTS, AFLW2000, MULTIVIEW)
"""How photos and their labels are laid out; `auto` looks (never for `multiview`, which looks like any folder of folders)."""

STORED: Final = "stored"
UPRIGHT: Final = "upright"


@dataclasses.dataclass(frozen=True)
class PhotoConfig:
    """How photos become examples."""

    reader: str = AUTO
    """What is read, one of `READERS`."""
    labels_of: str = STORED
    """Which pixels labels were made on: `stored` as they lie in the file, `upright` after its EXIF orientation was applied."""
    first_pixel_center: float = 0.5
    """What a manifest's points and boxes call the centre of the first pixel: 0.5 here, 0 in OpenCV, 1 in MATLAB, pixels."""
    eval_fraction: float = 0.1
    """Share of the identities that go to the split `eval`, in [0, 1), of those for which the source names no split."""
    max_pixels: int = contract.MAX_IMAGE_PIXELS
    """Photos whose header claims more pixels are refused before they are decoded."""
    max_side: int = 1280
    """Photos with a longer side are reduced to this, pixels, and their labels with them."""
    jpeg_quality: int = 95
    """Of the photos in the examples, 1 to 100."""
    shard_size: int = 256
    """Photos a file, at most."""
    seed: int = 0
    """Chooses which identities go to which split."""

    def __post_init__(self) -> None:
        for name, choices in (("reader", READERS), ("labels_of", (STORED, UPRIGHT))):
            if getattr(self, name) not in choices:
                raise ValueError(f"`{name}` must be one of {', '.join(choices)}. Received: {getattr(self, name)!r}")
        if not -10 <= self.first_pixel_center <= 10:
            received = f"first_pixel_center={self.first_pixel_center}"
            raise ValueError(f"`first_pixel_center` must be in [-10, 10]. Received: {received}")
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
