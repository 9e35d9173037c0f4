"""The locator: what cells say, how boxes come of it, what it is trained to make small, and its file."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.landmarks import locator
from trainer.landmarks.locator_config import LocatorConfig, LocatorTrainingConfig
from trainer.landmarks.locator_loss import locator_loss
from trainer.landmarks.scene_kernels import fill_targets

CONFIG = LocatorConfig.preset("tiny")
CELLS = CONFIG.image_size // locator.STRIDE


def targets_of(boxes, states=None):
    targets = np.empty((1, CELLS, CELLS, 6), np.float32)
    states = np.ones(len(boxes), np.int8) if states is None else np.array(states, np.int8)
    fill_targets(np.array(boxes, np.float32).reshape(-1, 4), states, locator.STRIDE, 0.1, 0.45, targets[0])
    return targets


def cells_that_say(boxes, logit=6.0):
    """`[1, h, w, 5]` cells that name these boxes in the cells of their centres."""
    cells = np.zeros((1, CELLS, CELLS, 5), np.float32)
    cells[..., 0] = -logit
    for x0, y0, x1, y1 in boxes:
        x, y = (x0 + x1) / 2 / locator.STRIDE, (y0 + y1) / 2 / locator.STRIDE
        size = np.log([(x1 - x0) / CONFIG.image_size, (y1 - y0) / CONFIG.image_size])
        cells[0, int(y), int(x)] = [logit, x - int(x) - 0.5, y - int(y) - 0.5, *size]
    return cells


class Says:
    """A network that says this of every picture."""

    def __init__(self, cells):
        self.cells = tf.constant(cells)

    def __call__(self, images, training=False):
        return self.cells


def test_the_network_is_small_and_speaks_of_every_cell():
    network = locator.build(LocatorConfig.preset("small"))
    assert network.count_params() <= 500_000
    assert network.output_shape == (None, 16, 16, locator.OUTPUTS)


def test_an_untrained_network_sees_nearly_no_face():
    network = locator.build(CONFIG)
    images = np.random.default_rng(0).random((4, CONFIG.image_size, CONFIG.image_size, 3), np.float32)
    assert locator.locate(network, images, 8).score.numpy().max() < 0.3


def test_what_cells_say_comes_back_as_boxes():
    boxes = [(8, 12, 30, 44), (40, 40, 46, 47)]
    found = locator.locate(Says(cells_that_say(boxes)), None, 4)
    order = np.argsort(found.box[0, :2, 0].numpy())
    np.testing.assert_allclose(found.box[0].numpy()[order], boxes, atol=1e-3)
    np.testing.assert_allclose(found.score[0, :2], 1 / (1 + np.exp(-6.0)), atol=1e-5)
    assert found.score.shape == (1, 4)
    assert (found.score.numpy()[0, 2:] < 0.01).all()


def test_a_face_is_found_once():
    large = (4.0, 4.0, 60.0, 60.0)
    cells = cells_that_say([large])
    cells[0, 1, 1] = cells_that_say([(2.0, 2.0, 20.0, 20.0)])[0, 1, 1]
    cells[0, 6, 6] = [5.0, -2.5, -2.5, *cells[0, 4, 4, 3:]]  # far from the middle, and yet the same box
    scores = locator.locate(Says(cells), None, 8).score[0].numpy()
    assert (scores > 0.5).sum() == 2


def test_boxes_beyond_the_frame_are_kept_as_they_are():
    box = (-20.0, 10.0, 24.0, 70.0)
    found = locator.locate(Says(cells_that_say([box])), None, 1)
    np.testing.assert_allclose(found.box[0, 0], box, atol=1e-3)


def test_the_loss_is_least_for_the_truth():
    boxes = [(8, 12, 30, 44), (40, 40, 47, 47)]
    targets = targets_of(boxes)
    right = float(locator_loss(tf.constant(cells_that_say(boxes, 12.0)), targets))
    shifted = float(locator_loss(tf.constant(cells_that_say([(10, 12, 32, 44), (40, 40, 47, 47)], 12.0)), targets))
    missed = float(locator_loss(tf.constant(cells_that_say(boxes[:1], 12.0)), targets))
    invented = float(locator_loss(tf.constant(cells_that_say([*boxes, (2, 48, 20, 62)], 12.0)), targets))
    assert right < min(shifted, missed, invented) - 0.05


def test_faces_that_do_not_count_cost_nothing_either_way():
    doubtful = (8, 12, 30, 44)
    targets = targets_of([doubtful], states=[0])
    for said in ([], [doubtful]):
        assert float(locator_loss(tf.constant(cells_that_say(said, 12.0)), targets)) < 1e-3


def test_the_loss_of_an_empty_picture_is_finite_and_its_gradient_too():
    network = locator.build(CONFIG)
    images = tf.random.stateless_uniform([2, CONFIG.image_size, CONFIG.image_size, 3], [1, 2])
    with tf.GradientTape() as tape:
        loss = locator_loss(network(images, training=True), np.repeat(targets_of([]), 2, axis=0))
    gradients = tape.gradient(loss, network.trainable_variables)
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)


def test_it_learns_two_pictures_by_heart():
    rng = np.random.default_rng(0)
    network = locator.build(CONFIG)
    images = np.repeat(np.repeat(rng.random((2, 8, 8, 3), np.float32), 8, 1), 8, 2)
    boxes = np.array([[6, 8, 30, 40], [30, 20, 58, 54]], np.float32)
    for image, (x0, y0, x1, y1) in zip(images, boxes.astype(int), strict=True):
        image[y0:y1, x0:x1] = (1, 0, 0)
    targets = np.concatenate([targets_of([box]) for box in boxes])
    import keras

    optimizer = keras.optimizers.Adam(0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = locator_loss(network(images, training=True), targets)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables, strict=True)
        )
        return loss

    first = float(step())
    for _ in range(120):
        last = float(step())
    assert last < 0.2 * first


def test_a_saved_network_says_the_same(tmp_path):
    network = locator.build(CONFIG)
    locator.save(network, CONFIG, tmp_path / "locator.npz")
    again, config = locator.load(tmp_path / "locator.npz")
    assert config == CONFIG
    image = np.random.default_rng(0).random((1, CONFIG.image_size, CONFIG.image_size, 3), np.float32)
    np.testing.assert_allclose(again(image), network(image), atol=0.02)
    (tmp_path / "locator.npz").write_bytes((tmp_path / "locator.npz").read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a face locator"):
        locator.load(tmp_path / "locator.npz")


def test_wrong_configurations_are_refused():
    with pytest.raises(ValueError, match="image_size"):
        LocatorConfig(image_size=100)
    with pytest.raises(ValueError, match="blocks"):
        LocatorConfig(blocks=(1, -1, 0))
    with pytest.raises(ValueError, match="preset"):
        LocatorTrainingConfig.preset("huge")
