"""Adapter from TFX to `report.write_report`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.photo_report import report
from components.photo_report.config import PhotoReportConfig
from trainer import configuration


class Executor(base_executor.BaseExecutor):
    """Writes the report."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Compares and writes.

        Args:
            input_dict: `photos`; `renders` and `previous`, an earlier report, where there are any.
            output_dict: `report`.
            exec_properties: `config`, JSON.
        """
        photos = artifact_utils.get_single_instance(input_dict["photos"])
        renders, previous = input_dict.get("renders"), input_dict.get("previous")
        report.write_report(
            artifact_utils.get_single_instance(output_dict["report"]).uri,
            photos.uri,
            _splits(photos),
            _splits(artifact_utils.get_single_instance(renders)) if renders else None,
            report.read_spans(artifact_utils.get_single_instance(previous).uri) if previous else None,
            configuration.from_json(PhotoReportConfig, exec_properties["config"]),
        )


def _splits(examples: types.Artifact) -> list[str]:
    names = artifact_utils.decode_split_names(examples.split_names)
    return [artifact_utils.get_split_uri([examples], name) for name in names]
