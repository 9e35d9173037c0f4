import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from morphable_parts import build_tiny_model

from trainer import contract
from trainer.morphable.conformal_map import cotangent_weights, map_to_square, signed_areas, square_border
from trainer.morphable.default import default_head
from trainer.morphable.face_region import boundary_loops, face_region
from trainer.morphable.hole_span import ear_clipping, span_holes
from trainer.morphable.model import LandmarkSet
from trainer.morphable.uv_atlas import UvAtlas


def grid(count, height=None):
    """`count`² vertices on [-50, 50]² with heights of x and y, and their triangles, counter-clockwise from the front."""
    side = np.linspace(-50, 50, count)
    x, y = np.meshgrid(side, side)
    z = np.zeros_like(x) if height is None else height(x, y)
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    first = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    a, b, c, d = first, first + 1, first + count, first + count + 1
    return points, np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)]).astype(np.int32)


def model_of(points, triangles, landmark_triangles=None, **changes):
    """A face model of one mesh: no modes that matter, landmarks on the given triangles."""
    count = len(points)
    if landmark_triangles is None:
        landmark_triangles = np.linspace(0, len(triangles) - 1, 68).astype(np.int32)
    zero = np.zeros((1, count, 3), np.float32)
    fields = {
        "mean": points,
        "identity": np.concatenate([zero, zero]),
        "expression": zero,
        "albedo_mean": np.full((count, 3), 0.5),
        "albedo": zero,
        "triangles": triangles,
        "uv": np.zeros((count, 2)),
        "landmarks": {"basel": LandmarkSet(landmark_triangles, np.tile(np.float32([0.25, 0.25, 0.5]), (68, 1)))},
        "regions": {},
        "mirror": np.arange(count),
    }
    return build_tiny_model(**{**fields, **changes})


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def atlas(head):
    return UvAtlas.of(head)


@pytest.fixture(scope="module")
def faces(head):
    rng = np.random.default_rng(0)
    weights = rng.uniform(0, 0.6, (4, len(head.expression))) * (rng.uniform(size=(4, len(head.expression))) < 0.1)
    return head.vertices(rng.normal(size=(4, len(head.identity))), weights)


def test_cotangents_by_hand():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], float)
    weights = cotangent_weights(points, np.array([[0, 1, 2], [1, 3, 2]])).toarray()
    # Legs face 45° once, the diagonal faces 90° twice.
    expected = np.array([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0.5, 0, 0, 0.5], [0, 0.5, 0.5, 0]])
    np.testing.assert_allclose(weights, expected, atol=1e-12)
    with pytest.raises(ValueError, match="triangle 1"):
        cotangent_weights(points, np.array([[0, 1, 2], [1, 1, 2]]))


def test_border_by_arc_length():
    loop = np.array([[0, 3], [-1, 3], [-3, 3], [-3, 0], [-3, -3], [0, -3], [3, -3], [3, 2], [3, 3]], float)
    border = square_border(np.concatenate([loop, np.zeros((9, 1))], axis=1))
    np.testing.assert_allclose(border, (loop + 3) / 6, atol=1e-12)
    with pytest.raises(ValueError, match="x = 0"):
        square_border(np.concatenate([loop + np.array([10, 0]), np.zeros((9, 1))], axis=1))


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_a_flat_square_is_its_own_map(balance):
    points, triangles = grid(9)
    uv = map_to_square(points, triangles, tuple(boundary_loops(triangles)), balance)
    np.testing.assert_allclose(uv, points[:, :2] / 100 + 0.5, atol=1e-9)


def test_a_smooth_hill_is_mapped_with_its_angles_and_gets_room_on_demand():
    points, triangles = grid(41, lambda x, y: 60 * np.exp(-(x**2 + y**2) / 300))
    loops = tuple(boundary_loops(triangles))
    surface = np.linalg.norm(np.cross(*(points[triangles[:, i]] - points[triangles[:, 0]] for i in (1, 2))), axis=1)
    hill = np.linalg.norm(points[triangles].mean(axis=1)[:, :2], axis=1) < 15
    conformal, balanced = (map_to_square(points, triangles, loops, balance) for balance in (0.0, 1.0))
    share = surface[hill].sum() / surface.sum()
    room = [signed_areas(uv, triangles)[hill].sum() for uv in (conformal, balanced)]
    assert room[0] < 0.5 * share
    assert 0.7 * share < room[1] < 1.4 * share

    def angles(vertices):
        edges = [vertices[triangles[:, (i + 1) % 3]] - vertices[triangles[:, i]] for i in range(3)]
        lengths = [np.linalg.norm(edge, axis=1) for edge in edges]
        cosines = [-(edges[i] * edges[i - 1]).sum(1) / (lengths[i] * lengths[i - 1]) for i in range(3)]
        return np.degrees(np.arccos(np.clip(cosines, -1, 1)))

    off = [np.abs(angles(uv) - angles(points)).mean() for uv in (conformal, balanced)]
    assert off[0] < 8
    assert off[0] < off[1]


def test_obtuse_triangles_do_not_flip():
    """Plain cotangents are negative here, and flip some."""
    rng = np.random.default_rng(0)
    points, triangles = grid(25, lambda x, y: rng.normal(0, 12, x.shape) * (np.maximum(abs(x), abs(y)) < 50))
    assert (cotangent_weights(points, triangles).data < 0).sum() > 50
    for balance in (0.0, 1.0):
        areas = signed_areas(map_to_square(points, triangles, tuple(boundary_loops(triangles)), balance), triangles)
        assert areas.min() > 0
        assert areas.sum() == pytest.approx(1)


def test_holes_stay_open_and_are_spanned():
    points, triangles = grid(13, lambda x, y: x * y / 40)
    center = points[triangles].mean(axis=1)[:, :2]
    off = center - np.array([[[20, 10]], [[-20, -10]]])
    triangles = triangles[(np.abs(off) > np.array([[[12]], [[9]]])).any(axis=2).all(axis=0)]
    loops = sorted(boundary_loops(triangles), key=len, reverse=True)
    assert len(loops) == 3
    used, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3)
    loops = tuple(np.searchsorted(used, loop) for loop in loops)
    uv = map_to_square(points[used], local, loops)
    areas, spans = signed_areas(uv, local), span_holes(uv, loops[1:], None)
    assert areas.min() > 0
    assert signed_areas(uv, spans).min() > 0
    assert len(spans) == sum(len(loop) - 2 for loop in loops[1:])
    assert areas.sum() + signed_areas(uv, spans).sum() == pytest.approx(1)


def test_ears_are_clipped_off_a_hook():
    hook = np.array([[0, 0], [4, 0], [4, 3], [3, 3], [3, 1], [1, 1], [1, 3], [0, 3]], float)
    triangles = ear_clipping(hook, np.arange(8))
    areas = signed_areas(hook, triangles)
    assert areas.min() > 0
    assert areas.sum() == pytest.approx(12 - 4)
    with pytest.raises(ValueError, match="crosses itself"):
        ear_clipping(np.array([[0, 0], [1, 1], [1, 0], [0, 1]], float), np.arange(4))


def test_a_symmetric_hole_is_spanned_symmetrically():
    polygon = np.array([[0, -2], [2, -1], [3, 0], [1, 1], [0, 0.5], [-1, 1], [-3, 0], [-2, -1]], float)
    mirror = np.array([0, 7, 6, 5, 4, 3, 2, 1])
    spans = span_holes(polygon, (np.arange(8)[::-1],), mirror)
    assert {frozenset(row) for row in spans.tolist()} == {frozenset(row) for row in mirror[spans].tolist()}
    assert signed_areas(polygon, spans).min() > 0


def test_the_heads_face_has_ears_eyes_and_every_landmark(head, atlas):
    region = face_region(head)
    assert len(region.loops) >= 2, "the mouth is open"
    for landmark_set in contract.LANDMARK_SETS:
        assert np.isin(head.landmarks[landmark_set].triangles, region.triangle_ids).all()
    kept = np.isin(np.arange(head.vertex_count), region.vertex_ids)
    assert kept[head.regions["ears"] > 0.9].all()
    assert not kept[head.regions["eyeballs"] > 0.5].any()
    assert not kept[head.mean[:, 2] < -140].any(), "the back of the head is cut off"
    assert 5000 < kept.sum() < 11000
    np.testing.assert_array_equal(head.triangles[region.triangle_ids], region.vertex_ids[region.triangles])
    inside = atlas.landmark_coordinates
    assert (inside > 0.02).all()
    assert (inside < 0.98).all()
    # As in a picture of the face: the person's right eye to the left of the left one, brows over eyes over the chin.
    assert inside[36, 0] < 0.5 < inside[45, 0]
    assert inside[19, 1] > inside[37, 1] > inside[30, 1] > inside[8, 1]


def test_the_map_of_the_head_is_one_to_one_and_symmetric(head, atlas):
    assert signed_areas(atlas.coordinates, atlas.triangles).min() > 0
    outer = atlas.coordinates[face_region(head).loops[0]]
    assert np.minimum(outer, 1 - outer).min(axis=1).max() < 1e-12, "the outer edge lies on the square's border"
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        assert np.abs(outer - corner).sum(axis=1).min() < 1e-12
    positions = atlas.position_map(head.mean)
    np.testing.assert_allclose(positions[:, ::-1] * [-1, 1, 1], positions, atol=1e-3)


def test_mesh_to_map_and_back(head, atlas, faces):
    """Measured: 0.09 mm mean at 256², 0.44 without room for what sticks out; the bar is 0.2."""
    maps = atlas.position_map(faces)
    assert maps.shape == (4, 256, 256, 3)
    assert maps.dtype == np.float32
    error = np.linalg.norm(atlas.vertices_from(maps) - faces[:, atlas.vertex_ids], axis=-1)
    assert error.mean() < 0.15
    assert np.percentile(error, 95) < 0.6
    landmarks = np.linalg.norm(atlas.landmarks_from(maps) - head.landmark_points(faces), axis=-1)
    assert landmarks.mean() < 0.2


def test_pixels_lie_on_the_surface(atlas, head):
    np.testing.assert_allclose(atlas.pixel_weights.sum(-1), 1, atol=1e-6)
    assert atlas.pixel_weights.min() >= 0
    # The coordinates' own map is the grid.
    flat = np.zeros((head.vertex_count, 3))
    flat[atlas.vertex_ids, :2] = atlas.coordinates
    nodes = atlas.position_map(flat)
    side = np.linspace(0, 1, 256)
    np.testing.assert_allclose(nodes[..., 0], np.broadcast_to(side, (256, 256)), atol=1e-6)
    np.testing.assert_allclose(nodes[..., 1], np.broadcast_to(side[::-1, None], (256, 256)), atol=1e-6)


def test_tensors_gather_and_blend(atlas, faces):
    corners = tf.gather(tf.constant(faces), atlas.pixel_vertices, axis=1)
    maps = tf.einsum("bhwkd,hwk->bhwd", corners, atlas.pixel_weights)
    np.testing.assert_allclose(maps, atlas.position_map(faces), atol=1e-3)
    pixels = tf.gather(tf.reshape(maps, [4, -1, 3]), atlas.vertex_pixels, axis=1)
    vertices = tf.einsum("bnkd,nk->bnd", pixels, atlas.vertex_weights)
    np.testing.assert_allclose(vertices, atlas.vertices_from(atlas.position_map(faces)), atol=1e-3)


def test_normals_point_out_of_the_face(head, atlas, faces):
    normals = atlas.normal_map(faces)
    assert normals.shape == (4, 256, 256, 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-4)
    u, v = atlas.landmark_coordinates[30]
    assert normals[0, round((1 - v) * 255), round(u * 255), 2] > 0.7, "the nose's tip faces forwards"
    assert normals[:, 100:150, 20:40, 0].mean() < -0.3, "the right cheek faces the image's left"


def test_normals_of_a_sphere_are_the_directions_from_its_centre():
    points, triangles = grid(17, lambda x, y: np.sqrt(80**2 - x**2 - y**2))
    sphere = UvAtlas(model_of(points, triangles), 32)
    seen = sphere.position_map(points)
    expected = seen / np.linalg.norm(seen, axis=-1, keepdims=True)
    assert (sphere.normal_map(points) * expected).sum(-1)[2:-2, 2:-2].min() > 0.995


def test_weights_fall_off_from_the_landmarks_edges(atlas):
    """On a line they are the Gaussian of the distance to it."""
    weights = atlas.weight_map(sigma=0.05)
    assert weights.shape == (256, 256)
    assert weights.dtype == np.float32
    assert 0 < weights.min() < 1e-3
    for u, v in atlas.landmark_coordinates:
        assert weights[round((1 - v) * 255), round(u * 255)] > 0.99
    wide = atlas.weight_map(sigma=0.1)
    distance = np.sqrt(-2 * np.log(weights.astype(np.float64))) * 0.05
    near = distance < 0.15
    np.testing.assert_allclose(wide[near], np.exp(-(distance[near] ** 2) / 0.02), rtol=1e-3)
    slope = np.hypot(*np.gradient(distance * 255))
    assert np.median(slope[near & (distance > 0.01)]) == pytest.approx(1, abs=0.02), "a distance grows by 1 a pixel"
    np.testing.assert_allclose(weights, weights[:, ::-1], atol=0.02)


def test_a_face_alone_stays_whole():
    points, triangles = grid(15, lambda x, y: -(x**2 + y**2) / 80)
    region = face_region(model_of(points, triangles))
    assert len(region.loops) == 1
    # Of the four corners two are triangles with two sides on the edge, which have no place on a square's side.
    assert len(triangles) - 4 <= len(region.triangles) <= len(triangles)


def test_an_atlas_is_made_once(head):
    assert UvAtlas.of(head) is UvAtlas.of(dataclasses.replace(head, provenance={"other": "provenance"}))
    assert UvAtlas.of(head, 64) is not UvAtlas.of(head)
    assert UvAtlas.of(head, 64).position_map(head.mean).shape == (64, 64, 3)


def tube():
    """A closed surface without edge: a torus."""
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    u, v = np.meshgrid(turn, turn)
    points = np.stack([(50 + 20 * np.cos(v)) * np.cos(u), (50 + 20 * np.cos(v)) * np.sin(u), 20 * np.sin(v)], -1)
    i, j = (part.ravel() for part in np.meshgrid(np.arange(12), np.arange(12), indexing="ij"))
    a, b, c, d = i * 12 + j, i * 12 + (j + 1) % 12, (i + 1) % 12 * 12 + j, (i + 1) % 12 * 12 + (j + 1) % 12
    return points.reshape(-1, 3), np.concatenate([np.stack([a, b, d], -1), np.stack([a, d, c], -1)]).astype(np.int32)


def test_surfaces_that_are_no_disk_are_refused():
    points, triangles = tube()
    with pytest.raises(ValueError, match=r"disk with holes.*0 edges"):
        face_region(model_of(points, triangles))
    with pytest.raises(ValueError, match=r"disk with holes.*1 edges"):
        face_region(model_of(points, triangles[:-1], np.zeros(68, np.int32)))
    flat, mesh = grid(9)
    three = np.concatenate([mesh, mesh[:1, [1, 0, 2]]])
    with pytest.raises(ValueError, match="manifold"):
        face_region(model_of(flat, three))
    two = np.concatenate([mesh, mesh + len(flat)])
    split = np.concatenate([np.arange(34), np.arange(34) + len(mesh)]).astype(np.int32)
    with pytest.raises(ValueError, match="34 of 68"):
        face_region(model_of(np.concatenate([flat, flat + np.array([0, 0, 50])]), two, split))


def test_a_landmark_beside_the_face_is_at_the_nearest_vertex_or_refused():
    flat, mesh = grid(21)
    two = np.concatenate([mesh, mesh + len(flat)])
    where = np.linspace(0, len(mesh) - 1, 68).astype(np.int32)
    where[20] += len(mesh)
    for gap, fits in ((2.0, True), (30.0, False)):
        model = model_of(np.concatenate([flat, flat + np.array([0, 0, gap])]), two, where)
        if fits:
            place = UvAtlas(model, 16).landmark_coordinates[20]
            np.testing.assert_allclose(place, model.landmark_points(model.mean)[20, :2] / 100 + 0.5, atol=0.1)
        else:
            with pytest.raises(ValueError, match=r"landmark 20 is 3\d\.\d mm"):
                UvAtlas(model, 16)


def test_wrong_arguments_are_named(head, atlas, tiny_model):
    with pytest.raises(ValueError, match="size=1"):
        UvAtlas(head, 1)
    with pytest.raises(ValueError, match=r"landmark_set.*other"):
        face_region(head, "other")
    with pytest.raises(ValueError, match=r"position_map.*\(8, 8, 3\)"):
        atlas.vertices_from(np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match=r"vertices.*\(4, 3\)"):
        atlas.position_map(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="sigma=0"):
        atlas.weight_map(sigma=0)
    with pytest.raises(ValueError, match="disk with holes"):
        UvAtlas(tiny_model)


def test_ict(development_data):
    from trainer.morphable.readers.open_model import open_model

    if not (development_data / "ict").is_dir():
        pytest.skip(f"no ICT model at {development_data / 'ict'}")
    model = open_model(development_data / "ict")
    atlas = UvAtlas(model)
    assert signed_areas(atlas.coordinates, atlas.triangles).min() > 0
    faces = model.vertices(np.random.default_rng(0).normal(size=(3, len(model.identity))))
    error = np.linalg.norm(atlas.vertices_from(atlas.position_map(faces)) - faces[:, atlas.vertex_ids], axis=-1)
    assert error.mean() < 0.2
