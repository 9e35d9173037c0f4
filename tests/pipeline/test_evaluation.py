from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tfx_bsl.public import tfxio

from pipeline.beam import arguments
from pipeline.config import METRICS, EvaluationConfig
from pipeline.evaluation import eval_config
from pipeline.nme_metric import NormalizedMeanError, example_error
from trainer import contract, examples

BOX_WIDTH, BOX_HEIGHT = 80.0, 125.0  # √(w·h) = 100 pixels
YAWS = (0.0, 10.0, 20.0, 45.0, 80.0)
SHIFT = 5.0


def example(index: int, yaw: float, scale: float = 1.0) -> bytes:
    """A face whose box is 80 x 125 pixels times `scale`."""
    points = np.random.default_rng(index).uniform(0, 1, (contract.LANDMARK_COUNT, 2)).astype(np.float32)
    points = (points - points.min(0)) / (points.max(0) - points.min(0)) * [BOX_WIDTH * scale, BOX_HEIGHT * scale]
    return examples.encode(
        {
            contract.IMAGE_ENCODED: b"\xff\xd8not read by the fake model",
            contract.IMAGE_ID: f"face-{index}",
            contract.LANDMARKS_XY: points,
            contract.LANDMARKS_Z: np.zeros(contract.LANDMARK_COUNT),
            contract.FACE_BOX: [0.0, 0.0, BOX_WIDTH * scale, BOX_HEIGHT * scale],
            contract.POSE_EULER: [yaw, 0.0, 0.0],
            contract.POSE_YAW_BIN: contract.yaw_bin(yaw),
        }
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three faces in the first |yaw| bin and one in each other; those beyond 30° are half as large."""
    path = tmp_path_factory.mktemp("records") / "data.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for index, yaw in enumerate(YAWS):
            writer.write(example(index, yaw, scale=1.0 if yaw <= 30 else 0.5))
    return path


def evaluate(
    records: Path, out: Path, config: EvaluationConfig, model: Path, baseline: Path | None = None
) -> tuple[dict[str, dict[str, float]], bool]:
    """Runs what the Evaluator component runs: slice → metric → value, and whether the model passed."""
    updated = tfma.utils.update_eval_config_with_defaults(
        eval_config(config), has_baseline=baseline is not None, rubber_stamp=True
    )
    models = [
        tfma.default_eval_shared_model(
            eval_saved_model_path=str(baseline if spec.is_baseline else model),
            model_name=spec.name,
            eval_config=updated,
        )
        for spec in updated.model_specs
    ]
    source = tfxio.TFExampleRecord(str(records), raw_record_column_name=tfma.ARROW_INPUT_COLUMN)
    with beam.Pipeline(argv=arguments(())) as pipeline:
        _ = (
            pipeline
            | source.BeamSource()
            | tfma.ExtractEvaluateAndWriteResults(
                eval_shared_model=models if baseline else models[0], eval_config=updated, output_path=str(out)
            )
        )
    result = tfma.load_eval_result(str(out), model_name=tfma.CANDIDATE_KEY if baseline else None)
    table = {
        str(key[0][1]) if key else "overall": {name: value["doubleValue"] for name, value in values[""][""].items()}
        for key, values in result.slicing_metrics
    }
    return table, tfma.load_validation_result(str(out)).validation_ok


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_shifted_truth: Callable[[Path, float], Path]) -> Path:
    return save_shifted_truth(tmp_path_factory.mktemp("model"), SHIFT)


@pytest.fixture(scope="module")
def first(records: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, bool]:
    """The first model, with no baseline; the change threshold of 0 must not count yet."""
    config = EvaluationConfig(metric="nme_sqrt_box_balanced", upper_bound=0.084, max_increase=0.0)
    return evaluate(records, tmp_path_factory.mktemp("first"), config, model)


def test_every_metric_is_there_overall_and_in_every_bin(first: tuple[dict, bool]) -> None:
    table, _ = first
    assert set(table) == {"overall", *contract.YAW_BINS}
    for values in table.values():
        assert set(values) == {"example_count", *METRICS}


def test_values_are_those_computed_by_hand(first: tuple[dict, bool]) -> None:
    # 5 pixels over √(80·125) = 100, and over half of it for the two small faces.
    table, _ = first
    assert table["0-30"]["nme_sqrt_box"] == pytest.approx(0.05)
    assert table["30-60"]["nme_sqrt_box"] == pytest.approx(0.10)
    assert table["overall"]["nme_sqrt_box"] == pytest.approx((3 * 0.05 + 2 * 0.10) / 5)
    assert table["overall"]["nme_sqrt_box_balanced"] == pytest.approx((0.05 + 0.10 + 0.10) / 3)
    assert table["0-30"]["nme_box_width"] == pytest.approx(SHIFT / BOX_WIDTH)
    assert table["overall"]["example_count"] == len(YAWS)


def test_first_model_passes_the_change_threshold(first: tuple[dict, bool]) -> None:
    _, passed = first
    assert passed


@pytest.mark.parametrize(
    ("thresholds", "baseline_shift", "passes"),
    [
        ({"upper_bound": 0.08, "max_increase": None}, None, False),  # 0.0833 balanced
        ({"metric": "nme_sqrt_box", "upper_bound": 0.071, "max_increase": None}, None, True),  # 0.0700 over images
        ({"upper_bound": 0.5, "max_increase": 0.01}, 4.0, False),  # the baseline is at 0.0667
        ({"upper_bound": 0.5, "max_increase": 0.02}, 4.0, True),
        ({"upper_bound": 0.5, "max_increase": None, "upper_bound_per_bin": {"60-90": 0.09}}, None, False),
        ({"upper_bound": 0.5, "max_increase": None, "upper_bound_per_bin": {"0-30": 0.06}}, None, True),
    ],
)
def test_gate(
    records: Path,
    model: Path,
    tmp_path: Path,
    save_shifted_truth: Callable[[Path, float], Path],
    thresholds: dict,
    baseline_shift: float | None,
    passes: bool,
) -> None:
    baseline = None if baseline_shift is None else save_shifted_truth(tmp_path / "baseline", baseline_shift)
    _, passed = evaluate(records, tmp_path / "out", EvaluationConfig(**thresholds), model, baseline)
    assert passed is passes


def test_metric_refuses_unknown_arguments() -> None:
    with pytest.raises(ValueError, match="normalizer"):
        NormalizedMeanError(normalizer="width")
    with pytest.raises(ValueError, match="average"):
        NormalizedMeanError(average="median")


def test_example_without_a_feature_is_named() -> None:
    with pytest.raises(ValueError, match=contract.FACE_BOX):
        example_error({contract.LANDMARKS_XY: np.zeros(136)}, np.zeros((68, 3)), "sqrt_box")
