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
            exec_properties: `source`, `digest` and, where the model is pinned, `sha256`.
        """
        artifact = artifact_utils.get_single_instance(output_dict["morphable_model"])
        model = source.load(exec_properties["source"], exec_properties["digest"], exec_properties.get("sha256"))
        storage.save_model(model, artifact.uri)
        for key, text in {"model_name": model.name, "sha256": model.sha256, "licence": model.licence}.items():
            artifact.set_string_custom_property(key, text)
        counts = {
            "vertex_count": model.vertex_count,
            "triangle_count": model.triangle_count,
            "identity_count": len(model.identity),
            "expression_count": len(model.expression),
            "albedo_count": len(model.albedo),
        }
        for key, count in counts.items():
            artifact.set_int_custom_property(key, count)
