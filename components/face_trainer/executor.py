"""Adapter from TFX to `trainer.run_fn`."""

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components import records
from components.face_trainer.config import FaceTrainerConfig
from components.morphable_model_gen.storage import MODEL_FILE_NAME
from trainer import configuration, data, run_fn
from trainer.landmarks.train import WEIGHTS_FILE


class Executor(base_executor.BaseExecutor):
    """Runs the training in a folder whose name depends on the work, so that a killed run is found again."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains and publishes.

        Args:
            input_dict: `synthetic`, `morphable_model`, and possibly `photos`, `schema` and `landmark_network`.
            output_dict: `model` and `model_run`.
            exec_properties: `config`, JSON.

        Raises:
            ValueError: If the schema lacks what the training reads, or the training refuses its input.
        """
        config = configuration.from_json(FaceTrainerConfig, exec_properties["config"])
        face = artifact_utils.get_single_instance(input_dict["morphable_model"])
        model_run = artifact_utils.get_single_instance(output_dict["model_run"])
        model = artifact_utils.get_single_instance(output_dict["model"])
        if input_dict.get("schema"):
            _check_schema(artifact_utils.get_single_uri(input_dict["schema"]))
        job = run_fn.TrainingJob(
            model=config.model,
            preset=config.preset,
            overrides=config.overrides,
            synthetic_train=_pattern(input_dict["synthetic"], "train"),
            synthetic_eval=_pattern(input_dict["synthetic"], "eval"),
            photos_train=_pattern(input_dict["photos"], "train") if input_dict.get("photos") else None,
            morphable_model=f"{face.uri}/{MODEL_FILE_NAME}",
            landmark_network=_landmark_network(input_dict.get("landmark_network", [])),
            serving_dir=path_utils.serving_model_dir(model.uri),
            run_dir=records.unfinished_directory(
                model_run.uri,
                {
                    "config": exec_properties["config"],
                    **{name: [artifact.uri for artifact in artifacts] for name, artifacts in input_dict.items()},
                },
            ),
        )
        run_fn.train(job)
        for name in map(str, fileio.listdir(job.run_dir)):
            fileio.rename(f"{job.run_dir}/{name}", f"{model_run.uri}/{name}", overwrite=True)
        fileio.rmtree(job.run_dir)


def _pattern(artifacts: list[types.Artifact], split: str) -> str:
    """The files of a split."""
    return f"{artifact_utils.get_split_uri(artifacts, split)}/*.gz"


def _landmark_network(artifacts: list[types.Artifact]) -> str | None:
    """The weights of a landmark network; None if there is none."""
    return f"{artifact_utils.get_single_uri(artifacts)}/{WEIGHTS_FILE}" if artifacts else None


def _check_schema(uri: str) -> None:
    """Refuses examples that the training could not read, before it starts."""
    schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(uri))
    missing = sorted(set(data.LABELS) - {feature.name for feature in schema.feature})
    if missing:
        raise ValueError(f"The schema at {uri} lacks what the training reads: {', '.join(missing)}.")
