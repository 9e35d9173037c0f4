"""The contract of the component that brings a face model into the pipeline; the work is in `source` and `storage`."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec

from components.artifacts import MorphableModelFile
from components.morphable_model_gen import executor
from components.morphable_model_gen import source as sources


class MorphableModelGenSpec(types.ComponentSpec):
    """Parameters, inputs and outputs."""

    COMPONENT_ID = "MorphableModelGen"
    PARAMETERS = {  # noqa: RUF012
        "source": component_spec.ExecutionParameter(type=str),
        "digest": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {}  # noqa: RUF012
    OUTPUTS = {"morphable_model": component_spec.ChannelParameter(type=MorphableModelFile)}  # noqa: RUF012


class MorphableModelGen(base_component.BaseComponent):
    """Registers a 3D morphable face model as an artifact, with its hash and counts."""

    SPEC_CLASS = MorphableModelGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, source: str = sources.DEFAULT):
        """Checks that the source is there and creates the component.

        Args:
            source: `default`, or the path of a native `.npz`.

        Raises:
            FileNotFoundError: If there is no such file.
        """
        super().__init__(
            spec=MorphableModelGenSpec(
                source=source,
                digest=sources.digest(source),
                morphable_model=types.Channel(type=MorphableModelFile),
            )
        )
