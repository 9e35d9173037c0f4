import numpy as np

from trainer.morphable.openness import openness, visible_from


def grid(size, step, height):
    """A square grid in the plane z = height, its triangles seen from above counter-clockwise."""
    places = (np.arange(size) - (size - 1) / 2) * step
    x, y = np.meshgrid(places, places)
    vertices = np.stack([x, y, np.full_like(x, height)], -1).reshape(-1, 3)
    corner = (np.arange(size - 1)[:, None] * size + np.arange(size - 1)).ravel()
    a, b, c, d = corner, corner + 1, corner + size + 1, corner + size
    return vertices, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def test_a_plane_sees_the_whole_sky():
    assert openness(*grid(21, 2.0, 0.0)).min() > 0.95


def test_a_roof_hides_the_sky_the_more_the_nearer():
    floor, triangles = grid(21, 2.0, 0.0)
    middle = len(floor) // 2
    shares = []
    for height in (30.0, 12.0, 4.0):
        roof, over = grid(21, 2.0, height)
        vertices = np.concatenate([floor, roof])
        shares.append(openness(vertices, np.concatenate([triangles, over + len(floor)]))[middle])
    assert 0.9 > shares[0] > shares[1] > shares[2]
    assert shares[2] < 0.1
    # What a disc of half-angle t leaves of a cosine-weighted sky is 1 - sin² t; the roof is a square of 40 mm.
    assert abs(shares[0] - 30**2 / (30**2 + (40 / np.sqrt(np.pi)) ** 2)) < 0.12


def test_vertices_without_triangles_are_open():
    vertices, triangles = grid(5, 2.0, 0.0)
    assert openness(np.concatenate([vertices, [[0, 0, -9.0]]]), triangles)[-1] == 1


def test_what_lies_behind_is_hidden():
    floor, triangles = grid(11, 2.0, 0.0)
    roof, over = grid(5, 2.0, 8.0)
    vertices = np.concatenate([floor, roof])
    seen = visible_from(vertices, np.concatenate([triangles, over + len(floor)]), np.array([0.0, 0.0, 1.0]))
    assert seen[len(floor) :].all()
    hidden = (np.abs(floor[:, :2]) < 3).all(1)
    assert not seen[: len(floor)][hidden].any()
    assert seen[: len(floor)][(np.abs(floor[:, :2]) > 7).any(1)].all()
