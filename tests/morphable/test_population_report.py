"""The population of the committed head is human: the bars of lengths and landmarks."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from trainer.morphable import population_report
from trainer.morphable.anthropometry import PUBLISHED, rulers
from trainer.morphable.default import default_head


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def lengths(head):
    return {row.name: row for row in population_report.lengths(head)}


def test_every_published_length_is_taken(lengths):
    assert list(lengths) == list(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_mean_lengths_are_within_one_deviation_of_people(lengths, name):
    assert abs(lengths[name].deviations) < 1, lengths[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_heads_differ_about_as_much_as_people(lengths, name):
    assert 0.3 < lengths[name].sd / lengths[name].published_sd < 1.6, lengths[name]


def test_lengths_scale_with_the_head(head):
    ruler = rulers(head)
    heads = np.stack([head.mean, 1.1 * head.mean])
    for name, values in ruler.measure(heads).items():
        assert values[1] == pytest.approx(1.1 * values[0], rel=1e-5), name


def test_lengths_do_not_depend_on_what_they_are_not_between(head):
    ruler = rulers(head)
    moved = head.mean.copy()
    moved[np.setdiff1d(np.arange(head.vertex_count), ruler.vertices)] += 50
    for before, after in zip(*(ruler.measure(v[None]).values() for v in (head.mean, moved)), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_face_that_is_no_head_is_refused(head):
    regions = {name: weights for name, weights in head.regions.items() if name != "ears"}
    with pytest.raises(ValueError, match="no region 'ears'"):
        population_report.lengths(dataclasses.replace(head, regions=regions), 10)


def test_landmarks_are_where_and_as_different_as_those_of_people(head, development_data):
    folder = Path(development_data) / "bfm68"
    if not folder.is_dir():
        pytest.skip(f"no Basel landmarks at {folder}")
    found = population_report.compare(head, folder)
    assert found.rms < population_report.MEAN_BAR
    assert found.distances.max() < population_report.POINT_BAR
    least, greatest = population_report.SPREAD_BAR
    for spread in found.spreads:
        assert least < spread.ratio < greatest, spread


def test_a_folder_that_is_no_reference_is_refused(head, tmp_path):
    with pytest.raises(ValueError, match="does not hold the 68 landmarks"):
        population_report.compare(head, tmp_path)


def test_alignment_takes_out_pose_and_size():
    rng = np.random.default_rng(0)
    reference = rng.normal(size=(68, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    shapes = np.stack([2.5 * reference @ turn.T + [1, 2, 3], 0.4 * reference - 7])
    np.testing.assert_allclose(population_report.similarity_aligned(shapes, reference), [reference] * 2, atol=1e-9)
