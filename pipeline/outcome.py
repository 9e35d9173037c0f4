"""What came of a run, read from its lineage: the model, its evaluation, whether it was pushed, and what was left out."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import tensorflow_model_analysis as tfma
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.metadata import sqlite_metadata_connection_config

from components.artifacts import DeadLetters, PhotoReportPage
from components.photo_report.report import read_shifts
from components.photo_report.shifts import Shift
from pipeline.config import METRICS

OVERALL: Final = "overall"
_CANDIDATE: Final = ("", tfma.CANDIDATE_KEY)
"""Names under which TFMA keeps the evaluated model: alone, and beside a baseline."""
_EVENT: Final = metadata_store_pb2.Event  # type: ignore[attr-defined]  # made by protobuf when it is loaded
_OUTPUTS: Final = (_EVENT.OUTPUT, _EVENT.DECLARED_OUTPUT)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Where the results of a run lie."""

    model: str | None
    """Folder of the trained model's artifact; None if the run did not come that far."""
    evaluation: str | None
    """Folder that TensorFlow Model Analysis wrote."""
    blessed: bool
    """Whether the model passed the gate."""
    pushed_to: str | None
    """Folder of the served version; None if nothing was pushed."""
    dead_letters: tuple[str, ...]
    """Folders of the dead letters."""
    photo_report: str | None = None
    """Folder of the report on photographs; None if there were none."""

    def photo_shifts(self) -> list[Shift]:
        """How far the photographs are from earlier ones and from renders."""
        return [] if self.photo_report is None else read_shifts(self.photo_report)

    def dead_letter_files(self) -> list[Path]:
        """The files that hold a dead letter."""
        found = [path for folder in self.dead_letters for path in sorted(Path(folder).glob("*.jsonl"))]
        return [path for path in found if path.stat().st_size]


def read_outcome(metadata_path: str, pipeline_name: str) -> Outcome:
    """Outcome of the latest run of a pipeline.

    Args:
        metadata_path: The local runner's SQLite file.
        pipeline_name: Name of the pipeline.

    Raises:
        ValueError: If the pipeline has no run there.
    """
    store = MetadataStore(sqlite_metadata_connection_config(metadata_path))
    model = evaluation = pushed_to = photo_report = None
    blessed = False
    dead_letters = []
    for artifact in _outputs_of_latest_run(store, pipeline_name):
        kind, properties = artifact.type, artifact.custom_properties
        if kind == "Model":
            model = artifact.uri
        elif kind == "ModelEvaluation":
            evaluation = artifact.uri
        elif kind == "ModelBlessing":
            blessed = properties["blessed"].int_value == 1
        elif kind == "PushedModel" and properties["pushed"].int_value == 1:
            pushed_to = properties["pushed_destination"].string_value
        elif kind == PhotoReportPage.TYPE_NAME:
            photo_report = artifact.uri
        elif kind == DeadLetters.TYPE_NAME:
            dead_letters.append(artifact.uri)
    return Outcome(model, evaluation, blessed, pushed_to, tuple(dead_letters), photo_report)


def metric_table(evaluation: str) -> dict[str, dict[str, float]]:
    """Slice (`overall` or a |yaw| bin) → metric → value, a fraction, of the evaluated model.

    Args:
        evaluation: Folder that the Evaluator wrote.
    """
    table = {}
    for record in tfma.load_metrics(evaluation):
        values = {
            item.key.name: item.value.double_value.value
            for item in record.metric_keys_and_values
            if item.key.name in METRICS and item.key.model_name in _CANDIDATE and not item.key.is_diff
        }
        table[_place(record.slice_key)] = values
    return dict(sorted(table.items(), key=lambda item: (item[0] != OVERALL, item[0])))


def refusals(evaluation: str) -> list[str]:
    """Why the gate refused the model, one sentence a threshold; empty if it did not.

    Args:
        evaluation: Folder that the Evaluator wrote.
    """
    result = tfma.load_validation_result(evaluation)
    sentences = []
    for validation in result.metric_validations_per_slice:
        place = _place(validation.slice_key)
        for failure in validation.failures:
            name, value = failure.metric_key.name, failure.metric_value.double_value.value
            threshold = failure.metric_threshold
            if failure.metric_key.is_diff:
                allowed = threshold.change_threshold.absolute.value
                sentences.append(
                    f"{name} ({place}) is {value:+.2%} from the last blessed model's; {allowed:+.2%} is allowed"
                )
            else:
                allowed = threshold.value_threshold.upper_bound.value
                sentences.append(f"{name} ({place}) is {value:.2%}; at most {allowed:.2%} is allowed")
    missing = list(result.missing_slices)
    sentences += [f"no image falls in {dict(spec.feature_values)}, which has a threshold" for spec in missing]
    return sentences


def _outputs_of_latest_run(store: Any, pipeline_name: str) -> Iterator[Any]:
    """Output artifacts of the latest run, cached ones included, in the order of the steps."""
    pipelines = [context for context in store.get_contexts_by_type("pipeline") if context.name == pipeline_name]
    runs = [
        context
        for pipeline in pipelines
        for context in store.get_children_contexts_by_context(pipeline.id)
        if context.type == "pipeline_run"
    ]
    if not runs:
        raise ValueError(f"There is no run of the pipeline {pipeline_name}.")
    latest = max(runs, key=lambda context: context.create_time_since_epoch)
    executions = sorted(execution.id for execution in store.get_executions_by_context(latest.id))
    events = store.get_events_by_execution_ids(executions)
    order = {event.artifact_id: event.execution_id for event in events if event.type in _OUTPUTS}
    artifacts = store.get_artifacts_by_id(list(order))
    yield from sorted(artifacts, key=lambda artifact: (order[artifact.id], artifact.id))


def _place(slice_key: Any) -> str:
    """Name of a slice: the |yaw| bin, or `overall`."""
    return " ".join(key.bytes_value.decode() for key in slice_key.single_slice_keys) or OVERALL
