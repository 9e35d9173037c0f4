"""Adapter from TFX to `transforms.generate`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.artifacts import describe_examples
from components.records import SPLITS
from components.synthetic_face_gen import transforms
from components.synthetic_face_gen.config import SyntheticFaceConfig


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the generation with the pipeline's Beam arguments."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Renders and publishes.

        Args:
            input_dict: `morphable_model`.
            output_dict: `examples` and `dead_letters`.
            exec_properties: `config`, JSON.
        """
        model = artifact_utils.get_single_instance(input_dict["morphable_model"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        letters = artifact_utils.get_single_instance(output_dict["dead_letters"])
        config = SyntheticFaceConfig.from_json(exec_properties["config"])
        transforms.generate(self._make_beam_pipeline(), config, model.uri, examples.uri, letters.uri)
        describe_examples(examples, SPLITS)
