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
        "sha256": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {}  # noqa: RUF012
    OUTPUTS = {"morphable_model": component_spec.ChannelParameter(type=MorphableModelFile)}  # noqa: RUF012


class MorphableModelGen(base_component.BaseComponent):
    """Registers a 3D morphable face model as an artifact, with its hash and counts."""

    SPEC_CLASS = MorphableModelGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, source: str = sources.DEFAULT, sha256: str | None = None):
        """Checks that the source is there and creates the component.

        Args:
            source: `default`; or a native `.npz`, Basel's `.mat` or `.h5`, or an ICT-FaceKit folder.
            sha256: Hash that the model must have: its own or that of its files, as `monoface model info` prints them. None
                takes whatever is there.

        Raises:
            FileNotFoundError: If there is nothing at the path.
            ValueError: If what is there is no face model that can be read.
        """
        super().__init__(
            spec=MorphableModelGenSpec(
                source=source,
                digest=sources.digest(source),
                sha256=sha256,
                morphable_model=types.Channel(type=MorphableModelFile),
            )
        )
