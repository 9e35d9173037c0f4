"""What the face locator is trained to make small: a focal loss of where faces are, and the boxes' distance from the true ones."""

from typing import Any

from keras import ops

from trainer.landmarks.locator import STRIDE, boxes_of_cells

_NEAR_CENTER = 0.4
"""Likeness to a face's centre from which on a cell learns the face's box."""


def locator_loss(cells: Any, targets: Any) -> Any:
    """Loss of a batch.

    The focal loss is that of Law and Deng, "CornerNet" (2018): near a face's centre a high score costs less. Boxes: 1 minus the
    generalised intersection over union (Rezatofighi et al. 2019), and half the absolute errors of centre and logarithm of size,
    in units of the box's sides, which still pull where boxes lie inside each other.

    Args:
        cells: `[B, h, w, 5]` as the network says, see `trainer.landmarks.locator.OUTPUTS`.
        targets: `[B, h, w, 6]` see `trainer.landmarks.scene_kernels.fill_targets`.

    Returns:
        A scalar: the loss a face.
    """
    likeness, counts, truth = targets[..., 0], targets[..., 1], targets[..., 2:]
    logit = cells[..., 0]
    score = ops.sigmoid(logit)
    is_center = ops.cast(likeness >= 1.0, "float32")
    hit = -ops.square(1 - score) * ops.log_sigmoid(logit)
    miss = -ops.power(1 - likeness, 4) * ops.square(score) * ops.log_sigmoid(-logit)
    faces = ops.maximum(ops.sum(is_center), 1.0)
    focal = ops.sum(counts * (is_center * hit + (1 - is_center) * miss)) / faces
    weight = counts * likeness * ops.cast(likeness >= _NEAR_CENTER, "float32")
    truth = ops.where(weight[..., None] > 0, truth, ops.convert_to_tensor([0.0, 0.0, STRIDE, STRIDE]))
    distance = _box_distance(boxes_of_cells(cells), truth)
    return focal + ops.sum(weight * distance) / ops.maximum(ops.sum(weight), 1.0)


def _box_distance(boxes: Any, truth: Any) -> Any:
    """`[...]` distance of boxes `[..., 4]` from true ones, whose sides are positive."""
    size, true_size = boxes[..., 2:] - boxes[..., :2], truth[..., 2:] - truth[..., :2]
    common = ops.minimum(boxes[..., 2:], truth[..., 2:]) - ops.maximum(boxes[..., :2], truth[..., :2])
    whole = ops.maximum(boxes[..., 2:], truth[..., 2:]) - ops.minimum(boxes[..., :2], truth[..., :2])
    shared = ops.prod(ops.maximum(common, 0.0), axis=-1)
    union = ops.prod(size, axis=-1) + ops.prod(true_size, axis=-1) - shared
    hull = ops.prod(whole, axis=-1)
    overlap = shared / union - (hull - union) / hull
    shift = ops.abs(boxes[..., :2] + size / 2 - truth[..., :2] - true_size / 2) / true_size
    growth = ops.abs(ops.log(size / true_size))
    return 1 - overlap + 0.5 * ops.sum(shift + growth, axis=-1)
