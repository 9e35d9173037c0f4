"""Configuration of landmark detection."""

import dataclasses
from typing import Final

LARGEST: Final = "largest"
ALL: Final = "all"
REJECT_MANY: Final = "reject_many"
POLICIES: Final = (LARGEST, ALL, REJECT_MANY)


@dataclasses.dataclass(frozen=True)
class LandmarkDetectorConfig:
    """Which faces of a photo are taken."""

    policy: str = LARGEST
    """Where a photo shows several faces: `largest` takes the largest, `all` makes an example of each, `reject_many` makes a dead
    letter of the photo."""
    min_confidence: float = 0.5
    """Score that the face detector must give, in (0, 1)."""
    min_face_side: int = 24
    """Faces whose landmark box is narrower and lower than this many pixels are passed over."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"`policy` must be one of {', '.join(POLICIES)}. Received: policy={self.policy!r}")
        if not 0 < self.min_confidence < 1:
            raise ValueError(f"`min_confidence` must be in (0, 1). Received: min_confidence={self.min_confidence}")
        if self.min_face_side < 1:
            raise ValueError(f"`min_face_side` must be positive. Received: min_face_side={self.min_face_side}")
