"""Finding faces, with networks that see by simple rules: bright squares are faces, and their landmarks fill them."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.imaging.codecs import encode_png
from trainer.imaging.decoding import decode_photos
from trainer.landmarks import finder, locator
from trainer.landmarks.finder import FaceNetworks, find_all_faces, find_faces, locate_faces, refine_faces

SIZE = 64


class SquareLocator:
    """Sees each bright patch as a face: red ones surely, green ones less so."""

    input_shape = (None, SIZE, SIZE, 3)

    def __call__(self, images, training=False):
        return tf.numpy_function(lambda batch: np.stack([self.cells(image) for image in batch]), [images], tf.float32)

    @staticmethod
    def cells(image):
        from scipy import ndimage

        cells = np.zeros((SIZE // 8, SIZE // 8, 5), np.float32)
        cells[..., 0] = -9
        labels, count = ndimage.label(image.max(-1) > 0.4)
        for rows, columns in ndimage.find_objects(labels, count):
            x, y = (columns.start + columns.stop) / 16, (rows.start + rows.stop) / 16
            size = np.log([(columns.stop - columns.start) / SIZE, (rows.stop - rows.start) / SIZE])
            red = image[rows, columns, 0].mean() > image[rows, columns, 1].mean()
            cells[min(int(y), 7), min(int(x), 7)] = [3.0 if red else 1.0, x - int(x) - 0.5, y - int(y) - 0.5, *size]
        return cells


class SquarePoints:
    """Landmarks in the bright part of a crop, from corner to corner; in the other set all in the middle."""

    input_shape = (None, SIZE, SIZE, 3)

    def __call__(self, images, training=False):
        points = tf.numpy_function(
            lambda batch: np.stack([self.points(image) for image in batch]), [images], tf.float32
        )
        points = tf.ensure_shape(points, [None, 68, 2])
        both = tf.stack([points, tf.fill(tf.shape(points), SIZE / 2)], axis=1)
        return both, tf.zeros(tf.shape(both)[:3])

    @staticmethod
    def points(image):
        bright = image.max(-1) > 0.4
        rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
        if not len(rows):
            return np.full((68, 2), SIZE / 2, np.float32)
        low, high = np.array([columns[0], rows[0]]), np.array([columns[-1] + 1, rows[-1] + 1])
        return (low + np.linspace(0, 1, 68)[:, None] * (high - low)).astype(np.float32)


@pytest.fixture(autouse=True)
def static_shapes(monkeypatch):
    """The stand-ins know no static shapes; the decoding needs them."""
    monkeypatch.setattr(
        SquareLocator, "__call__", _shaped(SquareLocator.__call__, [None, SIZE // 8, SIZE // 8, locator.OUTPUTS])
    )


def _shaped(function, shape):
    return lambda *args, **kwargs: tf.ensure_shape(function(*args, **kwargs), shape)


NETWORKS = FaceNetworks(SquarePoints(), SquareLocator())
RED, GREEN = (250, 0, 0), (0, 250, 0)


def photo(*squares, height=128, width=256):
    picture = np.zeros((height, width, 3), np.uint8)
    for (x0, y0, x1, y1), color in squares:
        picture[y0:y1, x0:x1] = color
    return picture


def decoded(*pictures):
    return decode_photos(tf.constant([encode_png(picture) for picture in pictures]))


def test_the_largest_face_is_the_prominent_one_if_it_is_one():
    large, small = (20, 20, 100, 100), (180, 40, 220, 80)
    photos = decoded(photo((large, RED), (small, RED)), photo((large, GREEN), (small, RED)))
    found = find_faces(NETWORKS, photos, 0.25, threshold=0.8)
    np.testing.assert_allclose(found.box, [large, small], atol=3)
    assert found.landmarks.shape == (2, 68, 2)
    found = find_faces(NETWORKS, photos, 0.25, threshold=0.6)
    np.testing.assert_allclose(found.box, [large, large], atol=3)
    assert found.confidence[0] > found.confidence[1] > 0


def test_a_photo_without_a_face_gets_an_answer_of_no_confidence():
    found = find_faces(NETWORKS, decoded(photo()), 0.25)
    assert np.isfinite(found.landmarks).all()
    assert found.confidence[0] < 0.01


def test_all_faces_of_all_photos():
    squares = [(20, 20, 60, 60), (120, 60, 180, 120)]
    pictures = [photo((squares[0], RED), (squares[1], RED)), photo(), photo((squares[1], RED), height=256)]
    owners, found = find_all_faces(NETWORKS, decoded(*pictures), 0.25)
    assert owners.dtype == tf.int32
    assert owners.numpy().tolist() == [0, 0, 2]
    order = np.argsort(found.box[:2, 0].numpy())
    np.testing.assert_allclose(found.box.numpy()[order], squares, atol=3)
    np.testing.assert_allclose(found.box[2], squares[1], atol=3)


def test_what_the_landmark_network_is_unsure_of_is_no_face():
    photos = decoded(photo(((20, 20, 60, 60), RED)))
    assert find_all_faces(NETWORKS, photos, 0.25, least_confidence=0.3)[0].shape == (1,)
    owners, found = find_all_faces(NETWORKS, photos, 0.25, least_confidence=0.9)
    assert owners.shape == (0,)
    assert found.landmarks.shape == (0, 68, 2)


def test_no_face_in_any_photo_is_no_error():
    owners, found = find_all_faces(NETWORKS, decoded(photo(), photo()), 0.25)
    assert owners.shape == (0,)
    assert found.landmarks.shape == (0, 68, 2)
    assert found.box.shape == (0, 4)


def test_tiles_show_small_faces_and_no_face_twice():
    squares = [(10, 10, 26, 26), (300, 150, 420, 270)]
    photos = decoded(photo((squares[0], RED), (squares[1], RED), height=512, width=512))
    found = locate_faces(NETWORKS.locator, photos, finder.TILED)
    assert (found.score[0].numpy() > 0.5).sum() == 2
    best = found.box[0].numpy()[:2]
    np.testing.assert_allclose(best[np.argsort(best[:, 0])], squares, atol=5)


def test_a_second_pass_looks_around_what_the_first_found():
    square, given = (60, 40, 100, 80), tf.constant([[50.0, 40.0, 90.0, 80.0]])
    photos = decoded(photo((square, RED)))
    found = refine_faces(NETWORKS.landmarks, photos, given, 0.25)
    np.testing.assert_allclose(found.box[0], square, atol=1.5)
    twice = find_faces(NETWORKS, photos, 0.25, passes=2)
    np.testing.assert_allclose(twice.box[0], square, atol=1.5)
    with pytest.raises(ValueError, match="passes"):
        find_faces(NETWORKS, photos, 0.25, passes=0)


def test_boxes_find_their_photos_by_their_owners():
    squares = [(60, 40, 100, 80), (20, 20, 60, 60)]
    photos = decoded(photo((squares[0], RED)), photo((squares[1], RED)))
    boxes = tf.constant([squares[1], squares[0]], tf.float32)
    found = refine_faces(NETWORKS.landmarks, photos, boxes, 0.25, tf.constant([1, 0]))
    np.testing.assert_allclose(found.box, boxes, atol=1.5)


def test_boxes_that_lead_to_one_face_are_one_face_and_the_likeliest_comes_first(monkeypatch):
    """Two boxes side by side, both over one patch: the landmark network finds the same face in both."""
    left, right = (20.0, 40.0, 60.0, 80.0), (50.0, 40.0, 90.0, 80.0)
    patch, other = (40, 45, 70, 75), (180, 40, 230, 90)
    boxes = tf.constant([[left, right, [float(value) for value in other]]] * 2)
    scores = tf.constant([[0.6, 0.7, 0.9], [0.8, 0.5, 0.6]])
    monkeypatch.setattr(finder, "locate_faces", lambda *arguments: locator.LocatedFaces(boxes, scores))
    photos = decoded(*[photo((patch, RED), (other, RED))] * 2)
    owners, found = find_all_faces(NETWORKS, photos, 0.25, passes=3)
    assert owners.numpy().tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(found.box, [other, patch, patch, other], atol=3)
    assert (np.diff(found.confidence.numpy().reshape(2, 2)) < 0).all()
