"""Configuration of the report on photos."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PhotoReportConfig:
    """How many faces are looked at, and what counts as a shift.

    Distances are Jensen-Shannon divergences of histograms, 0 (the same) to 1 (nothing in common).
    """

    sample: int = 2000
    """Faces of each kind that are looked at, at most: enough for distances to be right to 0.01."""
    drift_threshold: float = 0.1
    """Between photos and those of the span before: a larger distance is reported as drift."""
    skew_threshold: float = 0.3
    """Between photos and renders: a larger distance is reported as skew. Renders are spread wider than photos on purpose."""
    least_faces: int = 50
    """Where one of the two has fewer faces, distances are shown but nothing is reported: they are chance."""

    def __post_init__(self) -> None:
        for name in ("sample", "least_faces"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}")
        for name in ("drift_threshold", "skew_threshold"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must be in (0, 1]. Received: {name}={getattr(self, name)}")
