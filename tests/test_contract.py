import itertools

import numpy as np
import pytest

from trainer import contract


def test_the_groups_cover_every_landmark_once() -> None:
    indices = [index for group in contract.LANDMARK_GROUPS.values() for index in group]
    assert sorted(indices) == list(range(contract.LANDMARK_COUNT))
    assert set(contract.LANDMARK_GROUPS) >= contract.CLOSED_GROUPS


def test_mirroring_twice_changes_nothing() -> None:
    flip = np.array(contract.LANDMARK_FLIP)
    assert sorted(flip) == list(range(contract.LANDMARK_COUNT))
    np.testing.assert_array_equal(flip[flip], np.arange(contract.LANDMARK_COUNT))


@pytest.mark.parametrize("group", contract.LANDMARK_GROUPS)
def test_mirroring_exchanges_left_and_right_groups(group: str) -> None:
    exchanged = {"right_": "left_", "left_": "right_"}
    side = next((side for side in exchanged if group.startswith(side)), "")
    mirrored = exchanged.get(side, "") + group.removeprefix(side)
    flipped = {contract.LANDMARK_FLIP[index] for index in contract.LANDMARK_GROUPS[group]}
    assert flipped == set(contract.LANDMARK_GROUPS[mirrored])


def test_mirroring_keeps_the_points_on_the_middle_line() -> None:
    middle = [index for index, other in enumerate(contract.LANDMARK_FLIP) if index == other]
    assert middle == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    # Inner and outer corners of the eyes, corners of the mouth, upper lid's inner point.
    for one, other in ((36, 45), (39, 42), (48, 54), (60, 64), (38, 43), (41, 46), (17, 26), (21, 22)):
        assert contract.LANDMARK_FLIP[one] == other


def edges(group: str) -> set[frozenset[int]]:
    """Pairs of a group's landmarks that are joined when drawn."""
    indices = contract.LANDMARK_GROUPS[group]
    closing = {frozenset((indices[-1], indices[0]))} if group in contract.CLOSED_GROUPS else set()
    return {frozenset(pair) for pair in itertools.pairwise(indices)} | closing


def test_neighbours_stay_neighbours_when_mirrored() -> None:
    every = set().union(*(edges(group) for group in contract.LANDMARK_GROUPS))
    assert {frozenset(contract.LANDMARK_FLIP[index] for index in edge) for edge in every} == every


@pytest.mark.parametrize(
    ("yaw", "name"),
    [
        (0, "0-30"),
        (30, "0-30"),
        (-30, "0-30"),
        (30.1, "30-60"),
        (-60, "30-60"),
        (60.1, "60-90"),
        (-90, "60-90"),
        (120, "60-90"),
    ],
)
def test_yaw_bins(yaw: float, name: str) -> None:
    assert contract.yaw_bin(yaw) == name


def test_every_named_key_is_a_feature() -> None:
    keys = {
        value for name, value in vars(contract).items() if name.isupper() and isinstance(value, str) and "/" in value
    }
    assert keys <= set(contract.FEATURES)
    assert {feature.kind for feature in contract.FEATURES.values()} == {"bytes", "float", "int64"}


def test_the_mediapipe_table_is_symmetric_and_has_no_point_twice() -> None:
    table = contract.MEDIAPIPE_TO_IBUG68
    assert len(table) == len(set(table)) == contract.LANDMARK_COUNT
    assert max(table) < contract.MEDIAPIPE_LANDMARK_COUNT
    assert contract.MEDIAPIPE_LANDMARK_SET in contract.LANDMARK_SETS
    # Known by anatomy: eye corners, mouth corners, chin, tip of the nose.
    known = {36: 33, 39: 133, 42: 362, 45: 263, 48: 61, 54: 291, 60: 78, 64: 308, 8: 152, 30: 4, 51: 0, 57: 17}
    assert {index: table[index] for index in known} == known
