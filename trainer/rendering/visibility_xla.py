"""Visibility in plain TensorFlow ops: exact for any input, compiled by XLA where the caller compiles, on CPUs and GPUs.

Each triangle has as many candidates as its bounding box has pixel centres. A running sum of these counts lays all candidates
of the batch on one line, which is worked off in blocks of one size: every sample of a block finds its triangle (a scatter and a
running sum), tests its pixel's edge functions, and the hits go to the image by a scatter-max of depth and index in one 64-bit
key. Work follows the number of candidates, be they of a hundred thousand small triangles or of one that fills the screen.
"""

from typing import Any

import tensorflow as tf

_BLOCK_PER_TRIANGLE = 2
_SMALLEST_BLOCK, _LARGEST_BLOCK = 1 << 13, 1 << 21
"""Samples per block: enough for a dense mesh in one go, bounded in memory."""

_SCAN_WIDTH = 64
"""XLA's running sum costs the square of the length on a CPU: it runs on rows of this many."""

_LARGEST = 1e15
"""As in `visibility_numba`: coordinates beyond this could overflow when multiplied."""

_ROUNDING = 2.0**-22
"""XLA may fuse a multiplication and a subtraction, which leaves an edge function this share of its terms off zero on an edge;
such a pixel counts as inside, so that no gap opens between neighbours."""

_HIGHEST_INDEX = 0x7FFFFFFF


def rasterize(projected: Any, triangles: Any, height: int, width: int) -> tf.Tensor:
    """Nearest triangle of every pixel; arguments and result as in `trainer.rendering.visibility.rasterize`."""
    projected = tf.stop_gradient(tf.cast(projected, tf.float32))
    triangles = tf.cast(triangles, tf.int32)
    batch, triangle_count = tf.shape(projected)[0], tf.shape(triangles)[0]
    if triangles.shape[0] == 0:
        return tf.fill([batch, height, width], -1)
    if projected.shape[0] is not None and triangles.shape[0] is not None:
        batch, triangle_count = projected.shape[0], triangles.shape[0]
    total_triangles, pixels = batch * triangle_count, batch * height * width
    # [B T, 9]: x y z of the three corners
    corners = tf.reshape(tf.gather(projected, triangles, axis=1), [-1, 9])
    columns, rows = _candidates(corners, 0, width), _candidates(corners, 1, height)
    counts = tf.where(_drawable(corners), columns[1] * rows[1], 0)
    ends = _running_sum(tf.cast(counts, tf.int64))
    starts = ends - tf.cast(counts, tf.int64)
    block = tf.clip_by_value(_BLOCK_PER_TRIANGLE * total_triangles, _SMALLEST_BLOCK, _LARGEST_BLOCK)
    if isinstance(total_triangles, int):
        block = min(max(_BLOCK_PER_TRIANGLE * total_triangles, _SMALLEST_BLOCK), _LARGEST_BLOCK)
    end = tf.reduce_sum(tf.cast(counts, tf.int64))

    def draw(first: tf.Tensor, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        relative = tf.cast(tf.clip_by_value(starts - first, -_HIGHEST_INDEX, tf.cast(block, tf.int64)), tf.int32)
        flags = tf.tensor_scatter_nd_add(
            tf.zeros([block + 1], tf.int32),
            tf.maximum(relative, 0)[:, None],
            tf.ones_like(relative),
        )
        # A triangle without candidates starts where the next one does, and is passed over.
        triangle = tf.minimum(_running_sum(flags[:-1]) - 1, total_triangles - 1)
        sample = tf.range(block)
        pixel, key = _test(
            tf.gather(corners, triangle),
            sample - tf.gather(relative, triangle),
            triangle,
            triangle_count,
            height,
            width,
        )
        pixel = tf.where(first + tf.cast(sample, tf.int64) < end, pixel, -1)
        image = tf.tensor_scatter_nd_max(image, tf.where(pixel < 0, pixels, pixel)[:, None], key)
        return first + tf.cast(block, tf.int64), image

    nothing = tf.fill([pixels + 1], tf.int64.min)
    _, image = tf.while_loop(lambda first, _: first < end, draw, [tf.zeros([], tf.int64), nothing])
    image = tf.reshape(image[:-1], [batch, height, width])
    index = _HIGHEST_INDEX - tf.cast(tf.bitwise.bitwise_and(image, _HIGHEST_INDEX), tf.int32)
    return tf.where(image == tf.int64.min, -1, index)


def _candidates(corners: tf.Tensor, axis: int, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """First pixel and number of pixels along an axis whose centres lie within triangles' bounds, `[N]` int32 each."""
    a, b, c = corners[:, axis], corners[:, 3 + axis], corners[:, 6 + axis]
    low, high = tf.minimum(tf.minimum(a, b), c), tf.maximum(tf.maximum(a, b), c)
    first = tf.math.ceil(tf.clip_by_value(low - 0.5, 0.0, float(size)))
    last = tf.math.floor(tf.clip_by_value(high - 0.5, -1.0, size - 1.0))
    return tf.cast(first, tf.int32), tf.cast(tf.maximum(last - first + 1.0, 0.0), tf.int32)


def _drawable(corners: tf.Tensor) -> tf.Tensor:
    """`[N]` bool: finite and not degenerate."""
    ux, uy = corners[:, 3] - corners[:, 0], corners[:, 4] - corners[:, 1]
    vx, vy = corners[:, 6] - corners[:, 0], corners[:, 7] - corners[:, 1]
    first, second = ux * vy, uy * vx
    finite = tf.reduce_sum(tf.abs(corners), axis=-1) < _LARGEST
    return tf.logical_and(finite, tf.abs(first - second) > _ROUNDING * (tf.abs(first) + tf.abs(second)))


def _test(
    corners: tf.Tensor, rank: tf.Tensor, triangle: tf.Tensor, triangle_count: Any, height: int, width: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Tests candidates: the `rank`-th pixel centre in the bounds of each sample's triangle.

    Args:
        corners: `[S, 9]` float32.
        rank: `[S]` int32.
        triangle: `[S]` int32 index over the batch.
        triangle_count: Triangles per image.
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        `[S]` int32 pixel over the batch, -1 for a miss, and `[S]` int64 key: the nearer, the higher; then the lower the index.
    """
    (first_x, columns), (first_y, _) = _candidates(corners, 0, width), _candidates(corners, 1, height)
    columns = tf.maximum(columns, 1)
    column, row = first_x + rank % columns, first_y + rank // columns
    px, py = tf.cast(column, tf.float32) + 0.5, tf.cast(row, tf.float32) + 0.5
    ax, ay, az, bx, by, bz, cx, cy, cz = tf.unstack(corners, axis=-1)
    ax, bx, cx, ay, by, cy = ax - px, bx - px, cx - px, ay - py, by - py, cy - py
    weights, positive, negative = [], True, True
    for left, right in ((bx * cy, by * cx), (cx * ay, cy * ax), (ax * by, ay * bx)):
        weight, slack = left - right, _ROUNDING * (tf.abs(left) + tf.abs(right))
        weights.append(weight)
        positive, negative = tf.logical_and(positive, weight >= -slack), tf.logical_and(negative, weight <= slack)
    u, v, w = weights
    total = u + v + w
    hit = tf.logical_and(tf.logical_or(positive, negative), total != 0)
    z = (u * az + v * bz + w * cz) / total
    z = tf.clip_by_value(z, tf.minimum(tf.minimum(az, bz), cz), tf.maximum(tf.maximum(az, bz), cz))
    bits = tf.bitcast(z, tf.int32)
    ordered = tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, _HIGHEST_INDEX), bits)
    index = tf.cast(_HIGHEST_INDEX - triangle % triangle_count, tf.int64)
    key = tf.bitwise.bitwise_or(tf.bitwise.left_shift(tf.cast(-1 - ordered, tf.int64), 32), index)
    pixel = (triangle // triangle_count * height + row) * width + column
    return tf.where(hit, pixel, -1), key


def _running_sum(values: tf.Tensor) -> tf.Tensor:
    """Inclusive running sum of `[N]` integers."""
    count = values.shape[0] if values.shape[0] is not None else tf.shape(values)[0]
    row_count = -(-count // _SCAN_WIDTH)
    rows = tf.reshape(tf.pad(values, [[0, row_count * _SCAN_WIDTH - count]]), [row_count, _SCAN_WIDTH])
    rows = tf.cumsum(rows, axis=1)
    before = rows[:, -1]
    if values.shape[0] is None or row_count <= _SCAN_WIDTH:
        before = tf.cumsum(before, exclusive=True)
    else:
        before = _running_sum(before) - before
    return tf.reshape(rows + before[:, None], [-1])[:count]
