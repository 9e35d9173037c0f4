"""`trainer.metrics.nme` as a metric of TensorFlow Model Analysis, sliceable and thresholdable by name.

TFMA imports the class by its module's path, on Beam's workers too.
"""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

from trainer import contract
from trainer.metrics import nme as metric

IMAGE: Final = "image"
BALANCED: Final = "balanced"
AVERAGES: Final = (IMAGE, BALANCED)
"""`image`: mean over images. `balanced`: mean of the means of the |yaw| bins that hold an image, the literature's headline."""

_ERROR: Final = "error"
_BIN: Final = "bin"


def metric_name(normalizer: str, average: str = IMAGE) -> str:
    """Name under which results and thresholds are kept, such as `nme_sqrt_box_balanced`."""
    return f"nme_{normalizer}" if average == IMAGE else f"nme_{normalizer}_{average}"


class NormalizedMeanError(tfma.metrics.Metric):
    """Normalised mean error of the 68 landmarks, a fraction (multiply by 100 for the literature's per cent).

    True landmarks, box and bin come from the example's features; predictions are the model's output `landmarks`
    `[B, 68, 3]`. Errors are 2D, except by `interocular`, which is 3D on both sides of the fraction.
    """

    def __init__(self, normalizer: str = metric.SQRT_BOX, average: str = IMAGE, name: str | None = None) -> None:
        """Checks and keeps the arguments.

        Args:
            normalizer: One of `trainer.metrics.nme.NORMALIZERS`.
            average: One of `AVERAGES`.
            name: Name of the result; None composes it by `metric_name`.

        Raises:
            ValueError: If the normaliser or the average is unknown.
        """
        if normalizer not in metric.NORMALIZERS:
            raise ValueError(f"`normalizer` must be one of {', '.join(metric.NORMALIZERS)}. Received: {normalizer!r}.")
        if average not in AVERAGES:
            raise ValueError(f"`average` must be one of {', '.join(AVERAGES)}. Received: {average!r}.")
        super().__init__(
            _computations, normalizer=normalizer, average=average, name=name or metric_name(normalizer, average)
        )


def _computations(
    name: str, normalizer: str, average: str, model_names: list[str] | None = None
) -> list[tfma.metrics.MetricComputation]:
    """One computation per model: the candidate, and the baseline where there is one."""
    computations = []
    for model_name in model_names or [""]:
        key = tfma.metrics.MetricKey(name=name, model_name=model_name)
        computations.append(
            tfma.metrics.MetricComputation(
                keys=[key],
                preprocessors=[ErrorPreprocessor(normalizer, model_name)],
                combiner=BinnedMean(key, average),
            )
        )
    return computations


class ErrorPreprocessor(tfma.metrics.Preprocessor):
    """Reduces an example to its error and its bin before the examples are copied into slices."""

    def __init__(self, normalizer: str, model_name: str) -> None:
        super().__init__(name=f"nme_error_{normalizer}_{model_name}")
        self._normalizer = normalizer
        self._model_name = model_name

    def process(self, extracts: Any) -> Iterator[dict[str, Any]]:
        """Yields `{"error": fraction, "bin": name}` of one example."""
        predictions = extracts[tfma.PREDICTIONS_KEY]
        if self._model_name:
            predictions = predictions[self._model_name]
        features = extracts[tfma.FEATURES_KEY]
        yield {
            _ERROR: example_error(features, np.asarray(predictions[contract.OUTPUT_LANDMARKS]), self._normalizer),
            _BIN: _text(features[contract.POSE_YAW_BIN]),
        }


def example_error(features: Any, landmarks: np.ndarray, normalizer: str) -> float:
    """Error of one example.

    Args:
        features: Contract key to array, of one example; flat or with leading axes of length 1.
        landmarks: `[68, 3]` predicted, image frame; leading axes of length 1 are dropped.
        normalizer: One of `trainer.metrics.nme.NORMALIZERS`.

    Returns:
        The error, a fraction.

    Raises:
        ValueError: If a feature is missing.
    """
    dimensions = 3 if normalizer == metric.INTEROCULAR else 2
    truth = _values(features, contract.LANDMARKS_XY).reshape(1, contract.LANDMARK_COUNT, 2)
    if dimensions == 3:
        depth = _values(features, contract.LANDMARKS_Z).reshape(1, contract.LANDMARK_COUNT, 1)
        truth = np.concatenate([truth, depth], axis=-1)
    predicted = landmarks.reshape(1, contract.LANDMARK_COUNT, 3)[..., :dimensions].astype(np.float32)
    box = _values(features, contract.FACE_BOX).reshape(1, 4)
    return float(np.asarray(metric.nme(truth, predicted, box, normalizer=normalizer))[0])


class BinnedMean(beam.CombineFn):
    """Mean of errors, over all of them or over the bins' means. The accumulator is bin → (sum, count)."""

    def __init__(self, key: tfma.metrics.MetricKey, average: str) -> None:
        self._key = key
        self._average = average

    def create_accumulator(self) -> dict[str, tuple[float, int]]:
        """Nothing seen yet."""
        return {}

    def add_input(self, accumulator: dict[str, tuple[float, int]], element: Any) -> dict[str, tuple[float, int]]:
        """Adds one example's error to its bin."""
        total, count = accumulator.get(element[_BIN], (0.0, 0))
        accumulator[element[_BIN]] = (total + element[_ERROR], count + 1)
        return accumulator

    def merge_accumulators(self, accumulators: Any) -> dict[str, tuple[float, int]]:
        """Adds sums and counts bin by bin."""
        merged: dict[str, tuple[float, int]] = {}
        for accumulator in accumulators:
            for name, (total, count) in accumulator.items():
                before, seen = merged.get(name, (0.0, 0))
                merged[name] = (before + total, seen + count)
        return merged

    def extract_output(self, accumulator: dict[str, tuple[float, int]]) -> dict[tfma.metrics.MetricKey, float]:
        """The mean; not a number where nothing was seen, which no threshold passes."""
        sums = [accumulator[name] for name in sorted(accumulator)]
        if not sums:
            return {self._key: float("nan")}
        if self._average == BALANCED:
            return {self._key: float(np.mean([total / count for total, count in sums]))}
        return {self._key: sum(total for total, _ in sums) / sum(count for _, count in sums)}


def _values(features: Any, key: str) -> np.ndarray:
    """A float feature of one example, flat."""
    if key not in features or features[key] is None:
        raise ValueError(f"The example has no feature `{key}`.")
    return np.asarray(features[key], np.float32).reshape(-1)


def _text(value: Any) -> str:
    """A bytes feature of one example as text."""
    item = np.asarray(value).reshape(-1)[0]
    return item.decode() if isinstance(item, bytes) else str(item)
