"""Adapter from TFX to `source` and `storage`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components.morphable_model_gen import source, storage


class Executor(base_executor.BaseExecutor):
    """Copies a face model into its artifact."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Loads, which checks, saves, and records what the model is.

        Args:
            input_dict: Nothing.
            output_dict: `morphable_model`.
            exec_properties: `source` and `digest`.
        """
        artifact = artifact_utils.get_single_instance(output_dict["morphable_model"])
        model = source.load(exec_properties["source"], exec_properties["digest"])
        storage.save_model(model, artifact.uri)
        artifact.model_name = model.name
        artifact.sha256 = model.sha256
        artifact.licence = model.licence
        artifact.vertex_count = model.vertex_count
        artifact.triangle_count = model.triangle_count
        artifact.identity_count = len(model.identity)
        artifact.expression_count = len(model.expression)
        artifact.albedo_count = len(model.albedo)
