import json

import numpy as np
import pytest

from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.expressions import ExpressionSampler
from components.synthetic_face_gen.paired_set import PairedSet
from trainer.morphable.default import default_head


def paired(path, statistics, **settings):
    path.write_text(statistics if isinstance(statistics, str) else json.dumps(statistics))
    config = SyntheticFaceConfig.preset("gecer2018", paired_set={"statistics": str(path), **settings})
    return PairedSet(config, default_head(), ExpressionSampler(default_head()))


def test_draws_have_the_file_s_mean_and_its_covariance_divided(tmp_path):
    covariance = np.array([[400.0, 60, 0], [60, 100, 0], [0, 0, 25]])
    pose = {"mean": [10, -5, 0], "covariance": covariance.tolist()}
    given = paired(tmp_path / "set.json", {"pose": pose}, pose_divisor=4.0)
    rng = np.random.default_rng(0)
    euler = np.array([given.euler(rng) for _ in range(4000)])
    np.testing.assert_allclose(euler.mean(axis=0), [10, -5, 0], atol=0.6)
    np.testing.assert_allclose(np.cov(euler, rowvar=False), covariance / 4, atol=6)


def test_what_the_file_lacks_follows_our_own_draws(tmp_path):
    given = paired(tmp_path / "set.json", {"color": {"mean": [0.5, 0, 0], "covariance": np.zeros((3, 3)).tolist()}})
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(given.gains(rng), np.exp([0.5, 0, 0]))
    assert given.harmonics(rng).shape == (9, 3)
    low, high = default_head().expression_range.T
    expression = given.expression(rng)
    assert ((expression >= np.minimum(low, 0)) & (expression <= high)).all()


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        ("{", "must be a JSON file"),
        ("[1]", "must be a JSON object"),
        ({"poses": {}}, "keys among"),
        ({"pose": {"mean": [0, 0, 0]}}, "must hold `mean` and `covariance`"),
        ({"pose": {"mean": [0, 0], "covariance": [[1, 0], [0, 1]]}}, r"mean \[3\]"),
        ({"pose": {"mean": ["a", 0, 0], "covariance": np.eye(3).tolist()}}, "must hold numbers"),
        ({"pose": {"mean": [0, 0, 0], "covariance": [[1], [0, 1], [0, 0, 1]]}}, "must hold numbers"),
        ({"pose": {"mean": [float("nan"), 0, 0], "covariance": np.eye(3).tolist()}}, "must be finite"),
        ({"pose": {"mean": [0, 0, 0], "covariance": (-np.eye(3)).tolist()}}, "negative eigenvalues"),
        ({"pose": {"mean": [0, 0, 0], "covariance": [[1, 2, 0], [0, 1, 0], [0, 0, 1]]}}, "symmetric"),
    ],
)
def test_wrong_statistics_are_refused(tmp_path, statistics, message):
    with pytest.raises(ValueError, match=message):
        paired(tmp_path / "set.json", statistics)


def test_missing_file_is_an_error_at_construction(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"paired_set\.statistics"):
        SyntheticFaceConfig.preset("gecer2018", paired_set={"statistics": str(tmp_path / "none.json")})
