"""Adapter from TFX to `transforms.detect`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils

from components.artifacts import describe_examples
from components.landmark_detector import transforms
from components.landmark_detector.config import LandmarkDetectorConfig
from trainer import configuration


class Executor(base_beam_executor.BaseBeamExecutor):
    """Runs the detection with the pipeline's Beam arguments."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Detects and publishes.

        Args:
            input_dict: `photos`.
            output_dict: `examples` and `dead_letters`.
            exec_properties: `config`, JSON.
        """
        photos = artifact_utils.get_single_instance(input_dict["photos"])
        landmarked = artifact_utils.get_single_instance(output_dict["examples"])
        letters = artifact_utils.get_single_instance(output_dict["dead_letters"])
        splits = artifact_utils.decode_split_names(photos.split_names)
        uris = {split: artifact_utils.get_split_uri([photos], split) for split in splits}
        config = configuration.from_json(LandmarkDetectorConfig, exec_properties["config"])
        transforms.detect(self._make_beam_pipeline(), uris, config, landmarked.uri, letters.uri)
        describe_examples(landmarked, splits)
