"""Which images lie in which file."""

from components.records import Shard
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.splits import split_indices


def contents(config: SyntheticFaceConfig) -> dict[Shard, list[int]]:
    """All files of the data set and the numbers of each one's images, in order.

    The training split's come first; both splits have at least one, which may be empty.
    """
    size, files = config.shard_size, {}
    for split, indices in split_indices(config).items():
        count = max(1, -(-len(indices) // size))
        for index in range(count):
            files[Shard(split, index, count)] = indices[index * size : (index + 1) * size]
    return files


def shards(config: SyntheticFaceConfig) -> list[Shard]:
    """All files of the data set."""
    return list(contents(config))
