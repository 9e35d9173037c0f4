import numba
import numpy as np
import pytest

from trainer.rendering.forward_shading import power


@numba.njit
def powers(bases, exponent, out):
    for index in range(len(bases)):
        out[index] = power(bases[index], exponent)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 12.0, 100.0])
def test_power(exponent):
    bases = np.linspace(1e-6, 1.9, 20_001, dtype=np.float32)
    result = np.empty_like(bases)
    powers(bases, np.float32(exponent), result)
    expected = bases.astype(np.float64) ** exponent
    normal = expected > 1e-30
    np.testing.assert_allclose(result[normal], expected[normal], rtol=2e-5)
    assert (result[~normal] < 1e-29).all()
