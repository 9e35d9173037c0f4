"""Seeds for generators of their own."""

import numpy as np
import pytest

from components.synthetic_face_gen.streams import HashedSeed


def draws(*key):
    return np.random.Generator(np.random.SFC64(HashedSeed(*key))).random(64)


def test_same_numbers_give_the_same_draws():
    np.testing.assert_array_equal(draws(7, 3, 2**63 - 1), draws(np.int64(7), 3, 2**63 - 1))


@pytest.mark.parametrize("other", [(1, 23), (12, 4), (2, 13), (123,), (1, 2, 3, 0), (11, 23)])
def test_other_numbers_give_unrelated_draws(other):
    """Also where their digits, written one after the other, are the same."""
    assert abs(np.corrcoef(draws(12, 3), draws(*other))[0, 1]) < 0.5
    assert not np.isin(draws(12, 3), draws(*other)).any()


def test_draws_of_consecutive_keys_are_uniform():
    first = np.array([draws(5, number)[0] for number in range(4000)])
    counts = np.histogram(first, 16, (0, 1))[0]
    assert np.square(counts - 250).sum() / 250 < 45  # chi-squared with 15 degrees of freedom: p < 1e-4


def test_every_bit_generator_can_be_seeded():
    for kind in (np.random.SFC64, np.random.PCG64, np.random.Philox):
        assert 0 <= np.random.Generator(kind(HashedSeed(1))).random() < 1
