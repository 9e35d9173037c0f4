"""Which photo goes to which split and file. Splits go by identity: nobody is in two."""

from collections.abc import Sequence

from components import records
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.photo_file import PhotoFile, readable
from components.records import EVAL, SPLITS, TRAIN, Shard
from components.shard_writing import ShardWork


def given_splits(photos: Sequence[PhotoFile]) -> dict[str, str]:
    """Split of each identity for which the source asks for one.

    Raises:
        ValueError: If photos of one identity are wanted in two splits; the message names it.
    """
    splits: dict[str, str] = {}
    for photo in photos:
        if photo.split is None or photo.problem is not None:
            continue
        if splits.setdefault(photo.identity, photo.split) != photo.split:
            raise ValueError(
                f"An identity must lie in one split. {readable(photo.identity)!r} is in both: "
                f"{photo.id} asks for {photo.split!r}, another for {splits[photo.identity]!r}."
            )
    return splits


def assign_splits(identities: set[str], config: PhotoConfig, given: dict[str, str] | None = None) -> dict[str, str]:
    """Split of each identity. It depends on the name and the seed, so that nobody changes sides when photos are added.

    A split that would stay empty gets the identity nearest to it, if there are two or more and `eval_fraction` is not 0.

    Args:
        identities: All of them.
        config: Share of `eval`, and the seed.
        given: Splits that the source asks for; they stand.
    """
    given = given or {}
    free = identities - set(given)
    ranks = {identity: records.stable_hash(f"{config.seed}/{identity!r}") / 2**64 for identity in free}
    splits = {identity: EVAL if rank < config.eval_fraction else TRAIN for identity, rank in ranks.items()} | given
    if len(identities) > 1 and len(free) > 0 and config.eval_fraction > 0:
        ordered = sorted(free, key=lambda identity: (ranks[identity], identity))
        if EVAL not in splits.values():
            splits[ordered[0]] = EVAL
        if TRAIN not in splits.values():
            splits[ordered[-1]] = TRAIN
    return splits


def shard_works(photos: Sequence[PhotoFile], config: PhotoConfig) -> list[ShardWork]:
    """The files to write and the photos of each; every split has at least one, which may be empty.

    Raises:
        ValueError: As `given_splits`.
    """
    usable = {photo.identity for photo in photos if photo.problem is None}
    splits = assign_splits(usable, config, given_splits(photos))
    ordered = sorted(photos, key=lambda photo: photo.order)
    works = []
    for split in SPLITS:
        # What is no photo is nobody's: its dead letter comes from wherever.
        chosen = [photo for photo in ordered if splits.get(photo.identity, TRAIN) == split]
        count = max(1, -(-len(chosen) // config.shard_size))
        for index in range(count):
            part = chosen[index * config.shard_size : (index + 1) * config.shard_size]
            works.append(ShardWork(Shard(split, index, count), tuple(part)))
    return works
