"""Splits of examples as GZIP TFRecord shards, each of which is either whole or not there.

The layout is what TFX calls `Examples`: `{directory}/Split-{split}/data-00000-of-00008.gz`. A shard is written under a
temporary name outside every split's folder, because readers take each file of a split for data, and renamed when it is
complete. Paths go through Beam's file systems, so that `gs://`, `s3://` and `hdfs://` work where Beam has them.

A component that may be killed and started again writes to `unfinished_directory(...)`, whose name depends on the work and
not on the run, skips the shards that are there, and calls `publish` when the last one is.
"""

import dataclasses
import gzip
import hashlib
import json
import struct
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import google_crc32c
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

UNFINISHED: Final = ".unfinished"
"""Start of the names of files and folders that hold work in progress."""


@dataclasses.dataclass(frozen=True, order=True)
class Shard:
    """One file of a split."""

    split: str
    """Name of the split, such as `train`."""
    index: int
    """Position among the split's shards, from 0."""
    count: int
    """Number of shards of the split."""

    def path(self, directory: str) -> str:
        """Where the finished shard lies in an artifact's directory."""
        return FileSystems.join(directory, f"Split-{self.split}", f"data-{self.index:05d}-of-{self.count:05d}.gz")


def is_finished(directory: str, shard: Shard) -> bool:
    """Whether the complete shard is there."""
    return FileSystems.exists(shard.path(directory))


def write_shard(directory: str, shard: Shard, examples: Iterable[bytes]) -> int:
    """Writes one shard, holding one example in memory at a time.

    The bytes of the file depend on the examples alone. If the iterable raises, or the process dies, there is no shard.

    Args:
        directory: The artifact's directory.
        shard: Which file.
        examples: Serialised `tf.Example`s, in order.

    Returns:
        The number of examples written.
    """
    count = 0
    # JPEGs do not get smaller: the lowest level only wraps them in the format that readers expect. No time in the header.
    with (
        _Replacing(directory, shard.path(directory)) as stream,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=stream, mtime=0) as compressed,
    ):
        for example in examples:
            length = struct.pack("<Q", len(example))
            compressed.write(length + _masked_checksum(length) + example + _masked_checksum(example))
            count += 1
    return count


def read_shard(path: str) -> Iterator[bytes]:
    """The examples of a shard, in order.

    Raises:
        ValueError: If a record is cut short or its checksum is wrong.
    """
    with (
        FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
        gzip.GzipFile(mode="rb", fileobj=stream) as compressed,
    ):
        while header := compressed.read(12):
            if len(header) < 12 or header[8:] != _masked_checksum(header[:8]):
                raise ValueError(f"`{path}` is not a TFRecord file or is damaged.")
            length = struct.unpack("<Q", header[:8])[0]
            example = compressed.read(length)
            if len(example) < length or compressed.read(4) != _masked_checksum(example):
                raise ValueError(f"`{path}` is cut short or damaged within a record.")
            yield example


def stable_hash(key: str) -> int:
    """A number that depends on the text alone, the same in every process: for splits and shard numbers."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def write_file(directory: str, path: str, content: bytes) -> None:
    """Writes a small file whole or not at all; the temporary name lies in `directory`, outside the split folders."""
    with _Replacing(directory, path) as stream:
        stream.write(content)


def unfinished_directory(uri: str, work: Mapping[str, Any]) -> str:
    """Where a component collects the shards of an artifact until all are there: beside the artifact's directory.

    Args:
        uri: The artifact's directory, which differs from run to run.
        work: Everything the shards depend on, as JSON holds it. The same work has the same folder in every run.
    """
    key = hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()[:16]
    parent = FileSystems.split(uri.rstrip("/"))[0]
    return FileSystems.join(parent, f"{UNFINISHED}-{key}")


def publish(unfinished: str, uri: str, shards: Sequence[Shard]) -> None:
    """Moves finished shards to the artifact's directory and removes the folder they were collected in.

    Raises:
        FileNotFoundError: If a shard is missing.
    """
    missing = [shard.path(unfinished) for shard in shards if not is_finished(unfinished, shard)]
    if missing:
        raise FileNotFoundError(f"{len(missing)} of {len(shards)} shards are missing, the first is {missing[0]}")
    for split in sorted({shard.split for shard in shards}):
        _make_directory(FileSystems.join(uri, f"Split-{split}"))
    FileSystems.rename([shard.path(unfinished) for shard in shards], [shard.path(uri) for shard in shards])
    FileSystems.delete([unfinished])


class _Replacing:
    """A stream to a temporary file that takes its final name when the block ends without an exception."""

    def __init__(self, directory: str, path: str):
        self._path = path
        self._temporary = FileSystems.join(directory, f"{UNFINISHED}-{uuid.uuid4().hex}")

    def __enter__(self) -> Any:
        # Uncompressed: Beam would otherwise compress by the name's ending, and stamp the time into the header.
        self._stream = FileSystems.create(self._temporary, compression_type=CompressionTypes.UNCOMPRESSED)
        return self._stream

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self._stream.close()
        if kind is not None:
            FileSystems.delete([self._temporary])
            return
        _make_directory(FileSystems.split(self._path)[0])
        FileSystems.rename([self._temporary], [self._path])


def _make_directory(path: str) -> None:
    if not FileSystems.exists(path):
        try:
            FileSystems.mkdirs(path)
        except OSError:
            if not FileSystems.exists(path):  # another worker may have made it in between
                raise


def _masked_checksum(data: bytes) -> bytes:
    """TFRecord's masked CRC-32C, little-endian."""
    checksum = google_crc32c.value(data)
    return struct.pack("<I", (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF)
