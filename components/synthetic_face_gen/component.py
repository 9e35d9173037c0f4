"""The contract of the component that renders training faces; the work is in `transforms`."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import DeadLetters, MorphableModelFile
from components.synthetic_face_gen import executor, inputs
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import GENERATOR_VERSION


class SyntheticFaceGenSpec(types.ComponentSpec):
    """Parameters, inputs and outputs."""

    COMPONENT_ID = "SyntheticFaceGen"
    PARAMETERS = {  # noqa: RUF012
        "config": component_spec.ExecutionParameter(type=str),
        "input_state": component_spec.ExecutionParameter(type=str),
        "generator_version": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {"morphable_model": component_spec.ChannelParameter(type=MorphableModelFile)}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "dead_letters": component_spec.ChannelParameter(type=DeadLetters),
    }


class SyntheticFaceGen(base_beam_component.BaseBeamComponent):
    """Renders faces from a 3D morphable model into `Examples` with the splits `train` and `eval`.

    The same configuration, model and generator version give the same bytes on any Beam runner with any number of workers.
    """

    SPEC_CLASS = SyntheticFaceGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, morphable_model: types.BaseChannel, config: str = '{"preset": "tiny"}'):
        """Checks the configuration and creates the component.

        Args:
            morphable_model: Channel of a `MorphableModelFile`.
            config: JSON of `SyntheticFaceConfig`, optionally with a `preset` that the fields override.

        Raises:
            ValueError: If the configuration is wrong.
            FileNotFoundError: If its folder of backgrounds is not there, or holds no photographs.
        """
        checked = SyntheticFaceConfig.from_json(config)
        super().__init__(
            spec=SyntheticFaceGenSpec(
                # Presets spelt out, and the state of the files, so that what has changed is not taken for a cached result.
                config=checked.to_json(),
                input_state=inputs.state(checked),
                generator_version=GENERATOR_VERSION,
                morphable_model=morphable_model,
                examples=types.Channel(type=standard_artifacts.Examples),
                dead_letters=types.Channel(type=DeadLetters),
            )
        )
