"""What a component could not process: an element, the reason, and how a Beam pipeline keeps both.

A failing element never stops a run and never vanishes: the DoFn that meets it emits a `DeadLetter` to a tagged output,
counts it, and goes on.

    results = elements | beam.ParDo(WorkDoFn()).with_outputs(dead_letters.TAG, main="examples")
    results[dead_letters.TAG] | dead_letters.WriteDeadLetters(uri)
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from components import records

TAG: Final = "dead_letters"
"""Name of the tagged output that carries dead letters, and namespace of their counters."""

FILE_NAME_PREFIX: Final = "dead_letters"


@dataclasses.dataclass(frozen=True, order=True)
class DeadLetter:
    """One element that could not be processed."""

    id: str
    """Which element: a photo's path, an example's id."""
    stage: str
    """Which component or step refused it, such as `landmark_detector`."""
    reason: str
    """A short slug that groups and counts, such as `no_face`."""
    message: str
    """One line for people: the file, the rule, what came."""

    def to_json(self) -> str:
        """One line of JSON with sorted keys, without a line break."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> "DeadLetter":
        """Inverse of `to_json`."""
        return cls(**json.loads(line))


def tagged(letter: DeadLetter) -> beam.pvalue.TaggedOutput:
    """Counts a letter and gives what a DoFn yields for it.

    The counter is named `stage/reason` in the namespace `dead_letters`.
    """
    Metrics.counter(TAG, f"{letter.stage}/{letter.reason}").inc()
    return beam.pvalue.TaggedOutput(TAG, letter)


class WriteDeadLetters(beam.PTransform):
    """Writes letters as JSON lines to `{uri}/dead_letters-00000-of-0000N.jsonl`, sorted; empty files if there are none.

    Takes a `PCollection` of `DeadLetter`; gives the paths written. The files' bytes depend on the letters alone, not on the
    order in which workers met them.
    """

    def __init__(self, uri: str, shard_count: int = 1):
        """Creates the transform.

        Args:
            uri: Directory of the artifact.
            shard_count: Number of files; one worker holds one file's letters in memory.
        """
        super().__init__()
        if shard_count < 1:
            raise ValueError(f"`shard_count` must be positive. Received: shard_count={shard_count}")
        self._uri, self._shard_count = uri, shard_count

    def expand(self, letters: Any) -> Any:
        """Groups by shard; the empty groups come from a fixed collection of shard numbers."""
        count = self._shard_count
        numbered = letters | "ToLines" >> beam.Map(lambda letter: (_shard_of(letter.id, count), letter.to_json()))
        every = letters.pipeline | "EveryShard" >> beam.Create([(index, None) for index in range(count)])
        return (
            {"lines": numbered, "every": every}
            | "GroupByShard" >> beam.CoGroupByKey()
            | "Write" >> beam.Map(_write_lines, self._uri, count)
        )


def read(uri: str) -> Iterator[DeadLetter]:
    """The letters of an artifact, file by file."""
    pattern = FileSystems.join(uri, f"{FILE_NAME_PREFIX}-*.jsonl")
    for path in sorted(metadata.path for metadata in FileSystems.match([pattern])[0].metadata_list):
        with FileSystems.open(path) as stream:
            for line in stream.read().decode().splitlines():
                yield DeadLetter.from_json(line)


def _shard_of(key: str, count: int) -> int:
    """A stable shard number; Python's own hash differs between processes."""
    return records.stable_hash(key) % count


def _write_lines(shard: tuple[int, dict[str, Iterable[str]]], uri: str, count: int) -> str:
    index, groups = shard
    path = FileSystems.join(uri, f"{FILE_NAME_PREFIX}-{index:05d}-of-{count:05d}.jsonl")
    records.write_file(uri, path, "".join(line + "\n" for line in sorted(groups["lines"])).encode())
    return path
