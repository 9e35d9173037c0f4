"""The contract of the component that reads a folder of photos; the work is in `transforms`."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import DeadLetters
from components.photo_example_gen import executor, folder
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.transforms import GENERATOR_VERSION
from trainer import configuration


class PhotoExampleGenSpec(types.ComponentSpec):
    """Parameters and outputs."""

    COMPONENT_ID = "PhotoExampleGen"
    PARAMETERS = {  # noqa: RUF012  (TFX reads plain class attributes)
        "input_dir": component_spec.ExecutionParameter(type=str),
        "config": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "generator_version": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "dead_letters": component_spec.ChannelParameter(type=DeadLetters),
    }


class PhotoExampleGen(base_beam_component.BaseBeamComponent):
    """Turns a folder of photos into `Examples` with the splits `train` and `eval`, split by identity."""

    SPEC_CLASS = PhotoExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, input_dir: str, config: str = "{}"):
        """Checks the configuration and creates the component.

        Args:
            input_dir: Folder of photos. Its state becomes a parameter, so that a changed folder is not taken for a cached
                result. An address such as gs://bucket/folder is for the machine that runs the component, which must have it
                mounted; it is not looked at here.
            config: JSON of `PhotoConfig`.

        Raises:
            ValueError: If the configuration is wrong.
            OSError: If there is no such folder, or no file in it.
        """
        checked = configuration.from_json(PhotoConfig, config)
        super().__init__(
            spec=PhotoExampleGenSpec(
                input_dir=input_dir,
                config=configuration.to_json(checked),
                fingerprint="" if "://" in input_dir else folder.state(input_dir),
                generator_version=GENERATOR_VERSION,
                examples=types.Channel(type=standard_artifacts.Examples),
                dead_letters=types.Channel(type=DeadLetters),
            )
        )
