"""What a model is measured by, and what it must reach to be pushed: a configuration of TensorFlow Model Analysis."""

import json

import tensorflow_model_analysis as tfma

from pipeline import nme_metric
from pipeline.config import METRICS, EvaluationConfig
from trainer import contract

_OVERALL = tfma.SlicingSpec()


def eval_config(config: EvaluationConfig) -> tfma.EvalConfig:
    """The Evaluator's configuration: every metric of `METRICS`, overall and per |yaw| bin.

    The model is read by its signature `examples`, as a plain SavedModel, so that what is measured is what is served. The
    change threshold counts only once a blessed model exists: TFX drops it for the first one.
    """
    model = tfma.ModelSpec(
        signature_name=contract.SIGNATURE_EXAMPLES, model_type=tfma.TF_GENERIC, label_key=contract.LANDMARKS_XY
    )
    metrics = [_metric_config(name, config) for name in METRICS]
    return tfma.EvalConfig(
        model_specs=[model],
        slicing_specs=[_OVERALL, tfma.SlicingSpec(feature_keys=[contract.POSE_YAW_BIN])],
        metrics_specs=[tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="ExampleCount"), *metrics])],
    )


def _metric_config(name: str, config: EvaluationConfig) -> tfma.MetricConfig:
    """One metric; the one that the configuration names carries the thresholds."""
    normalizer, average = METRICS[name]
    metric = tfma.MetricConfig(
        class_name=nme_metric.NormalizedMeanError.__name__,
        module=nme_metric.__name__,
        config=json.dumps({"name": name, "normalizer": normalizer, "average": average}),
    )
    if name != config.metric:
        return metric
    metric.per_slice_thresholds.append(
        tfma.PerSliceMetricThreshold(slicing_specs=[_OVERALL], threshold=_overall_threshold(config))
    )
    for yaw_bin, bound in sorted(config.upper_bound_per_bin.items()):
        metric.per_slice_thresholds.append(
            tfma.PerSliceMetricThreshold(
                slicing_specs=[tfma.SlicingSpec(feature_values={contract.POSE_YAW_BIN: yaw_bin})],
                threshold=tfma.MetricThreshold(value_threshold=_upper_bound(bound)),
            )
        )
    return metric


def _upper_bound(bound: float) -> tfma.GenericValueThreshold:
    return tfma.GenericValueThreshold(upper_bound={"value": bound})


def _overall_threshold(config: EvaluationConfig) -> tfma.MetricThreshold:
    """Upper bound of the value and, where configured, of its growth over the last blessed model's."""
    threshold = tfma.MetricThreshold(value_threshold=_upper_bound(config.upper_bound))
    if config.max_increase is not None:
        threshold.change_threshold.CopyFrom(
            tfma.GenericChangeThreshold(
                direction=tfma.MetricDirection.LOWER_IS_BETTER, absolute={"value": config.max_increase}
            )
        )
    return threshold
