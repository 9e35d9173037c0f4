import numpy as np
import pytest
from worn_parts import open_edges, volume

from trainer.wardrobe import fabric, shells, solids

UP = np.array([0.0, 1.0, 0.0])


def test_a_straight_tube_is_closed_and_has_its_volume() -> None:
    path = np.linspace([0.0, 0, 0], [0, 0, 40], 5)
    vertices, triangles = solids.tube(path, np.array([[3.0, 2.0]]), UP, sides=48)
    assert open_edges(triangles) == 0
    assert volume(vertices, triangles) == pytest.approx(np.pi * 3 * 2 * 40, rel=0.01)
    assert np.ptp(vertices[:, 0]) == pytest.approx(6, rel=0.01)
    assert np.ptp(vertices[:, 1]) == pytest.approx(4, rel=0.01)


def test_a_ring_is_closed_and_has_its_volume() -> None:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    path = np.stack([20 * np.sin(angle), 0 * angle, 20 * np.cos(angle)], axis=-1)
    vertices, triangles = solids.tube(path, np.array([[2.0, 2.0]]), UP, sides=24, closed=True)
    assert open_edges(triangles) == 0
    assert volume(vertices, triangles) == pytest.approx(2 * np.pi * 20 * np.pi * 4, rel=0.02)


def test_capsules_ellipsoids_and_slabs_are_closed_and_turned_outwards() -> None:
    path = np.linspace([0.0, 0, 0], [30, 5, 0], 4)
    frame = np.array([[0.0, 0, 4], [20, 0, 0], [0, 3, 0]])
    meshes = [
        solids.capsule(path, np.full(4, 5.0), np.array([0.0, 0, 1])),
        solids.ellipsoid(np.ones(3), np.array([3.0, 4, 5]), 15, 24),
        solids.ellipsoid(np.ones(3), frame, 15, 24),
        solids.slab(np.array([5.0, 6, 7]), frame),
    ]
    expected = [np.pi * 25 * 30, 4 / 3 * np.pi * 60, 4 / 3 * np.pi * 240, 8 * 240]
    for (vertices, triangles), size in zip(meshes, expected, strict=True):
        assert open_edges(triangles) == 0
        assert volume(vertices, triangles) == pytest.approx(size, rel=0.3)
    both = solids.merged(meshes[:2])
    assert open_edges(both[1]) == 0
    assert volume(*both) == pytest.approx(volume(*meshes[0]) + volume(*meshes[1]), rel=1e-4)


def test_a_dome_has_one_border_and_looks_outwards() -> None:
    angle = np.radians(np.arange(0, 360, 10))
    level = np.linspace(0, 1.4, 6)[:, None]
    rows = 50 * np.stack(
        np.broadcast_arrays(np.sin(angle) * np.cos(level), np.sin(level), np.cos(angle) * np.cos(level)), -1
    )
    vertices, triangles = shells.dome(rows)
    assert open_edges(triangles) == 36
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    assert ((np.cross(b - a, c - a) * (a + b + c)).sum(-1) > 0).all()


def test_the_brim_line_passes_through_its_points() -> None:
    line = shells.brim_line(np.array([0.0, 90, 180, 270]), 20.0, 10.0, -5.0)
    assert np.allclose(line, [20, 10, -5, 10])


def test_colors_vary_around_their_mean() -> None:
    vertices = np.random.default_rng(0).uniform(-100, 100, (2000, 3))
    colors = solids.tinted(np.array([0.2, 0.4, 0.1]), vertices, np.random.default_rng(1), 0.06)
    assert np.allclose(colors.mean(0), [0.2, 0.4, 0.1], rtol=0.05)
    assert 0.03 < (colors[:, 1] / 0.4).std() < 0.12


@pytest.mark.parametrize("kind", fabric.CLOTHS)
def test_cloth_is_near_white_and_opaque(kind: str) -> None:
    texture = fabric.cloth(kind, 1)
    assert texture.shape == (64, 64, 4)
    assert (texture[..., 3] == 255).all()
    assert 60 < texture[..., :3].mean() < 250
    assert texture[..., :3].std() > 4
    assert fabric.cloth(kind, 1) is texture


def test_unknown_cloth_is_refused() -> None:
    with pytest.raises(ValueError, match="`kind` must be one of"):
        fabric.cloth("velvet", 0)


def test_straight_strands_run_along_the_rows() -> None:
    straight = fabric.strands(96, 160, 0.9, 0.0, 0)[0]
    assert straight.min() == 0
    assert straight.max() == 1
    assert np.abs(np.diff(straight, axis=0)).mean() < 0.5 * np.abs(np.diff(straight, axis=1)).mean()


def test_hair_covers_its_share() -> None:
    reach, shade = fabric.strands(96, 160, 0.9, 0.0, 0)
    mask = np.ones((96, 160), np.float32)
    mask[:48] = 0
    texture = fabric.painted_strands(mask, reach, shade, 0.5, 0.0, 100.0, 255.0)
    assert (texture[48:, :, 3] == 0).all(), "the first row of the mask is the last of the texture"
    assert 0.4 < (texture[:48, :, 3] / 255).mean() < 0.65
    dense = fabric.painted_strands(mask, reach, shade, 0.5, 0.9, 100.0, 255.0)
    assert dense[:48, :, 3].min() >= 229
