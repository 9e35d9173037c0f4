"""The contract of the component that reads photos and their labels; the work is in `transforms`."""

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import DeadLetters
from components.photo_example_gen import executor, splits
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.readers.open_reader import open_reader
from components.photo_example_gen.transforms import GENERATOR_VERSION
from trainer import configuration
from trainer.morphable.readers.open_model import source_digest


class PhotoExampleGenSpec(types.ComponentSpec):
    """Parameters and outputs."""

    COMPONENT_ID = "PhotoExampleGen"
    PARAMETERS = {  # noqa: RUF012  (TFX reads plain class attributes)
        "source": component_spec.ExecutionParameter(type=str),
        "config": component_spec.ExecutionParameter(type=str),
        "fingerprint": component_spec.ExecutionParameter(type=str),
        "morphable_model": component_spec.ExecutionParameter(type=str, optional=True),
        "sha256": component_spec.ExecutionParameter(type=str, optional=True),
        "model_digest": component_spec.ExecutionParameter(type=str, optional=True),
        "generator_version": component_spec.ExecutionParameter(type=int),
    }
    INPUTS = {}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "dead_letters": component_spec.ChannelParameter(type=DeadLetters),
    }


class PhotoExampleGen(base_beam_component.BaseBeamComponent):
    """Turns photos and what is known of them into `Examples` with the splits `train` and `eval`, split by identity."""

    SPEC_CLASS = PhotoExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, source: str, config: str = "{}", morphable_model: str | None = None, sha256: str | None = None):
        """Checks the configuration and the source, and creates the component.

        Args:
            source: Folder of photos, or a manifest. Its state becomes a parameter, so that changed photos are not taken for a
                cached result. An address such as gs://bucket/folder is for the machine that runs the component, which must
                have it mounted; it is not looked at here.
            config: JSON of `PhotoConfig`.
            morphable_model: Path of the face model whose coefficients the examples are to carry where the labels have them:
                AFLW2000-3D's and 300W-LP's are Basel's of 2009. None, and any other model, leaves them out.
            sha256: Hash that the face model must have.

        Raises:
            ValueError: If the configuration is wrong, a manifest's header cannot be used, or an identity is wanted in two splits.
            OSError: If there is no such folder or file, or no photo in it.
        """
        checked = configuration.from_json(PhotoConfig, config)
        state = digest = None
        if "://" not in source:
            reader = open_reader(source, checked)
            photos = reader.find()
            splits.given_splits(photos)
            state = reader.state(photos)
        if morphable_model is not None and "://" not in morphable_model:
            digest = source_digest(morphable_model)
        super().__init__(
            spec=PhotoExampleGenSpec(
                source=source,
                config=configuration.to_json(checked),
                fingerprint=state or "",
                morphable_model=morphable_model,
                sha256=sha256,
                model_digest=digest,
                generator_version=GENERATOR_VERSION,
                examples=types.Channel(type=standard_artifacts.Examples),
                dead_letters=types.Channel(type=DeadLetters),
            )
        )
