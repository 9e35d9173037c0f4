"""The released weights: small, whole, described, and right about left and right on a real photograph."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.imaging.alignment import landmark_box
from trainer.imaging.codecs import encode_png
from trainer.imaging.decoding import decode_photos
from trainer.landmarks.finder import find_faces
from trainer.landmarks.released import LOCATOR_PATH, PATH, released_config, released_networks

ASTRONAUT_FACE = np.array([172, 88, 278, 176])
"""Box of the face in scikit-image's picture, by eye, pixels."""


@pytest.fixture(scope="module")
def find():
    networks, margin = released_networks(), released_config().margin
    return tf.function(
        lambda contents: find_faces(networks, decode_photos(contents), margin),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )


@pytest.fixture(scope="module")
def astronaut():
    data = pytest.importorskip("skimage.data")
    return data.astronaut()


def overlap(a, b):
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    common = np.prod(np.clip(high - low, 0, None))
    return common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common)


def test_the_weights_are_small_and_have_a_card():
    assert PATH.stat().st_size + LOCATOR_PATH.stat().st_size <= 4_000_000
    card = (PATH.parent / "MODEL_CARD.md").read_text()
    for word in ("Data", "Licence", "CC0"):
        assert word in card


def test_the_astronauts_face_is_found_upright_with_left_and_right_right(find, astronaut):
    found = find(tf.constant([encode_png(astronaut)]))
    points = found.landmarks[0].numpy()
    np.testing.assert_allclose(landmark_box(points), found.box[0], atol=1e-3)
    assert overlap(found.box[0].numpy(), ASTRONAUT_FACE) > 0.7
    centers = {name: points[list(group)].mean(0) for name, group in contract.LANDMARK_GROUPS.items()}
    assert centers["right_eye"][0] < centers["nose_base"][0] < centers["left_eye"][0]
    assert centers["right_eye"][1] < centers["nose_base"][1] < centers["outer_lips"][1]
    # Pupils of the picture, by eye.
    np.testing.assert_allclose(centers["right_eye"], (203, 101), atol=8)
    np.testing.assert_allclose(centers["left_eye"], (244, 102), atol=8)


def test_a_mirrored_photo_gives_mirrored_landmarks(find, astronaut):
    found, mirrored = (find(tf.constant([encode_png(picture)])) for picture in (astronaut, astronaut[:, ::-1].copy()))
    flipped = mirrored.landmarks[0].numpy()[list(contract.LANDMARK_FLIP)]
    flipped[:, 0] = astronaut.shape[1] - flipped[:, 0]
    distance = np.linalg.norm(flipped - found.landmarks[0].numpy(), axis=1)
    assert distance.mean() < 0.05 * np.ptp(ASTRONAUT_FACE.reshape(2, 2), axis=0).max()


def test_confidence_tells_a_face_from_none(find, astronaut):
    empty = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8).repeat(40, 0).repeat(40, 1)
    face = astronaut[20:260, 100:340].copy()
    confidence = find(tf.constant([encode_png(face), encode_png(empty)])).confidence.numpy()
    assert confidence[0] > 0.1 > 0.05 > confidence[1]


def test_on_the_fixtures_no_face_is_lost(find, development_data):
    scipy_io = pytest.importorskip("scipy.io")
    paths = sorted((development_data / "aflw2000_fixtures").glob("*.jpg"))
    if not paths:
        pytest.skip(f"no photos in {development_data / 'aflw2000_fixtures'}")
    found = find(tf.constant([path.read_bytes() for path in paths]))
    truth = [scipy_io.loadmat(path.with_suffix(".mat"))["pt3d_68"][:2].T for path in paths]
    overlaps = [
        overlap(box, np.concatenate([points.min(0), points.max(0)]))
        for box, points in zip(found.box.numpy(), truth, strict=True)
    ]
    assert min(overlaps) > 0.5
