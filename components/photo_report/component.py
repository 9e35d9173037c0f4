"""The contract of the component that reports on photos; the work is in `report`."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.artifacts import PhotoReportPage
from components.photo_report import executor
from components.photo_report.config import PhotoReportConfig
from trainer import configuration


class PhotoReportSpec(types.ComponentSpec):
    """Parameters, inputs and output."""

    COMPONENT_ID = "PhotoReport"
    PARAMETERS = {"config": component_spec.ExecutionParameter(type=str)}  # noqa: RUF012
    INPUTS = {  # noqa: RUF012
        "photos": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "renders": component_spec.ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "previous": component_spec.ChannelParameter(type=PhotoReportPage, optional=True),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=PhotoReportPage)}  # noqa: RUF012


class PhotoReport(base_component.BaseComponent):
    """Says how photos differ from those of the span before (drift) and from renders (skew), in numbers and histograms."""

    SPEC_CLASS = PhotoReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        photos: types.BaseChannel,
        renders: types.BaseChannel | None = None,
        previous: types.BaseChannel | None = None,
        config: str = "{}",
    ):
        """Checks the configuration and creates the component.

        Args:
            photos: Channel of `Examples` with landmarks on photos.
            renders: Channel of `Examples` with rendered faces; None reports no skew.
            previous: Channel of the last `PhotoReportPage`, which may be empty; None reports no drift.
            config: JSON of `PhotoReportConfig`.

        Raises:
            ValueError: If the configuration is wrong.
        """
        optional = {"renders": renders, "previous": previous}
        super().__init__(
            spec=PhotoReportSpec(
                config=configuration.to_json(configuration.from_json(PhotoReportConfig, config)),
                photos=photos,
                **{name: channel for name, channel in optional.items() if channel is not None},
                report=types.Channel(type=PhotoReportPage),
            )
        )
