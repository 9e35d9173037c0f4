"""A folder of photos: which files, of whom, and in which split.

Every file is tried, whatever its name ends in, for a photo may be called anything: what is none becomes a dead letter.
Hidden files and folders (a leading dot) are passed over, and links to folders are not followed. The folder must be mounted
where the work is done.
"""

import dataclasses
import os
from pathlib import Path

from components import records
from components.fingerprint import fingerprint
from components.photo_example_gen.config import PhotoConfig
from components.records import EVAL, SPLITS, TRAIN, Shard
from components.shard_writing import ShardWork


@dataclasses.dataclass(frozen=True, order=True)
class PhotoFile:
    """One file of the folder."""

    path: str
    """Relative to the folder, with `/`."""
    identity: str
    """Who is on it: the name of the first sub-folder, or the file's own path if it lies in the folder itself."""


def find_photos(input_dir: str) -> list[PhotoFile]:
    """All files of a folder, sub-folders included, in order of their paths.

    Raises:
        FileNotFoundError: If there is no such folder, or no file in it.
        NotADirectoryError: If it is a file.
        OSError: If it, or a folder in it, cannot be read.
    """
    root = Path(input_dir)
    if not root.exists():
        raise FileNotFoundError(f"`input_dir` must be a folder of photos. There is none at {input_dir!r}")
    if not root.is_dir():
        raise NotADirectoryError(f"`input_dir` must be a folder of photos. Received a file: {input_dir!r}")
    paths = []
    for folder, subfolders, names in os.walk(root, onerror=_stop):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths += [Path(folder, name).relative_to(root) for name in names if not name.startswith(".")]
    if not paths:
        raise FileNotFoundError(f"`input_dir` must hold photos. There is no file in {input_dir!r}")
    return sorted(
        PhotoFile(path.as_posix(), path.parts[0] if len(path.parts) > 1 else path.as_posix()) for path in paths
    )


def state(input_dir: str) -> str:
    """A digest of the folder's file names, sizes and times: it changes when the photos do.

    Raises:
        OSError: As `find_photos`.
    """
    return fingerprint(Path(input_dir), (photo.path for photo in find_photos(input_dir)))


def assign_splits(identities: set[str], config: PhotoConfig) -> dict[str, str]:
    """Split of each identity. It depends on the name and the seed, so that nobody changes sides when photos are added.

    A split that would stay empty gets the identity nearest to it, if there are two or more and `eval_fraction` is not 0.
    """
    ranks = {identity: records.stable_hash(f"{config.seed}/{identity!r}") / 2**64 for identity in identities}
    splits = {identity: EVAL if rank < config.eval_fraction else TRAIN for identity, rank in ranks.items()}
    if len(identities) > 1 and config.eval_fraction > 0:
        ordered = sorted(identities, key=lambda identity: (ranks[identity], identity))
        if EVAL not in splits.values():
            splits[ordered[0]] = EVAL
        if TRAIN not in splits.values():
            splits[ordered[-1]] = TRAIN
    return splits


def shard_works(photos: list[PhotoFile], config: PhotoConfig) -> list[ShardWork]:
    """The files to write and the photos of each; every split has at least one, which may be empty."""
    splits = assign_splits({photo.identity for photo in photos}, config)
    works = []
    for split in SPLITS:
        chosen = [photo for photo in sorted(photos) if splits[photo.identity] == split]
        count = max(1, -(-len(chosen) // config.shard_size))
        for index in range(count):
            part = chosen[index * config.shard_size : (index + 1) * config.shard_size]
            works.append(ShardWork(Shard(split, index, count), tuple(part)))
    return works


def _stop(error: OSError) -> None:
    """What `os.walk` is to do with a folder that it cannot read: photos must not be left out unnoticed."""
    raise error
