"""Which image is of whom and in which split. Splits go by identity: nobody is in both."""

from components.records import EVAL, SPLITS, TRAIN
from components.synthetic_face_gen.config import SyntheticFaceConfig


def split_of(config: SyntheticFaceConfig, identity: int) -> str:
    """Split of an identity.

    Identities for evaluation are spread evenly, so that any prefix of the data set has the right share of them, and an
    identity stays in its split when the data set grows.
    """
    before, after = (int(number * config.eval_fraction + 1e-9) for number in (identity, identity + 1))
    return EVAL if after > before else TRAIN


def split_indices(config: SyntheticFaceConfig) -> dict[str, list[int]]:
    """Numbers of the images of each split, in order."""
    chosen: dict[str, list[int]] = {split: [] for split in SPLITS}
    for identity in range(config.identity_count):
        start = identity * config.views_per_identity
        stop = min(start + config.views_per_identity, config.count)
        chosen[split_of(config, identity)].extend(range(start, stop))
    return chosen
