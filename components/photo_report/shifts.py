"""How far faces have moved: TensorFlow Data Validation's comparison of histograms."""

import dataclasses
from typing import Any, Final

import numpy as np
import pandas as pd
import tensorflow_data_validation as tfdv

from components.photo_report import traits
from components.photo_report.config import PhotoReportConfig
from components.photo_report.traits import TRAITS, Table

DRIFT: Final = "drift"
SKEW: Final = "skew"


@dataclasses.dataclass(frozen=True)
class Shift:
    """The distance of photos from others in one trait."""

    trait: str
    kind: str
    """`drift`: from the photos of the span before; `skew`: from renders."""
    distance: float
    """Jensen-Shannon divergence, 0 (the same) to 1 (nothing in common)."""
    threshold: float
    reported: bool
    """Whether the distance is above the threshold and both have faces enough."""

    def sentence(self) -> str:
        """The shift in words."""
        other = "the photos before" if self.kind == DRIFT else "the renders"
        verdict = "more than" if self.distance > self.threshold else "within"
        return f"{self.trait}: {self.distance:.3f} from {other}, {verdict} the {self.threshold:g} allowed"


def find_shifts(photos: Table, previous: Table | None, renders: Table | None, config: PhotoReportConfig) -> list[Shift]:
    """Compares photos with the span before and with renders, trait by trait.

    Args:
        photos: Traits of the photos.
        previous: Of the photos of the span before, if there is one.
        renders: Of rendered faces, if there are any.
        config: Thresholds.

    Returns:
        One shift for each trait and kind that could be compared.
    """
    shifts = []
    for kind, other, threshold in (
        (DRIFT, previous, config.drift_threshold),
        (SKEW, renders, config.skew_threshold),
    ):
        if other is None:
            continue
        enough = min(traits.count(photos), traits.count(other)) >= config.least_faces
        for name, distance in _distances(photos, other).items():
            shifts.append(Shift(name, kind, distance, threshold, enough and distance > threshold))
    return shifts


def _distances(one: Table, other: Table) -> dict[str, float]:
    """Jensen-Shannon divergence of each trait that both have."""
    names = [trait.name for trait in TRAITS if _has_values(one, trait.name) and _has_values(other, trait.name)]
    if not names:
        return {}
    statistics, previous = (_statistics(table, names) for table in (one, other))
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False)
    for name in names:
        # Above the largest value: what is reported is decided here, where few faces are taken for few.
        tfdv.get_feature(schema, name).drift_comparator.jensen_shannon_divergence.threshold = 1.0
    anomalies = tfdv.validate_statistics(statistics, schema, previous_statistics=previous)
    found = {
        info.path.step[0]: measurement.value
        for info in anomalies.drift_skew_info
        for measurement in info.drift_measurements
    }
    return {name: float(np.clip(found[name], 0, 1)) for name in names if name in found}


def _statistics(table: Table, names: list[str]) -> Any:
    frame = pd.DataFrame({name: table[name] for name in names})
    return tfdv.generate_statistics_from_dataframe(frame)


def _has_values(table: Table, name: str) -> bool:
    return name in table and bool(np.isfinite(table[name]).any())
