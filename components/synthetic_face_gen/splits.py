"""Which image is of whom, in which split and in which file. Splits go by identity: nobody is in both."""

from typing import Final

from components.records import Shard
from components.synthetic_face_gen.config import SyntheticFaceConfig

TRAIN: Final = "train"
EVAL: Final = "eval"
SPLITS: Final = (TRAIN, EVAL)


def identity_of(config: SyntheticFaceConfig, index: int) -> tuple[int, int]:
    """Identity and view of an image.

    Args:
        config: The data set.
        index: Number of the image, in [0, count).
    """
    return divmod(index, config.views_per_identity)


def split_of(config: SyntheticFaceConfig, identity: int) -> str:
    """Split of an identity.

    Identities for evaluation are spread evenly, so that any prefix of the data set has the right share of them, and an
    identity stays in its split when the data set grows.
    """
    before, after = (int(number * config.eval_fraction + 1e-9) for number in (identity, identity + 1))
    return EVAL if after > before else TRAIN


def shards(config: SyntheticFaceConfig) -> list[Shard]:
    """All files of the data set, the training split's first; both splits have at least one, which may be empty."""
    sizes = {split: len(indices) for split, indices in _indices(config).items()}
    counts = {split: max(1, -(-size // config.shard_size)) for split, size in sizes.items()}
    return [Shard(split, index, count) for split, count in counts.items() for index in range(count)]


def shard_indices(config: SyntheticFaceConfig, shard: Shard) -> list[int]:
    """Numbers of a file's images, in order."""
    start = shard.index * config.shard_size
    return _indices(config)[shard.split][start : start + config.shard_size]


def _indices(config: SyntheticFaceConfig) -> dict[str, list[int]]:
    chosen: dict[str, list[int]] = {split: [] for split in SPLITS}
    for identity in range(config.identity_count):
        start = identity * config.views_per_identity
        stop = min(start + config.views_per_identity, config.count)
        chosen[split_of(config, identity)].extend(range(start, stop))
    return chosen
