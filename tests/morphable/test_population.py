import gzip

import numpy as np
import pytest
from numpy.testing import assert_allclose

from trainer.morphable import population


def test_macro_weights_are_products_that_sum_to_one():
    names, weights = population.macro_weights_of(np.random.default_rng(0), 200)
    assert len(names) == len(set(names)) == 12 + 36
    assert weights.min() >= 0
    ethnic = np.array([name.startswith(population.ETHNICITIES) for name in names])
    assert_allclose(weights[:, ethnic].sum(1), 1)
    assert_allclose(weights[:, ~ethnic].sum(1), 1)
    assert not any("child" in name for name in names)


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.target.gz").write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def targets(tmp_path):
    for group in population.GROUP_SD:
        (tmp_path / group).mkdir()
    write(tmp_path / "nose", "nose-width-decr", "0 -1 0 0\n")
    write(tmp_path / "nose", "nose-width-incr", "0 3 0 0\n")
    write(tmp_path / "head", "head-oval", "1 0 1 0\n")
    for side in "lr":
        write(tmp_path / "eyes", f"{side}-eye-trans-in", "2 -1 0 0\n")
        write(tmp_path / "eyes", f"{side}-eye-trans-out", "2 1 0 0\n")
    return tmp_path


def test_opposite_targets_become_one_direction(targets):
    names, directions, deviations = population.local_directions(targets, 4, np.array([0, 1, 3]))
    assert names == ["eyes/l-eye-trans-in", "eyes/r-eye-trans-in", "head/head-oval", "nose/nose-width-decr"]
    assert_allclose(directions[3], [[2, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert_allclose(directions[2][1], [0, 1, 0])
    assert_allclose(deviations[3], population.GROUP_SD["nose"])


def test_left_and_right_go_together_but_not_quite(targets):
    names, _, deviations = population.local_directions(targets, 4, np.arange(4))
    weights = population.local_weights(np.random.default_rng(0), names, deviations)
    assert_allclose(weights.mean(0), 0, atol=0.02)
    assert_allclose(weights.std(0), deviations, rtol=0.1)
    correlation = np.corrcoef(weights, rowvar=False)
    assert 0.85 < correlation[0, 1] < 0.95
    assert abs(correlation[0, 2]) < 0.1


def test_a_correction_of_the_left_side_holds_for_both(targets):
    weights = population._both_sides({"eyes/l-eye-trans-in": 0.4, "head/head-oval": 0.2})
    assert weights == {"eyes/l-eye-trans-in": 0.4, "eyes/r-eye-trans-in": 0.4, "head/head-oval": 0.2}


def test_single_targets_may_vary_more_or_less_than_their_group(targets):
    name = "nose-scale-horiz"
    for ending in ("decr", "incr"):
        write(targets / "nose", f"{name}-{ending}", "0 1 0 0\n")
    names, _, deviations = population.local_directions(targets, 4, np.arange(4))
    assert deviations[names.index(f"nose/{name}-decr")] == population.TARGET_SD[f"nose/{name}-decr"]
    assert deviations[names.index("nose/nose-width-decr")] == population.GROUP_SD["nose"]


def test_sizes_vary_around_one():
    sizes = population.sizes(4000)
    assert_allclose(sizes.mean(), 1, atol=0.003)
    assert_allclose(sizes.std(), population.SIZE_SD, rtol=0.05)
    assert_allclose(sizes, population.sizes(4000))


def test_every_target_that_is_named_is_a_target(development_data):
    folder = development_data / "makehuman" / "targets"
    if not folder.is_dir():
        pytest.skip(f"no MakeHuman targets at {folder}")
    for name in (*population._both_sides(population.CORRECTION), *population.TARGET_SD):
        assert (folder / f"{name}.target.gz").is_file(), name
