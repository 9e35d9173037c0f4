import functools

import numpy as np
import pytest
import tensorflow as tf

from trainer.rendering import visibility


def numba_on_arrays(projected, triangles, height, width):
    return visibility.rasterize(projected, triangles, height, width, "numba")


def numba_in_a_graph(projected, triangles, height, width):
    draw = tf.function(lambda points, corners: visibility.rasterize(points, corners, height, width, "numba"))
    return draw(tf.constant(projected), tf.constant(triangles)).numpy()


def xla_ops(projected, triangles, height, width):
    return visibility.rasterize(tf.constant(projected), tf.constant(triangles), height, width, "xla").numpy()


@functools.lru_cache
def compiled(height, width):
    return tf.function(
        lambda points, corners: visibility.rasterize(points, corners, height, width, "xla"), jit_compile=True
    )


def xla_compiled(projected, triangles, height, width):
    return compiled(height, width)(tf.constant(projected), tf.constant(triangles)).numpy()


BACKENDS = [numba_on_arrays, numba_in_a_graph, xla_ops, xla_compiled]


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.__name__)
def rasterize(request):
    def draw(points, triangles, height=6, width=8):
        points = np.asarray(points, np.float32)
        single = points.ndim == 2
        ids = request.param(points[None] if single else points, np.asarray(triangles, np.int32), height, width)
        assert ids.dtype == np.int32
        assert ids.shape == ((1 if single else len(points)), height, width)
        return ids[0] if single else ids

    return draw


def picture(rows):
    """Triangle ids from text, `.` for nothing."""
    return np.array([[-1 if cell == "." else int(cell) for cell in row] for row in rows])


def test_one_triangle_covers_the_pixels_whose_centres_it_contains(rasterize):
    # The hypotenuse from (5, 1) to (1, 5) passes through the centres (4.5, 1.5) … (1.5, 4.5): on an edge counts as inside.
    ids = rasterize([[1, 1, 0], [5, 1, 0], [1, 5, 0]], [[0, 1, 2]])
    expected = picture(["........", ".0000...", ".000....", ".00.....", ".0......", "........"])
    np.testing.assert_array_equal(ids, expected)


def test_both_sides_are_drawn(rasterize):
    points = [[1, 1, 0], [5, 1, 0], [1, 5, 0]]
    np.testing.assert_array_equal(rasterize(points, [[0, 2, 1]]), rasterize(points, [[0, 1, 2]]))


def test_a_pixel_is_seen_at_its_centre_alone(rasterize):
    around = np.array([[-0.2, -0.2, 0], [0.2, -0.2, 0], [0, 0.3, 0]])
    assert rasterize(around + np.array([3.5, 2.5, 0]), [[0, 1, 2]])[2, 3] == 0
    assert (rasterize(around + np.array([3.5, 2.5, 0]), [[0, 1, 2]]) >= 0).sum() == 1
    assert (rasterize(around + np.array([3.0, 2.0, 0]), [[0, 1, 2]]) >= 0).sum() == 0, "between the centres"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_triangle_wins(rasterize, order):
    points = [[0, 0, 5], [8, 0, 5], [0, 6, 5], [0, 0, -5], [4, 0, -5], [0, 3, -5]]
    triangles = np.array([[0, 1, 2], [3, 4, 5]])[list(order)]
    ids = rasterize(points, triangles)
    near, far = order.index(1), order.index(0)
    assert ids[0, 0] == near
    assert ids[0, 6] == far
    assert ids[4, 0] == far


def test_crossing_triangles_swap_where_they_cross(rasterize):
    # z rises to the right in one and falls in the other; they meet at x = 4.
    points = [[-20, -20, -24], [28, -20, 24], [4, 40, 0], [-20, -20, 24], [28, -20, -24]]
    ids = rasterize(points, [[0, 1, 2], [3, 4, 2]])
    np.testing.assert_array_equal(ids, np.repeat([[0, 0, 0, 0, 1, 1, 1, 1]], 6, axis=0))


def test_equal_depth_goes_to_the_lowest_index(rasterize):
    points = [[0, 0, 1], [8, 0, 1], [0, 6, 1]]
    ids = rasterize(points, [[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    assert set(np.unique(ids)) == {-1, 0}


def test_negative_and_positive_depths_are_ordered(rasterize):
    base = np.array([[0, 0, 0], [8, 0, 0], [0, 6, 0]])
    depths = [3.0, -2.0, 0.5, -2.5, 0.0]
    points = np.concatenate([base + np.array([0, 0, depth]) for depth in depths])
    assert rasterize(points, np.arange(15).reshape(5, 3))[0, 0] == 3


def test_a_fan_leaves_no_gap(rasterize):
    # Edges at every slope meet at a pixel's centre and run through others; the triangles fill the picture.
    rng = np.random.default_rng(0)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 61))
    rim = np.stack([16.5 + 60 * np.cos(angles), 16.5 + 60 * np.sin(angles), np.zeros(61)], axis=-1)
    points = np.concatenate([[[16.5, 16.5, 0]], rim])
    triangles = [[0, 1 + index, 1 + (index + 1) % 61] for index in range(61)]
    assert (rasterize(points, triangles, 33, 33) >= 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_jittered_grid_leaves_no_gap(rasterize, seed):
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 33, 18), np.linspace(-1, 33, 18), indexing="ij")
    points = np.stack([x, y, np.zeros_like(x)], axis=-1)
    points[1:-1, 1:-1, :2] += rng.uniform(-0.6, 0.6, (16, 16, 2))
    index = np.arange(18 * 18).reshape(18, 18)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)])
    assert (rasterize(points.reshape(-1, 3), triangles, 32, 32) >= 0).all()


def test_one_triangle_fills_the_screen_and_small_ones_lie_on_it(rasterize):
    points = [[-500, -500, 9], [1000, -500, 9], [-500, 1000, 9], [2, 2, 1], [4, 2, 1], [2, 4, 1]]
    ids = rasterize(points, [[0, 1, 2], [3, 4, 5]], 64, 48)
    assert (ids == 1).sum() == 3
    assert (ids == 0).sum() == 64 * 48 - 3


def test_off_screen_triangles_draw_nothing(rasterize):
    base = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0]], float)
    points = np.concatenate([base + shift for shift in ((-9, 0, 0), (0, -9, 0), (20, 0, 0), (0, 20, 0), (-9, 20, 0))])
    assert (rasterize(points, np.arange(15).reshape(5, 3)) == -1).all()


def test_triangles_that_cross_the_border_are_cut(rasterize):
    ids = rasterize([[-4, -4, 0], [4, -4, 0], [-4, 4.1, 0]], [[0, 1, 2]])
    assert (ids >= 0).sum() == 0
    ids = rasterize([[-4, -4, 0], [6, -4, 0], [-4, 6, 0]], [[0, 1, 2]])
    np.testing.assert_array_equal(np.argwhere(ids == 0), [[0, 0], [0, 1], [1, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_vertex_that_is_nowhere_takes_its_triangles_with_it(rasterize, bad):
    good = [[0, 0, 5], [8, 0, 5], [0, 6, 5]]
    triangles = [[0, 1, 3], [3, 1, 2], [0, 3, 2], [0, 1, 2]]
    for axis in range(3):
        broken = np.array([3.0, 2.0, 0.0])
        broken[axis] = bad
        ids = rasterize([*good, broken], triangles)
        assert set(np.unique(ids)) == {-1, 3}


def test_degenerate_triangles_draw_nothing(rasterize):
    points = [[0.5, 0.5, 0], [4.5, 4.5, 0], [2.5, 2.5, 0], [7.5, 0.5, 0]]
    ids = rasterize(points, [[0, 1, 2], [0, 0, 1], [3, 3, 3], [0, 3, 3]])
    assert (ids == -1).all()


def test_a_batch_is_its_images(rasterize):
    rng = np.random.default_rng(5)
    points = rng.uniform(-2, 10, (3, 30, 3))
    triangles = rng.integers(0, 30, (40, 3))
    ids = rasterize(points, triangles)
    assert len(np.unique(ids)) > 10
    for image, expected in zip(points, ids, strict=True):
        np.testing.assert_array_equal(rasterize(image, triangles), expected)


def test_random_triangles_as_a_plain_search_finds_them(rasterize):
    rng = np.random.default_rng(6)
    points = rng.uniform(-5, 40, (60, 3)).astype(np.float32)
    triangles = rng.integers(0, 60, (50, 3)).astype(np.int32)
    height, width = 33, 37
    a, b, c = points[triangles].astype(np.float64).transpose(1, 0, 2)[:, :, None, None]
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)

    def edge(p, q):
        return (p[..., 0] - x) * (q[..., 1] - y) - (p[..., 1] - y) * (q[..., 0] - x)

    weights = np.stack([edge(b, c), edge(c, a), edge(a, b)])
    inside = (weights > 0).all(0) | (weights < 0).all(0)
    with np.errstate(invalid="ignore"):
        depth = (weights * np.stack([a, b, c])[..., 2]).sum(0) / weights.sum(0)
    depth = np.where(inside, depth, np.inf)
    expected = np.where(np.isfinite(depth.min(0)), depth.argmin(0), -1)
    np.testing.assert_array_equal(rasterize(points, triangles, height, width), expected)


def test_no_triangles_no_picture(rasterize):
    assert (rasterize(np.zeros((1, 3)), np.zeros((0, 3))) == -1).all()


def test_backends_agree_on_a_dense_mesh(dense_mesh):
    """At most 5 in 100,000 pixels may differ: on an edge both neighbours have the same depth, up to rounding."""
    vertices, triangles = dense_mesh
    rng = np.random.default_rng(0)
    screen = np.stack(
        [vertices * (1, -1, -1) + (112, 112, 0), vertices[:, [2, 1, 0]] * (0.9, -1, 1) + (100.3, 120.7, 0)]
    )
    screen = (screen + rng.normal(0, 0.05, screen.shape)).astype(np.float32)
    reference = numba_on_arrays(screen, triangles, 224, 224)
    assert 0.3 < (reference >= 0).mean() < 0.9
    other = xla_compiled(screen, triangles, 224, 224)
    assert (reference != other).mean() <= 5e-5
    np.testing.assert_array_equal(reference >= 0, other >= 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"projected": np.zeros((4, 3), np.float32)}, r"projected.*\(4, 3\)"),
        ({"triangles": np.zeros((2, 4), np.int32)}, r"triangles.*\(2, 4\)"),
        ({"triangles": np.array([[0, 1, 4]], np.int32)}, "0 to 4"),
        ({"triangles": np.array([[-1, 1, 2]], np.int32)}, "-1 to 2"),
        ({"height": 0}, "height=0"),
        ({"backend": "opengl"}, "opengl"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {
        "projected": np.zeros((1, 4, 3), np.float32),
        "triangles": np.array([[0, 1, 2]], np.int32),
        "height": 4,
        "width": 4,
    }
    with pytest.raises(ValueError, match=message):
        visibility.rasterize(**{**arguments, **change})
