"""The contract of the component that trains the landmark network; the work is in `trainer.landmarks.job`."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import LandmarkNetworkFile
from components.landmark_trainer import executor
from components.landmark_trainer.config import LandmarkTrainerConfig
from trainer import configuration


class LandmarkTrainerSpec(types.ComponentSpec):
    """Parameters, inputs and output."""

    COMPONENT_ID = "LandmarkTrainer"
    PARAMETERS = {"config": component_spec.ExecutionParameter(type=str)}  # noqa: RUF012
    INPUTS = {  # noqa: RUF012
        "synthetic": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "photos": component_spec.ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS = {"landmark_network": component_spec.ChannelParameter(type=LandmarkNetworkFile)}  # noqa: RUF012


class LandmarkTrainer(base_component.BaseComponent):
    """Trains the landmark network on rendered faces, and photos where there are any, and evaluates it on those held back.

    A run that was killed goes on from its last checkpoint when the pipeline is run again.
    """

    SPEC_CLASS = LandmarkTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(self, synthetic: types.BaseChannel, photos: types.BaseChannel | None = None, config: str = "{}"):
        """Checks the configuration and creates the component.

        Args:
            synthetic: Channel of `Examples` with rendered faces, splits `train` and `eval`.
            photos: Channel of `Examples` with landmarks on photos, the same splits, which may be empty; None trains without.
            config: JSON of `LandmarkTrainerConfig`.

        Raises:
            ValueError: If the configuration is wrong.
        """
        super().__init__(
            spec=LandmarkTrainerSpec(
                config=configuration.to_json(configuration.from_json(LandmarkTrainerConfig, config).resolved()),
                synthetic=synthetic,
                **({} if photos is None else {"photos": photos}),
                landmark_network=types.Channel(type=LandmarkNetworkFile),
            )
        )
