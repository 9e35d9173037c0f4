"""Cutting meshes off."""

import numpy as np

from trainer.wardrobe.cutting import cut_at, rim_edges, vertex_normals


def tube(rows: int = 5, columns: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """An open tube around y of radius 1, rows at y = 0, 1, …, outward triangles."""
    angle = np.arange(columns) * 2 * np.pi / columns
    ring = np.stack([np.sin(angle), np.zeros(columns), np.cos(angle)], axis=1)
    places = np.concatenate([ring + np.array([0, row, 0]) for row in range(rows)])
    triangles = []
    for row in range(rows - 1):
        for at in range(columns):
            a, b = row * columns + at, row * columns + (at + 1) % columns
            triangles += [(a, b, b + columns), (a, b + columns, a + columns)]
    return places, np.array(triangles)


def test_normals_point_out_of_a_tube():
    places, triangles = tube()
    normals = vertex_normals(places, triangles)
    outwards = places * [1, 0, 1]
    assert ((normals * outwards).sum(axis=1) > 0.9).all()


def test_a_cut_is_closed_where_it_was_made_and_nowhere_else():
    places, triangles = tube()
    uv = places[:, :2]
    kept, left, kept_uv = cut_at(1.5, places, triangles, uv, np.arange(len(places)))
    assert kept[:, 1].min() == 2
    assert len(kept) == len(kept_uv)
    rim = {vertex for edge in rim_edges(left) for vertex in edge}
    assert (kept[sorted(rim), 1] == 4).all(), "the upper end was open before and stays open"
    lid = left[(kept[left, 1] == 2).all(axis=1)]
    faces = np.cross(kept[lid[:, 1]] - kept[lid[:, 0]], kept[lid[:, 2]] - kept[lid[:, 0]])
    assert (faces[:, 1] < 0).all(), "the lid faces down, out of the tube"


def test_seams_of_the_texture_are_no_openings():
    places, triangles = tube()
    corners = triangles.ravel()
    split = np.arange(len(corners)).reshape(-1, 3)
    kept, left, _ = cut_at(1.5, places[corners], split, places[corners][:, :2], corners)
    lids = left[np.isclose(kept[left, 1], 2).all(axis=1)]
    assert len(lids) == 8


def test_nothing_above_is_nothing():
    places, triangles = tube()
    kept, left, uv = cut_at(9, places, triangles, places[:, :2], np.arange(len(places)))
    assert not len(kept)
    assert not len(left)
    assert not len(uv)
