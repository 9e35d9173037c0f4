"""Adapter from TFX to `transforms.generate`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.artifacts import describe_examples
from components.photo_example_gen import transforms
from components.photo_example_gen.config import PhotoConfig
from components.records import SPLITS
from trainer import configuration


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the ingestion with the pipeline's Beam arguments."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads and publishes.

        Args:
            input_dict: Empty.
            output_dict: `examples` and `dead_letters`.
            exec_properties: `source`, `config`, JSON, and, where there is one, `morphable_model` and its `sha256`.
        """
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        letters = artifact_utils.get_single_instance(output_dict["dead_letters"])
        config = configuration.from_json(PhotoConfig, exec_properties["config"])
        transforms.generate(
            self._make_beam_pipeline(),
            exec_properties["source"],
            config,
            examples.uri,
            letters.uri,
            exec_properties.get("morphable_model"),
            exec_properties.get("sha256"),
        )
        describe_examples(examples, SPLITS)
