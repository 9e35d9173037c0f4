"""Splits of examples as GZIP TFRecord shards, each of which is either whole or not there.

The layout is what TFX calls `Examples`: `{directory}/Split-{split}/data-00000-of-00008.gz`. A shard is written under a
temporary name outside every split's folder, because readers take each file of a split for data, and renamed when it is
complete. Paths go through Beam's file systems, so that `gs://`, `s3://` and `hdfs://` work where Beam has them.

A component that may be killed and started again writes to `unfinished_directory(...)`, whose name depends on the work and
not on the run, skips the shards that are there, and calls `publish` when the last one is.
"""

import contextlib
import dataclasses
import fcntl
import gzip
import hashlib
import json
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import google_crc32c
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

TRAIN: Final = "train"
EVAL: Final = "eval"
SPLITS: Final = (TRAIN, EVAL)
"""Splits of every data set that the pipeline makes."""

UNFINISHED: Final = ".unfinished"
"""Start of the names of files and folders that hold work in progress."""

_CLAIM: Final = "claim"


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
        ValueError: If the file is no GZIP, a record is cut short, or its checksum is wrong.
    """
    with (
        FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream,
        gzip.GzipFile(mode="rb", fileobj=stream) as compressed,
    ):
        while header := _read(compressed, 12, path):
            if len(header) < 12 or header[8:] != _masked_checksum(header[:8]):
                raise ValueError(f"`{path}` is not a TFRecord file or is damaged.")
            length = struct.unpack("<Q", header[:8])[0]
            example = _read(compressed, length, path)
            if len(example) < length or _read(compressed, 4, path) != _masked_checksum(example):
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


@contextlib.contextmanager
def claimed(unfinished: str) -> Iterator[None]:
    """Keeps a second run of the same work out of its folder while the block runs. The claim ends with the process.

    Only folders on a disk of this machine, or one that it has mounted, can be claimed. Of two runs that share an address such as
    gs://bucket/folder, the slower one fails in `publish`.

    Raises:
        RuntimeError: If another run is at it.
    """
    if FileSystems.get_scheme(unfinished) is not None:
        yield
        return
    Path(unfinished).mkdir(parents=True, exist_ok=True)
    with Path(unfinished, _CLAIM).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RuntimeError(
                f"Another run is at the same work, in {unfinished}. Start again when it has ended."
            ) from error
        yield


def publish(unfinished: str, uri: str, shards: Sequence[Shard]) -> None:
    """Moves finished shards to the artifact's directory and removes the folder they were collected in.

    Raises:
        FileNotFoundError: If a shard is missing.
    """
    if shards and not FileSystems.exists(unfinished):
        raise FileNotFoundError(f"{unfinished} is gone: another run of the same work has published it. Start again.")
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
        try:
            self._stream.close()  # writes what is left, and so can fail as well
        except BaseException:
            self._discard()
            raise
        if kind is not None:
            self._discard()
            return
        try:
            _make_directory(FileSystems.split(self._path)[0])
            FileSystems.rename([self._temporary], [self._path])
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        with contextlib.suppress(BeamIOError):  # what went wrong before is what matters
            FileSystems.delete([self._temporary])


def _make_directory(path: str) -> None:
    if not FileSystems.exists(path):
        try:
            FileSystems.mkdirs(path)
        except OSError:
            if not FileSystems.exists(path):  # another worker may have made it in between
                raise


def _read(compressed: gzip.GzipFile, size: int, path: str) -> bytes:
    try:
        return compressed.read(size)
    except (EOFError, OSError, zlib.error, OverflowError) as error:
        raise ValueError(f"`{path}` is not a GZIP file or is damaged: {error}") from error


def _masked_checksum(data: bytes) -> bytes:
    """TFRecord's masked CRC-32C, little-endian."""
    checksum = google_crc32c.value(data)
    return struct.pack("<I", (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF)
