"""Cut-outs: a head and nothing else, labelled, the same bytes again, and shards that a second run keeps."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.synthetic_face_gen import cutouts
from components.synthetic_face_gen.config import PROCEDURAL
from trainer import contract, examples
from trainer.imaging.alignment import landmark_box
from trainer.morphable.default import default_head


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def sets():
    return cutouts.locator_training_sets(4, seed=3)


def picture_of(record):
    return np.asarray(Image.open(io.BytesIO(examples.decode(record)[contract.IMAGE_ENCODED])))


def test_a_cutout_is_a_labelled_head_with_alpha(head, sets):
    record = cutouts.render_cutout(sets[0], head, 0)
    assert record == cutouts.render_cutout(sets[0], head, 0)
    features = examples.decode(record)
    pixels = picture_of(record)
    size = sets[0].image_size
    assert pixels.shape == (size, size, 4)
    alpha = pixels[..., 3] / 255
    assert 0.1 < alpha.mean() < 0.8
    points = features[contract.LANDMARKS_XY].reshape(-1, 2)
    np.testing.assert_allclose(features[contract.FACE_BOX], landmark_box(points), atol=1e-4)
    inner = points[list(contract.LANDMARK_GROUPS["outer_lips"])].astype(int)
    assert (alpha[inner[:, 1], inner[:, 0]] > 0.5).all()
    assert (pixels[alpha == 0] == 0).all()


def test_heads_are_whole_and_dressed(head, sets):
    for config in sets:
        pixels = picture_of(cutouts.render_cutout(config, head, 1))
        covered = pixels[..., 3] > 127
        assert covered[-1].any()  # the body goes on below
        assert not covered[0].any()  # the hair does not go on above
        assert config.wardrobe is not None
    assert [config.pose.yaw for config in sets] == [cutouts.NEAR_FRONTAL, cutouts.ALL_SIDES]
    assert len({config.seed for config in sets}) == 2


def test_shards_that_are_there_are_kept(head, sets, tmp_path):
    counts = []
    shards = cutouts.write_cutouts(sets, head, tmp_path, counts.append)
    assert sum(counts) == 4
    before = {path: (tmp_path / path).read_bytes() for path in shards}
    (tmp_path / shards[0]).write_bytes(b"kept")
    (tmp_path / shards[1]).unlink()
    counts.clear()
    assert cutouts.write_cutouts(sets, head, tmp_path, counts.append) == shards
    assert sum(counts) == 4
    assert (tmp_path / shards[0]).read_bytes() == b"kept"
    assert (tmp_path / shards[1]).read_bytes() == before[shards[1]]
    assert len(list(tf.data.TFRecordDataset(shards[1:]).as_numpy_iterator())) == 2
    with pytest.raises(ValueError, match="same faces"):
        cutouts.write_cutouts(cutouts.locator_training_sets(8, seed=3), head, tmp_path)


def test_background_pictures_are_pictures():
    pictures = cutouts.background_pictures(PROCEDURAL, 3, 32, seed=1)
    assert pictures.shape == (3, 32, 32, 3)
    assert pictures.dtype == np.uint8
    assert pictures.std() > 5
    np.testing.assert_array_equal(pictures, cutouts.background_pictures(PROCEDURAL, 3, 32, seed=1))


def test_photographs_are_backgrounds_whole_and_one_place_in_five_is_held_out(tmp_path):
    for place in "abcde":
        for view in range(2):
            color = (40 * (ord(place) - ord("a")), 100, 100 + 50 * view)
            Image.new("RGB", (60, 40), color).save(tmp_path / f"place_{place}_p00_y{view}.png")
    held = cutouts.held_out(sorted(tmp_path.iterdir()))
    assert [path.name for path in held] == ["place_e_p00_y0.png", "place_e_p00_y1.png"]
    pictures = cutouts.background_pictures(str(tmp_path), 0, 32, seed=1)
    assert pictures.shape == (8, 32, 32, 3)
    assert pictures[..., 0].max() == 120
    both = cutouts.background_pictures(str(tmp_path), 100, 32, seed=1)
    assert both.shape == (16, 32, 32, 3)
    np.testing.assert_array_equal(both[:8], pictures)
