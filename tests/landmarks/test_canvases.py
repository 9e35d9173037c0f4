"""Canvases: pixels and points lie where they lay in the picture, sets and unknown points are told apart."""

import numpy as np
import pytest
from landmark_examples import PICTURE_SIZE, disc_example, write_shard

from trainer import contract
from trainer.landmarks import canvases
from trainer.landmarks.config import CanvasConfig

CONFIG = CanvasConfig(size=64, margin=0.5)


def test_points_stay_on_their_pixels(tmp_path):
    marked = 30
    shard = write_shard(tmp_path / "one.gz", [disc_example(3, mark=marked)])
    faces = canvases.build([shard], CONFIG, tmp_path / "canvases")
    x, y = faces.points[0, 0, marked]
    brightness = faces.images[0].astype(float).sum(-1)
    rows, columns = np.mgrid[:64, :64] + 0.5
    weight = np.clip(brightness - 500, 0, None)
    np.testing.assert_allclose(
        [(columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()], [x, y], atol=0.6
    )


def test_the_box_has_its_share_of_the_canvas(tmp_path):
    shard = write_shard(tmp_path / "two.gz", [disc_example(seed) for seed in range(4)])
    faces = canvases.build([shard], CONFIG, tmp_path / "canvases")
    extent = np.ptp(faces.points[:, 0], axis=1).max(axis=1)
    np.testing.assert_allclose(extent, 64 / 2, rtol=1e-4)


def test_sets_and_unknown_points_are_told_apart(tmp_path):
    outline = np.random.default_rng(0).uniform(10, 50, (68, 2))
    known = np.ones(68)
    known[5] = 0
    shard = write_shard(
        tmp_path / "sets.gz",
        [
            disc_example(0),
            disc_example(1, {contract.LANDMARKS_OUTLINE_XY: outline, contract.POSE_EULER: (30, 1, 2)}),
            disc_example(2, {contract.LANDMARKS_SET: "outline", contract.LANDMARKS_KNOWN: known}),
        ],
    )
    faces = canvases.build([shard], CONFIG, tmp_path / "canvases")
    assert faces.known[0].tolist() == [[1] * 68, [0] * 68]
    assert (faces.known[1] == 1).all()
    assert (faces.known[2, 0] == 0).all()
    assert faces.known[2, 1].tolist() == known.tolist()
    assert (faces.points[faces.known == 0] == 0).all()
    np.testing.assert_array_equal(faces.yaw, [np.nan, 30, np.nan])


def test_an_earlier_runs_canvases_are_found_and_others_refused(tmp_path):
    shard = write_shard(tmp_path / "one.gz", [disc_example(0)])
    built = canvases.build([shard], CONFIG, tmp_path / "canvases")
    before = (tmp_path / "canvases" / "images.u8").stat().st_mtime_ns
    again = canvases.build([shard], CONFIG, tmp_path / "canvases")
    assert (tmp_path / "canvases" / "images.u8").stat().st_mtime_ns == before
    np.testing.assert_array_equal(built.images, again.images)
    with pytest.raises(ValueError, match="other examples"):
        canvases.build([shard], CanvasConfig(size=32), tmp_path / "canvases")


def test_nothing_is_left_of_an_empty_data_set(tmp_path):
    shard = write_shard(tmp_path / "none.gz", [])
    with pytest.raises(ValueError, match="no example"):
        canvases.build([shard], CONFIG, tmp_path / "canvases")
    assert [path.name for path in tmp_path.iterdir()] == ["none.gz"]
    with pytest.raises(ValueError, match="at least one file"):
        canvases.build([], CONFIG, tmp_path / "canvases")


def test_what_holds_no_examples_is_named(tmp_path):
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(b"no examples")
    with pytest.raises(ValueError, match=r"damaged\.gz"):
        canvases.build([str(damaged)], CONFIG, tmp_path / "canvases")
    other = write_shard(tmp_path / "other.gz", [b""])
    with pytest.raises(ValueError, match=r"other\.gz.*not examples of faces"):
        canvases.build([other], CONFIG, tmp_path / "canvases")
    with pytest.raises(ValueError, match="cannot be read"):
        canvases.build([str(tmp_path / "missing.gz")], CONFIG, tmp_path / "canvases")


def test_a_folder_of_something_else_is_refused_and_kept(tmp_path):
    shard = write_shard(tmp_path / "one.gz", [disc_example(0)])
    (tmp_path / "full").mkdir()
    with pytest.raises(ValueError, match="other examples"):
        canvases.build([shard], CONFIG, tmp_path / "full")
    assert (tmp_path / "full").is_dir()


def test_pictures_have_room_for_the_points():
    assert PICTURE_SIZE >= 64
