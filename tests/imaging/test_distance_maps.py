"""Distance maps against distances computed by hand and against scipy's transform of drawn edges."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt

from trainer import contract
from trainer.imaging.distance_maps import FACE_PARTS, distance_maps, edge_distances

PART = {part.name: index for index, part in enumerate(FACE_PARTS)}
FAR = 1000.5


def points_with(**groups) -> np.ndarray:
    """All landmarks far away, but those of the groups given."""
    points = np.full((contract.LANDMARK_COUNT, 2), FAR)
    for name, places in groups.items():
        points[list(contract.LANDMARK_GROUPS[name])] = places
    return points


def face() -> np.ndarray:
    """68 places of a face, roughly, in 64 × 80 pixels."""
    from trainer.morphable.default import default_head

    mean = default_head().landmark_basis()[0]
    return (mean[:, :2] * (0.4, -0.4) + (40, 30)).astype(np.float64)


def test_the_five_parts_are_the_papers() -> None:
    assert [part.name for part in FACE_PARTS] == ["cheek", "left_eye", "right_eye", "nose", "mouth"]
    covered = [index for part in FACE_PARTS for name in part.groups for index in contract.LANDMARK_GROUPS[name]]
    assert sorted(covered) == [*range(17), *range(27, 68)]  # all but the brows


def test_an_open_line_by_hand() -> None:
    """The jaw along the centres of row 10, from column 4 to column 20."""
    jaw = [(4.5 + index, 10.5) for index in range(17)]
    maps = distance_maps(points_with(jaw=jaw), 24, 30)
    assert maps.shape == (5, 24, 30)
    cheek = maps[PART["cheek"]]
    np.testing.assert_allclose(cheek[10, 4:21], 0, atol=1e-12)
    np.testing.assert_allclose(cheek[3, 4:21], 7)
    assert cheek[10, 24] == pytest.approx(4)
    assert cheek[7, 0] == pytest.approx(5)  # 4 to the left of the end and 3 above
    assert maps[PART["nose"]].min() > 900


def test_an_eye_is_closed_and_a_nose_is_not() -> None:
    ring = [(10.5, 10.5), (14.5, 6.5), (20.5, 6.5), (24.5, 10.5), (20.5, 14.5), (14.5, 14.5)]
    maps = distance_maps(points_with(right_eye=ring, nose_base=ring[:5], nose_bridge=[ring[0]] * 4), 24, 30)
    # Half way along the edge that joins the last point to the first.
    assert maps[PART["right_eye"], 12, 12] == pytest.approx(0, abs=1e-9)
    assert maps[PART["nose"], 12, 12] == pytest.approx(np.hypot(2, 2))
    assert maps[PART["right_eye"], 10, 17] == pytest.approx(4)  # the middle, inside
    assert maps[PART["left_eye"]].min() > 900


def test_it_is_the_distance_transform_of_the_drawn_edges() -> None:
    """Drawn eight times as large, so that an edge's pixels lie close to the edge."""
    points, (height, width), fine = face(), (64, 80), 8
    for part, found in zip(FACE_PARTS, distance_maps(points, height, width), strict=True):
        canvas = Image.new("L", (width * fine, height * fine))
        for name in part.groups:
            line = [tuple(point) for point in np.floor(points[list(contract.LANDMARK_GROUPS[name])] * fine)]
            ImageDraw.Draw(canvas).line([*line, line[0]] if name in contract.CLOSED_GROUPS else line, fill=1)
        drawn = distance_transform_edt(np.asarray(canvas) == 0)[fine // 2 :: fine, fine // 2 :: fine] / fine
        assert np.abs(drawn - found).max() < 0.25, part.name


def test_arrays_tensors_and_batches_agree() -> None:
    points = np.stack([face(), face() + np.array([3, -2])]).astype(np.float32)
    maps = distance_maps(points, 20, 30)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps[1], distance_maps(points[1], 20, 30), rtol=1e-5)

    @tf.function(input_signature=[tf.TensorSpec([None, 68, 2])])
    def traced(given):
        return distance_maps(given, 20, 30)

    np.testing.assert_allclose(traced(points), maps, atol=1e-4)
    centers = np.array([[0.5, 0.5], [29.5, 19.5]], np.float32)
    np.testing.assert_allclose(edge_distances(points, centers)[..., 0], maps[..., 0, 0], rtol=1e-5)
    np.testing.assert_allclose(edge_distances(points, centers)[..., 1], maps[..., -1, -1], rtol=1e-5)


def test_gradients_reach_the_landmarks_and_stay_finite_on_edges() -> None:
    points = tf.constant(np.round(face()) + 0.5)  # landmarks lie on pixels' centres, where distances are 0
    weights = np.random.default_rng(0).normal(size=(5, 64, 80))
    with tf.GradientTape() as tape:
        tape.watch(points)
        loss = tf.reduce_sum(distance_maps(points, 64, 80) * weights)
    gradient = tape.gradient(loss, points).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[17:27]).max() == 0  # brows belong to no part

    places = np.random.default_rng(1).uniform(0, 60, (40, 2))
    with tf.GradientTape() as tape:
        tape.watch(points)
        loss = tf.reduce_sum(edge_distances(points, places))
    gradient = tape.gradient(loss, points).numpy()
    for index, axis in ((8, 1), (30, 0), (48, 1), (39, 0)):
        step = np.zeros((68, 2))
        step[index, axis] = 1e-5
        sides = [edge_distances(points.numpy() + sign * step, places).sum() for sign in (1, -1)]
        assert gradient[index, axis] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-4)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[\.\.\., 68, 2\]\. Received: \(68, 3\)"):
        distance_maps(np.zeros((68, 3)), 8, 8)
