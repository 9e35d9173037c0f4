import json

import numpy as np
import pytest

from components.synthetic_face_gen import sharding, splits
from components.synthetic_face_gen.config import SyntheticFaceConfig
from trainer import configuration


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": -3}, r"`count` must be at least 1\. Received: count=-3"),
        ({"views_per_moment": 3}, "`views_per_identity` must be a multiple of `views_per_moment`. Received: 4 and 3"),
        ({"count": 1.5}, "`count` must be of type int"),
        ({"shard_size": 0}, "`shard_size` must be at least 1"),
        ({"image_size": 8}, r"`image_size` must be in \[32, 2048\]\. Received: image_size=8"),
        ({"supersample": 9}, r"`supersample` must be in \[1, 4\]\. Received: supersample=9"),
        ({"eval_fraction": 1.5}, r"`eval_fraction` must be in \[0, 1\]"),
        ({"seed": -1}, "`seed`"),
        ({"landmark_set": "ibug"}, "`landmark_set` must be one of basel, outline"),
        ({"jpeg_quality": 0}, "`jpeg_quality`"),
        ({"cuont": 3}, "no field `cuont`. Did you mean `count`?"),
        ({"pose": {"yaw": [40, -40]}}, r"`pose\.yaw` must be two numbers, low ≤ high"),
        ({"pose": {"yaw": [-100, 100]}}, r"`pose\.yaw`"),
        ({"pose": {"pitch": [-10]}}, r"`pose\.pitch` must have 2 values"),
        ({"pose": {"jaw": [-10, 10]}}, r"`pose` has no field `jaw`. Did you mean `yaw`?"),
        ({"camera": {"kind": "fisheye"}}, r"`camera\.kind` must be scaled_orthographic or perspective"),
        ({"camera": {"distance": [100, 200]}}, r"`camera\.distance`"),
        ({"camera": {"face_size": [0.0, 0.5]}}, r"`camera\.face_size`"),
        ({"image_chain": {"jpeg_range": [0, 50]}}, r"`image_chain\.jpeg_range`"),
        ({"image_chain": {"blur_fraction": float("nan")}}, r"`image_chain\.blur_fraction`"),
        ({"population": {"identity_scale": -1}}, r"`population\.identity_scale`"),
        (
            {"preset": "huge"},
            "`preset` must be one of tiny, tu2019, piao2019, shu2020, genova2018, gecer2018, wild. Received: 'huge'",
        ),
        ({"preset": ["tiny"]}, "`preset` must be one of"),
    ],
)
def test_wrong_values_are_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        SyntheticFaceConfig.from_values(values)


def test_missing_background_folder_is_an_error_at_construction(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`background` must be 'procedural' or a folder.*nowhere"):
        SyntheticFaceConfig(background=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("text", ["{", "[1]", '"tiny"'])
def test_text_that_is_no_mapping_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        SyntheticFaceConfig.from_json(text)


@pytest.mark.parametrize("name", SyntheticFaceConfig.PRESETS)
def test_presets_survive_json(name):
    config = SyntheticFaceConfig.preset(name, seed=5, pose={"yaw": [-10, 10]})
    assert (config.seed, config.pose.yaw) == (5, (-10.0, 10.0))
    assert SyntheticFaceConfig.from_json(config.to_json()) == config
    assert configuration.to_mapping(config) == json.loads(config.to_json())


@pytest.mark.parametrize(
    ("count", "views", "fraction", "shard_size"), [(24, 2, 0.1, 6), (7, 3, 0.5, 2), (5, 1, 0.0, 3), (5, 2, 1.0, 3)]
)
def test_every_image_is_in_one_shard_and_nobody_in_two_splits(count, views, fraction, shard_size):
    config = SyntheticFaceConfig(count=count, views_per_identity=views, eval_fraction=fraction, shard_size=shard_size)
    shards = sharding.shards(config)
    indices = {split: [] for split in splits.SPLITS}
    for shard, chosen in sharding.contents(config).items():
        assert len(chosen) <= shard_size
        indices[shard.split] += chosen
    assert sorted(indices["train"] + indices["eval"]) == list(range(count))
    people = {split: {config.identity_of(index)[0] for index in chosen} for split, chosen in indices.items()}
    assert people["train"].isdisjoint(people["eval"])
    assert len({shard.path("/root") for shard in shards}) == len(shards)


def test_identities_keep_their_split_when_the_data_set_grows():
    small, large = SyntheticFaceConfig(count=100), SyntheticFaceConfig(count=4000)
    assert [splits.split_of(small, i) for i in range(25)] == [splits.split_of(large, i) for i in range(25)]
    share = np.mean([splits.split_of(large, i) == "eval" for i in range(1000)])
    assert share == pytest.approx(large.eval_fraction, abs=0.002)
