"""Rendering a data set with Beam, shard by shard (`components.shard_writing`).

Any runner gives the same bytes, because an image depends on (config, model, index) alone and a shard holds its images in order.

Runners. Beam 2.74's own `--runner=DirectRunner` first tries Prism, whose binary it downloads from GitHub and keeps in
`~/.apache_beam`; only where that fails does it fall back to its Python runner. So which runner a local pipeline got would
depend on the network. `IN_PROCESS` names the Python runner outright: local pipelines put it before the user's own arguments (the
last `--runner` wins), as in `[*IN_PROCESS, "--direct_num_workers=2", "--direct_running_mode=multi_processing"]`. Prism, where it
is wanted: `--runner=PrismRunner --prism_location=PATH --environment_type=LOOPBACK`.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

import apache_beam as beam
import threadpoolctl
from apache_beam.options.pipeline_options import PipelineOptions

from components import shard_writing
from components.dead_letters import DeadLetter
from components.morphable_model_gen import storage
from components.shard_writing import ShardWork, ShardWorker
from components.synthetic_face_gen import backgrounds, inputs, sharding
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import GENERATOR_VERSION, forget_studios, image_id, render_example
from components.synthetic_face_gen.studio import Studio
from trainer.imaging.codecs import PhotoError
from trainer.morphable.model import MorphableModel

IN_PROCESS: Final = ("--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",)
"""Beam arguments that keep a local pipeline in Beam's own Python runner."""


def local_pipeline(arguments: Sequence[str] = ()) -> beam.Pipeline:
    """A pipeline that runs where nothing else is said in the Python runner, without its workers' idle warnings.

    Args:
        arguments: Options for Beam, passed through as they are.
    """
    # Workers tell as warnings what is normal on one machine.
    logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
    return beam.Pipeline(options=PipelineOptions([*IN_PROCESS, *arguments]))


STAGE: Final = "synthetic_face_gen"


class RenderWorker(ShardWorker):
    """Renders images by their numbers; the model is loaded once a worker."""

    stage = STAGE

    def __init__(self, config: SyntheticFaceConfig, model_uri: str):
        """Creates the worker.

        Args:
            config: The data set.
            model_uri: Directory of a `MorphableModelFile` artifact.
        """
        self._config, self._model_uri = config, model_uri

    @contextlib.contextmanager
    def setup(self) -> Iterator[None]:
        """Loads the face model. Workers are the parallelism: a second layer of threads in BLAS would get in their way."""
        self._model = storage.load_model(self._model_uri)
        # What folders held may have changed since this process last rendered.
        backgrounds.forget_photographs()
        forget_studios()
        with threadpoolctl.threadpool_limits(1):
            yield
        forget_studios()

    def results(self, item: int) -> Iterator[bytes | DeadLetter]:
        """One example, or why there is none."""
        try:
            yield render_example(self._config, self._model, item)
        except PhotoError as error:
            yield self._letter(item, f"background_{error.reason}", str(error))
        except (ValueError, ArithmeticError, IndexError) as error:
            yield self._letter(item, "not_renderable", f"{type(error).__name__}: {error}")

    def _letter(self, index: int, reason: str, message: str) -> DeadLetter:
        return DeadLetter(image_id(self._config, index), STAGE, reason, message)


def generate(
    pipeline: beam.Pipeline, config: SyntheticFaceConfig, model_uri: str, examples_uri: str, dead_letters_uri: str
) -> None:
    """Runs the whole generation and fills both artifacts.

    A killed run that is started again, with the same configuration and model, goes on where it was, even though its artifacts
    have new addresses.

    Args:
        pipeline: A pipeline to build on and run.
        config: The data set.
        model_uri: Directory of a `MorphableModelFile` artifact.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.

    Raises:
        FileNotFoundError: If the folder of backgrounds holds no photographs, or there is no model.
        RuntimeError: If not one image could be rendered, or another run is at the same work.
    """
    identity = work_of(config, storage.load_model(model_uri))
    works = [ShardWork(shard, tuple(indices)) for shard, indices in sharding.contents(config).items()]
    shard_writing.fill(
        pipeline,
        RenderWorker(config, model_uri),
        works,
        identity,
        examples_uri,
        dead_letters_uri,
        label="Rendering faces",
        failure=f"None of {config.count} images could be rendered",
    )


def work_of(config: SyntheticFaceConfig, model: MorphableModel) -> dict[str, Any]:
    """Everything that the shards' bytes depend on.

    Raises:
        FileNotFoundError: If the folder of backgrounds holds no photographs.
        ValueError: If the model does not fit the configuration.
    """
    Studio(config, model)
    return {
        "config": config.to_json(),
        "model": model.sha256,
        "inputs": inputs.state(config),
        "generator_version": GENERATOR_VERSION,
    }
