"""Adapter from TFX to `trainer.landmarks.job`."""

import logging
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components import records
from components.landmark_trainer.config import LandmarkTrainerConfig
from trainer import configuration, data
from trainer.landmarks import job

_LOGGER = logging.getLogger(__name__)


class Executor(base_executor.BaseExecutor):
    """Runs the training in a folder whose name depends on the work, so that a killed run is found again."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains, evaluates and publishes.

        Args:
            input_dict: `synthetic`, and possibly `photos`.
            output_dict: `landmark_network`.
            exec_properties: `config`, JSON.

        Raises:
            ValueError: If there is no rendered face to learn from or to evaluate on.
            RuntimeError: If another run is at the same work.
        """
        config = configuration.from_json(LandmarkTrainerConfig, exec_properties["config"])
        published = artifact_utils.get_single_instance(output_dict["landmark_network"])
        inputs = {name: [artifact.uri for artifact in artifacts] for name, artifacts in input_dict.items()}
        run_dir = records.unfinished_directory(published.uri, {"config": exec_properties["config"], **inputs})
        photos = input_dict.get("photos", [])
        with records.claimed(run_dir):
            report = job.run(
                job.LandmarkJob(
                    config=config.training(),
                    renders=_files(input_dict["synthetic"], records.TRAIN),
                    held_back=_files(input_dict["synthetic"], records.EVAL),
                    run_dir=run_dir,
                    photos=_files(photos, records.TRAIN),
                    held_back_photos=_files(photos, records.EVAL),
                    photo_share=config.photo_share,
                )
            )
            fileio.makedirs(published.uri)
            for name in job.RESULTS:
                fileio.copy(f"{run_dir}/{name}", f"{published.uri}/{name}", overwrite=True)
            fileio.rmtree(run_dir)
        for kind, count in report["trained_on"].items():
            published.set_int_custom_property(f"{kind}_count", count)


def _files(examples: list[types.Artifact], split: str) -> list[str]:
    """A split's files; none if it has no example."""
    if not examples:
        return []
    files = data.find_files(f"{artifact_utils.get_split_uri(examples, split)}/*.gz")
    if data.has_records(files):
        return files
    _LOGGER.warning("There is no example in the split %s of %s.", split, examples[0].uri)
    return []
