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
    return cutouts.landmark_training_sets(4, seed=3)


def test_a_cutout_is_a_labelled_head_with_alpha(head, sets):
    record = cutouts.render_cutout(sets[0], head, 0)
    assert record == cutouts.render_cutout(sets[0], head, 0)
    features = examples.decode(record)
    pixels = np.asarray(Image.open(io.BytesIO(features[contract.IMAGE_ENCODED])))
    size = sets[0].image_size
    assert pixels.shape == (size, size, 4)
    alpha = pixels[..., 3] / 255
    assert 0.15 < alpha.mean() < 0.8
    points = features[contract.LANDMARKS_XY].reshape(-1, 2)
    np.testing.assert_allclose(features[contract.FACE_BOX], landmark_box(points), atol=1e-4)
    inner = points[list(contract.LANDMARK_GROUPS["outer_lips"])].astype(int)
    assert (alpha[inner[:, 1], inner[:, 0]] > 0.5).all()
    assert (pixels[alpha == 0] == 0).all()


def test_the_sets_cover_both_cameras_and_both_yaw_ranges(sets):
    kinds = {(config.camera.kind, config.pose.yaw) for config in sets}
    assert len(kinds) == 4
    assert len({config.seed for config in sets}) == 4


def test_shards_that_are_there_are_kept(head, sets, tmp_path):
    counts = []
    shards = cutouts.write_cutouts(sets, head, tmp_path, counts.append)
    assert sum(counts) == 4
    before = {path: (tmp_path / path).read_bytes() for path in shards}
    (tmp_path / shards[0]).write_bytes(b"kept")
    (tmp_path / shards[2]).unlink()
    assert cutouts.write_cutouts(sets, head, tmp_path) == shards
    assert (tmp_path / shards[0]).read_bytes() == b"kept"
    assert (tmp_path / shards[2]).read_bytes() == before[shards[2]]
    assert len(list(tf.data.TFRecordDataset(shards[1:]).as_numpy_iterator())) == 3
    with pytest.raises(ValueError, match="same faces"):
        cutouts.write_cutouts(cutouts.landmark_training_sets(8, seed=3), head, tmp_path)


def test_background_pictures_are_pictures():
    pictures = cutouts.background_pictures(PROCEDURAL, 3, 32, seed=1)
    assert pictures.shape == (3, 32, 32, 3)
    assert pictures.dtype == np.uint8
    assert pictures.std() > 5
    np.testing.assert_array_equal(pictures, cutouts.background_pictures(PROCEDURAL, 3, 32, seed=1))
