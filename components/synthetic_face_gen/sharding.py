"""Which images lie in which file."""

from components.records import Shard
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.splits import split_indices


def shards(config: SyntheticFaceConfig) -> list[Shard]:
    """All files of the data set, the training split's first; both splits have at least one, which may be empty."""
    sizes = {split: len(indices) for split, indices in split_indices(config).items()}
    counts = {split: max(1, -(-size // config.shard_size)) for split, size in sizes.items()}
    return [Shard(split, index, count) for split, count in counts.items() for index in range(count)]


def shard_indices(config: SyntheticFaceConfig, shard: Shard) -> list[int]:
    """Numbers of a file's images, in order."""
    start = shard.index * config.shard_size
    return split_indices(config)[shard.split][start : start + config.shard_size]
