"""Training pictures of the locator: the same for the same number, labels on what they label, hidden faces not counted."""

import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer import contract, examples
from trainer.landmarks import scene_kernels, scenes
from trainer.landmarks.scene_config import SceneConfig

SIZE, SIDE = 64, 48
PLAIN = SceneConfig(
    **{
        field.name: 0.0
        for field in dataclasses.fields(SceneConfig)
        if field.name.endswith("_share") and field.name != "large_turn_share"
    },
    large_turn_share=0.0,
    number_shares=(0.0, 1.0),
    smallest_drawn=0.2,
    largest_face=0.5,
)
"""One upright face, whole, in front of a picture, through a plain camera."""


def cutouts(count=4):
    """Green squares: the face, in a blue head on a white body that ends at the lower edge."""
    pictures = np.zeros((count, SIDE, SIDE, 4), np.uint8)
    pictures[:, 6:, 10:38] = (0, 0, 255, 255)
    pictures[:, 30:, 4:44] = (255, 255, 255, 255)
    pictures[:, 12:28, 16:32] = (0, 255, 0, 255)
    points = np.random.default_rng(0).uniform(0, 1, (count, 68, 2))
    points[:, :4] = [(0, 0), (1, 0), (0, 1), (1, 1)]
    return scenes.Cutouts(pictures, (np.array([16, 12]) + 16 * points).astype(np.float32))


def maker(config=PLAIN, seed=1):
    backgrounds = np.full((3, 100, 100, 3), 90, np.uint8)
    return scenes.SceneMaker(cutouts(), backgrounds, config, SIZE, seed)


def greenness(image):
    image = image.astype(float)
    return np.clip(image[..., 1] - image[..., [0, 2]].max(-1), 0, None)


def test_a_seed_and_a_number_make_a_scene():
    first, again, other = maker(SceneConfig()), maker(SceneConfig()), maker(SceneConfig(), seed=2)
    for number in (0, 7):
        np.testing.assert_array_equal(first.scene(number).image, again.scene(number).image)
        np.testing.assert_array_equal(first.scene(number).boxes, again.scene(number).boxes)
        assert (first.scene(number).image != other.scene(number).image).any()
    assert (first.scene(0).image != first.scene(1).image).any()


def test_batches_go_on_where_they_were_left():
    scene_maker = maker(SceneConfig())
    source = scene_maker.batches(3)
    next(source)
    for expected, found in zip(next(source), next(scene_maker.batches(3, first_step=1)), strict=True):
        np.testing.assert_array_equal(expected, found)


@pytest.mark.parametrize("number", range(8))
def test_a_box_lies_on_the_face(number):
    scene = maker(dataclasses.replace(PLAIN, large_turn_share=float(number % 2))).scene(number)
    (box,), (state,) = scene.boxes, scene.states
    assert state == 1
    green = greenness(scene.image) > 60
    rows, columns = np.flatnonzero(green.any(1)), np.flatnonzero(green.any(0))
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    np.testing.assert_allclose(found, box, atol=1.6)


def test_a_body_goes_on_below():
    inverse = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    canvas, owners = np.zeros((SIZE, SIZE, 3), np.float32), np.full((SIZE, SIZE), -1, np.int16)
    scene_kernels.paste(canvas, owners, cutouts().pictures[0], inverse, np.ones(3, np.float32), 3, 0, 10)
    white = (canvas > 250).all(-1)
    assert white[40, 20]
    assert white[SIDE + 8, 20]
    assert not white[SIDE + 12, 20]
    assert (owners[white] == 3).all()


def test_reduced_cutouts_keep_their_mean_colour():
    rng = np.random.default_rng(0)
    cutout = np.full((SIDE, SIDE, 4), 255, np.uint8)
    cutout[..., :3] = rng.integers(0, 2, (SIDE, SIDE, 1)) * 255
    canvas, owners = np.zeros((SIZE, SIZE, 3), np.float32), np.full((SIZE, SIZE), -1, np.int16)
    inverse = np.array([[4.0, 0, 0], [0, 4.0, 0]])
    scene_kernels.paste(canvas, owners, cutout, inverse, np.ones(3, np.float32), 0, 0, 0)
    small = canvas[:12, :12, 0]
    np.testing.assert_allclose(small, cutout[..., 0].reshape(12, 4, 12, 4).mean((1, 3)), atol=1)
    assert (canvas[13:, 13:] == 0).all()


def test_parts_of_pictures_are_averaged_and_mirrored():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 200
    for mirrored in (False, True):
        out = np.empty((10, 10, 3), np.float32)
        scene_kernels.sample_square(picture, 0.0, 0.0, 40.0, 40.0, mirrored, out)
        assert out.mean() == pytest.approx(100, abs=1)
        assert (out[:, -1] > out[:, 0]).all() != mirrored


def test_hidden_faces_do_not_count():
    scene_maker = maker(dataclasses.replace(PLAIN, number_shares=(0.0, 0.0, 0.0, 1.0), few=9, largest_face=0.9))
    states = np.concatenate([scene_maker.scene(number).states for number in range(30)])
    assert 0.02 < (states == 0).mean() < 0.6
    alone = maker().scene(0)
    canvas, owners = np.zeros((SIZE, SIZE, 3), np.float32), np.zeros((SIZE, SIZE), np.int16)
    middle = (alone.boxes[0, :2] + alone.boxes[0, 2:]) / 2
    scene_kernels.cover(canvas, owners, canvas + 9, middle, np.array([40.0, 40.0]), 0.3, False)
    assert scene_kernels.count_owned(owners, 0, alone.boxes[0].astype(np.float64)) == 0


def test_framed_heads_leave_the_rest_as_it_was():
    framed = maker(dataclasses.replace(PLAIN, framed_share=1.0))
    for number in range(6):
        scene = framed.scene(number)
        (box,), size = scene.boxes, SIZE
        green = greenness(scene.image) > 60
        assert green.any()
        reach = 1.7 * (box[2:] - box[:2]).max()
        low, high = np.clip([box[:2] - reach, box[2:] + reach], 0, size).astype(int)
        outside = np.ones((size, size), bool)
        outside[low[1] : high[1], low[0] : high[0]] = False
        assert not outside.any() or scene.image[outside].std(axis=0).max() < 3


def test_bars_are_black_and_faces_lie_between_them():
    scene_maker = maker(dataclasses.replace(PLAIN, letterbox_share=1.0))
    for number in range(10):
        scene = scene_maker.scene(number)
        shown = np.flatnonzero((scene.image > 0).any((1, 2))), np.flatnonzero((scene.image > 0).any((0, 2)))
        assert min(len(shown[0]), len(shown[1])) < SIZE or number
        assert scene.boxes[0, 0] > shown[1][0] - 2
        assert scene.boxes[0, 3] < shown[0][-1] + 3


def test_some_scenes_are_empty():
    scene_maker = maker(dataclasses.replace(PLAIN, number_shares=(1.0,)))
    image, targets = scene_maker.batch(0, 2)
    assert image.std(axis=(1, 2)).max() < 3
    assert (targets[..., 0] == 0).all()
    assert (targets[..., 1] == 1).all()


def test_targets_say_where_a_face_is_and_how_large():
    targets = np.empty((8, 8, 6), np.float32)
    boxes = np.array([[8, 8, 24, 40], [40, 40, 44, 44]], np.float32)
    scene_kernels.fill_targets(boxes, np.array([1, 0], np.int8), 8, 0.1, 0.45, targets)
    assert targets[3, 2, 0] == 1
    assert (targets[..., 0] == 1).sum() == 1
    assert targets[4, 2, 0] < targets[3, 2, 0]
    np.testing.assert_array_equal(targets[3, 2, 2:], boxes[0])
    assert targets[5, 5, 1] == 0
    assert (targets[..., 1] == 0).sum() == 1


def test_cutouts_are_read_back(tmp_path):
    heads = cutouts(3)
    with tf.io.TFRecordWriter(str(tmp_path / "shard")) as writer:
        for picture, points in zip(*heads, strict=True):
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "PNG")
            values = {contract.IMAGE_ENCODED: buffer.getvalue(), contract.LANDMARKS_XY: points}
            writer.write(examples.encode(values))
    read = scenes.read_cutouts([str(tmp_path / "shard")])
    np.testing.assert_array_equal(read.pictures, heads.pictures)
    np.testing.assert_array_equal(read.points, heads.points)
    with pytest.raises(ValueError, match="shards"):
        scenes.read_cutouts([])


@pytest.mark.parametrize(
    "values", [{"blur_share": 2.0}, {"number_shares": (0.5, 0.2)}, {"smallest_drawn": 0.96}, {"cover_share": 0.95}]
)
def test_wrong_configurations_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        SceneConfig(**values)
