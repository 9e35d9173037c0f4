"""Rendering a data set with Beam: one element is one shard, one shard is one file, and a finished file is never made again.

Any runner gives the same bytes, because an image depends on (config, model, index) alone and a shard holds its images in order.

Runners. Beam 2.74's own `--runner=DirectRunner` first tries Prism, whose binary it downloads from GitHub and keeps in
`~/.apache_beam`; only where that fails does it fall back to its Python runner. So which runner a local pipeline got would
depend on the network. `IN_PROCESS` names the Python runner outright: local pipelines put it before the user's own arguments (the
last `--runner` wins), as in `[*IN_PROCESS, "--direct_num_workers=2", "--direct_running_mode=multi_processing"]`. Prism, where it
is wanted: `--runner=PrismRunner --prism_location=PATH --environment_type=LOOPBACK`.
"""

from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import threadpoolctl
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from components import dead_letters, records
from components.dead_letters import DeadLetter
from components.morphable_model_gen import storage
from components.records import Shard
from components.synthetic_face_gen import backgrounds, sharding
from components.synthetic_face_gen.config import PROCEDURAL, SyntheticFaceConfig
from components.synthetic_face_gen.example import GENERATOR_VERSION, image_id, render_example
from components.synthetic_face_gen.progress import watch_shards
from trainer.imaging.codecs import PhotoError
from trainer.morphable.model import MorphableModel

IN_PROCESS: Final = ("--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",)
"""Beam arguments that keep a local pipeline in Beam's own Python runner."""

STAGE: Final = "synthetic_face_gen"
"""Stage of the dead letters, and namespace of the counters `examples`, `shards_rendered` and `shards_reused`."""


class RenderShardDoFn(beam.DoFn):
    """Renders the images of a shard, in order, into its file; the model is loaded once a worker.

    Takes `Shard`s; gives them back when their file is there, and dead letters on the tagged output.
    """

    def __init__(self, config: SyntheticFaceConfig, model_uri: str, directory: str):
        """Creates the DoFn.

        Args:
            config: The data set.
            model_uri: Directory of a `MorphableModelFile` artifact.
            directory: Where the shards go.
        """
        self._config, self._model_uri, self._directory = config, model_uri, directory

    def setup(self) -> None:
        """Loads the face model."""
        self._model = storage.load_model(self._model_uri)

    def process(self, shard: Shard) -> Iterator[Any]:
        """Makes the shard's file, or finds it made."""
        if records.is_finished(self._directory, shard):
            Metrics.counter(STAGE, "shards_reused").inc()
        else:
            # Workers are the parallelism; a second layer of threads in BLAS would only get in their way.
            with threadpoolctl.threadpool_limits(1):
                count = records.write_shard(self._directory, shard, self._examples(shard))
            Metrics.counter(STAGE, "shards_rendered").inc()
            Metrics.counter(STAGE, "examples").inc(count)
        for letter in _read_letters(self._directory, shard):
            yield dead_letters.tagged(letter)
        yield shard

    def _examples(self, shard: Shard) -> Iterator[bytes]:
        """The shard's examples one by one; the letters are kept beside the shard before it becomes visible."""
        letters = []
        for index in sharding.shard_indices(self._config, shard):
            result = render_or_letter(self._config, self._model, index)
            if isinstance(result, DeadLetter):
                letters.append(result)
            else:
                yield result
        _write_letters(self._directory, shard, letters)


def render_or_letter(config: SyntheticFaceConfig, model: MorphableModel, index: int) -> bytes | DeadLetter:
    """One example, or why there is none."""
    try:
        return render_example(config, model, index)
    except PhotoError as error:
        reason, message = f"background_{error.reason}", str(error)
    except (ValueError, ArithmeticError, IndexError) as error:
        reason, message = "not_renderable", f"{type(error).__name__}: {error}"
    return DeadLetter(image_id(config, index), STAGE, reason, message)


class RenderFaces(beam.PTransform):
    """All shards of a data set: from a pipeline's root to `(shards, letters)`."""

    def __init__(self, config: SyntheticFaceConfig, model_uri: str, directory: str):
        """Arguments as of `RenderShardDoFn`."""
        super().__init__()
        self._config, self._model_uri, self._directory = config, model_uri, directory

    def expand(self, root: Any) -> Any:
        """Spreads the shards over the workers."""
        results = (
            root
            | "Shards" >> beam.Create(sharding.shards(self._config))
            | "Spread" >> beam.Reshuffle()
            | "Render"
            >> beam.ParDo(RenderShardDoFn(self._config, self._model_uri, self._directory)).with_outputs(
                dead_letters.TAG, main="shards"
            )
        )
        return results["shards"], results[dead_letters.TAG]


def generate(
    pipeline: beam.Pipeline, config: SyntheticFaceConfig, model_uri: str, examples_uri: str, dead_letters_uri: str
) -> None:
    """Runs the whole generation and fills both artifacts.

    Shards are collected beside `examples_uri` in a folder named after the work, so that a killed run that is started again,
    with the same configuration and model, goes on where it was, even though its artifacts have new addresses.

    Args:
        pipeline: A pipeline to build on and run.
        config: The data set.
        model_uri: Directory of a `MorphableModelFile` artifact.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.

    Raises:
        FileNotFoundError: If the folder of backgrounds holds no photographs.
        RuntimeError: If not one image could be rendered.
    """
    if config.background != PROCEDURAL:
        backgrounds.photographs(config.background)
    work = work_of(config, storage.load_model(model_uri))
    unfinished, shards = records.unfinished_directory(examples_uri, work), sharding.shards(config)
    with watch_shards(unfinished, len(shards), "Rendering faces"), pipeline:
        _, letters = pipeline | RenderFaces(config, model_uri, unfinished)
        letters | dead_letters.WriteDeadLetters(dead_letters_uri)
    failed = sum(1 for _ in dead_letters.read(dead_letters_uri))
    if failed >= config.count:
        first = next(dead_letters.read(dead_letters_uri))
        raise RuntimeError(f"None of {config.count} images could be rendered. The first: {first.message}")
    records.publish(unfinished, examples_uri, shards)


def work_of(config: SyntheticFaceConfig, model: MorphableModel) -> dict[str, Any]:
    """Everything that the shards' bytes depend on."""
    return {"config": config.to_json(), "model": model.sha256, "generator_version": GENERATOR_VERSION}


def _letters_path(directory: str, shard: Shard) -> str:
    name = f"{shard.split}-{shard.index:05d}-of-{shard.count:05d}.jsonl"
    return FileSystems.join(directory, dead_letters.TAG, name)


def _write_letters(directory: str, shard: Shard, letters: list[DeadLetter]) -> None:
    if letters:
        lines = "".join(letter.to_json() + "\n" for letter in letters)
        records.write_file(directory, _letters_path(directory, shard), lines.encode())


def _read_letters(directory: str, shard: Shard) -> Iterator[DeadLetter]:
    path = _letters_path(directory, shard)
    if FileSystems.exists(path):
        with FileSystems.open(path) as stream:
            yield from map(DeadLetter.from_json, stream.read().decode().splitlines())
