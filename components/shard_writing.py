"""From items to an artifact of examples with Beam: one element is one shard of items, one shard is one file.

A finished file is never made again: a run that was killed and is started again goes on where it was, dead letters included,
because each shard's letters lie beside it before the shard itself becomes visible.
"""

import abc
import collections
import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from components import dead_letters, records
from components.dead_letters import DeadLetter
from components.progress import watch_shards
from components.records import Shard


@dataclasses.dataclass(frozen=True)
class ShardWork:
    """One file to be made, and of what."""

    shard: Shard
    items: tuple[Any, ...]
    """What the worker takes, in the file's order; picklable and small (paths, not pixels)."""


class ShardWorker(abc.ABC):
    """Makes examples of items. Picklable; heavy objects are built in `setup`, on the machine that works."""

    stage: str
    """Stage of the dead letters, and namespace of the counters `examples`, `shards_written` and `shards_reused`."""

    def setup(self) -> contextlib.AbstractContextManager[None]:
        """Prepares this process; the context ends when the worker is no longer needed."""
        return contextlib.nullcontext()

    @abc.abstractmethod
    def results(self, item: Any) -> Iterator[bytes | DeadLetter]:
        """The examples of an item, serialised, and what could not be made of it."""


class WriteShardDoFn(beam.DoFn):
    """Makes a shard's file, or finds it made: takes `ShardWork`, gives `Shard`, and dead letters on the tagged output."""

    def __init__(self, worker: ShardWorker, directory: str):
        """Creates the DoFn.

        Args:
            worker: Makes the examples.
            directory: Where the shards go.
        """
        self._worker, self._directory = worker, directory

    def setup(self) -> None:
        """Prepares the worker."""
        self._open = contextlib.ExitStack()
        self._open.enter_context(self._worker.setup())

    def teardown(self) -> None:
        """Lets the worker free what it holds."""
        self._open.close()

    def process(self, work: ShardWork) -> Iterator[Any]:
        """Makes the shard's file, or finds it made."""
        if records.is_finished(self._directory, work.shard):
            Metrics.counter(self._worker.stage, "shards_reused").inc()
        else:
            count = records.write_shard(self._directory, work.shard, self._examples(work))
            Metrics.counter(self._worker.stage, "shards_written").inc()
            Metrics.counter(self._worker.stage, "examples").inc(count)
        for letter in self._read_letters(work.shard):
            yield dead_letters.tagged(letter)
        yield work.shard

    def _examples(self, work: ShardWork) -> Iterator[bytes]:
        """The shard's examples; its letters are written when the last is out, before the shard takes its name."""
        lines = []
        for item in work.items:
            for result in self._worker.results(item):
                if isinstance(result, DeadLetter):
                    lines.append(result.to_json() + "\n")
                else:
                    yield result
        records.write_file(self._directory, self._letters_path(work.shard), "".join(lines).encode())

    def _read_letters(self, shard: Shard) -> Iterator[DeadLetter]:
        with FileSystems.open(self._letters_path(shard)) as stream:
            yield from map(DeadLetter.from_json, stream.read().decode().splitlines())

    def _letters_path(self, shard: Shard) -> str:
        name = f"{shard.split}-{shard.index:05d}-of-{shard.count:05d}.jsonl"
        return FileSystems.join(self._directory, dead_letters.TAG, name)


def fill(
    pipeline: beam.Pipeline,
    worker: ShardWorker,
    works: Sequence[ShardWork],
    identity: Mapping[str, Any],
    examples_uri: str,
    dead_letters_uri: str,
    label: str,
    failure: str,
) -> None:
    """Runs a pipeline that makes all shards, and fills both artifacts, telling how far it is.

    Args:
        pipeline: A pipeline to build on and run.
        worker: Makes the examples.
        works: All files of the artifact.
        identity: Everything the shards depend on, as JSON holds it: a later run of the same work finds the finished ones.
        examples_uri: Directory of the `Examples` artifact.
        dead_letters_uri: Directory of the `DeadLetters` artifact.
        label: What is being done, for the progress, such as `Rendering faces`.
        failure: What to say where not one example came out, such as `No image could be rendered`.

    Raises:
        RuntimeError: If not one example came out, or another run is at the same work.
    """
    unfinished = records.unfinished_directory(examples_uri, identity)
    shards = [work.shard for work in works]
    with records.claimed(unfinished), watch_shards(unfinished, len(works), label):
        with pipeline:
            results = (
                pipeline
                | "Shards" >> beam.Create(list(works))
                | "Spread" >> beam.Reshuffle()
                | "Write"
                >> beam.ParDo(WriteShardDoFn(worker, unfinished)).with_outputs(dead_letters.TAG, main="shards")
            )
            results[dead_letters.TAG] | dead_letters.WriteDeadLetters(dead_letters_uri)
        records.publish(unfinished, examples_uri, shards)
    if all(next(records.read_shard(shard.path(examples_uri)), None) is None for shard in shards):
        raise RuntimeError(f"{failure}{_summary(dead_letters_uri)}")


def _summary(dead_letters_uri: str) -> str:
    """Why there are letters: how many of each reason, and the first in full; TFX removes the files of a run that failed."""
    letters = list(dead_letters.read(dead_letters_uri))
    if not letters:
        return "; there was nothing to make them of."
    counts = collections.Counter(letter.reason for letter in letters)
    reasons = ", ".join(f"{count} × {reason}" for reason, count in counts.most_common())
    return f": {reasons}. The first: {letters[0].message}"
