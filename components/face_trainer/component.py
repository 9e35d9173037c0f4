"""The contract of the component that trains a model of faces; the work is in `trainer.run_fn`."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import LandmarkNetworkFile, MorphableModelFile
from components.face_trainer import executor
from components.face_trainer.config import FaceTrainerConfig
from trainer import configuration


class FaceTrainerSpec(types.ComponentSpec):
    """Parameters, inputs and outputs."""

    COMPONENT_ID = "FaceTrainer"
    PARAMETERS = {"config": component_spec.ExecutionParameter(type=str)}  # noqa: RUF012
    INPUTS = {  # noqa: RUF012
        "synthetic": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "morphable_model": component_spec.ChannelParameter(type=MorphableModelFile),
        "photos": component_spec.ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema, optional=True),
        "landmark_network": component_spec.ChannelParameter(type=LandmarkNetworkFile, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }


class FaceTrainer(base_component.BaseComponent):
    """Trains a model on rendered faces, and photos where there are any, and exports it as a SavedModel.

    A run that was killed goes on from its last checkpoint when the pipeline is run again.
    """

    SPEC_CLASS = FaceTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        synthetic: types.BaseChannel,
        morphable_model: types.BaseChannel,
        photos: types.BaseChannel | None = None,
        schema: types.BaseChannel | None = None,
        landmark_network: types.BaseChannel | None = None,
        config: str = "{}",
    ):
        """Checks the configuration and creates the component.

        Args:
            synthetic: Channel of `Examples` with rendered faces, splits `train` and `eval`.
            morphable_model: Channel of the `MorphableModelFile` that they were rendered from.
            photos: Channel of `Examples` with landmarks on photos, split `train`; None trains without.
            schema: Channel of the rendered faces' `Schema`; the training refuses one that lacks a label.
            landmark_network: Channel of the `LandmarkNetworkFile` that serves beside the model; None takes the released one.
            config: JSON of `FaceTrainerConfig`.

        Raises:
            ValueError: If the configuration is wrong.
        """
        optional = {"photos": photos, "schema": schema, "landmark_network": landmark_network}
        super().__init__(
            spec=FaceTrainerSpec(
                config=configuration.to_json(configuration.from_json(FaceTrainerConfig, config).resolved()),
                synthetic=synthetic,
                morphable_model=morphable_model,
                **{name: channel for name, channel in optional.items() if channel is not None},
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
            )
        )
