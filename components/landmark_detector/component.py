"""The contract of the component that finds landmarks on photos; the work is in `transforms`."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import DeadLetters
from components.landmark_detector import executor
from components.landmark_detector.config import LandmarkDetectorConfig
from components.landmark_detector.transforms import DETECTOR_VERSION
from trainer import configuration


class LandmarkDetectorSpec(types.ComponentSpec):
    """Parameters, inputs and outputs. TFX wants their names to differ: the examples that come in are the `photos`."""

    COMPONENT_ID = "LandmarkDetector"
    PARAMETERS = {  # noqa: RUF012  (TFX reads plain class attributes)
        "config": component_spec.ExecutionParameter(type=str),
        "detector_version": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {"photos": component_spec.ChannelParameter(type=standard_artifacts.Examples)}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "dead_letters": component_spec.ChannelParameter(type=DeadLetters),
    }


class LandmarkDetector(base_beam_component.BaseBeamComponent):
    """Adds landmarks, box and pose to `Examples` of photos; annotated landmarks are kept."""

    SPEC_CLASS = LandmarkDetectorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, examples: types.BaseChannel, config: str = "{}"):
        """Checks the configuration and creates the component.

        Args:
            examples: Channel of `Examples`, as `PhotoExampleGen` makes them.
            config: JSON of `LandmarkDetectorConfig`.

        Raises:
            ValueError: If the configuration is wrong.
        """
        super().__init__(
            spec=LandmarkDetectorSpec(
                config=configuration.to_json(configuration.from_json(LandmarkDetectorConfig, config)),
                detector_version=DETECTOR_VERSION,
                photos=examples,
                examples=types.Channel(type=standard_artifacts.Examples),
                dead_letters=types.Channel(type=DeadLetters),
            )
        )
