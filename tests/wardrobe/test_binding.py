"""Bindings: things stay where they were hung, and go where their head goes."""

import numpy as np
import pytest

from trainer.wardrobe.binding import Binding, similarity

HEAD = np.array([[-2, 0, 0], [2, 0, 0], [0, 3, 0], [0, 1, 4], [-1, 1, 2], [1, 1, 2]], np.float32)
MIRROR = np.array([1, 0, 2, 3, 5, 4])
CORNERS = np.array([[0, 1, 2], [4, 2, 3], [0, 4, 3]])
WEIGHTS = np.array([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [1, 0, 0]], np.float32)
OFFSETS = np.array([[0, 0, 1], [-30, 5, 2], [0.5, -0.5, 0]], np.float32)


def anchored() -> Binding:
    return Binding(CORNERS, WEIGHTS, OFFSETS, np.arange(6), HEAD)


def on_surface() -> Binding:
    return Binding(CORNERS, WEIGHTS, OFFSETS)


def turned(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    matrix, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))
    return matrix * np.sign(np.linalg.det(matrix)) * scale, np.array([4.0, -2.0, 9.0])


def test_anchored_things_are_where_they_were_hung():
    expected = np.einsum("nc,ncd->nd", WEIGHTS, HEAD[CORNERS]) + OFFSETS
    np.testing.assert_allclose(anchored().place(HEAD), expected, atol=1e-4)


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.3])
def test_anchored_things_turn_and_grow_with_the_head(scale):
    matrix, shift = turned(scale)
    np.testing.assert_allclose(
        anchored().place(HEAD @ matrix.T + shift), anchored().place(HEAD) @ matrix.T + shift, atol=1e-3
    )


def test_things_on_the_surface_turn_with_their_triangle():
    matrix, shift = turned()
    np.testing.assert_allclose(
        on_surface().place(HEAD @ matrix.T + shift), on_surface().place(HEAD) @ matrix.T + shift, atol=1e-3
    )


def test_things_on_the_surface_use_edge_perpendicular_and_normal():
    # Triangle 0 1 2 lies in z = 0, its first edge along x: the frame is x, y, z.
    np.testing.assert_allclose(on_surface().place(HEAD)[0], np.float32([-0.5, 0.75, 1]), atol=1e-6)


def test_a_bound_vertex_follows_the_corners_of_its_triangle_and_no_others():
    binding = Binding(CORNERS, WEIGHTS, OFFSETS, np.array([0, 1, 2]), HEAD[:3])
    moved = HEAD.copy()
    moved[3] += [0, 0, 10]
    np.testing.assert_allclose(binding.place(moved) - binding.place(HEAD), [[0, 0, 0], [0, 0, 3], [0, 0, 0]], atol=1e-5)


def test_stretch_scales_anchored_offsets():
    base = anchored().place(HEAD, 0.0)
    np.testing.assert_allclose(anchored().place(HEAD, 2.0) - base, 2 * OFFSETS, atol=1e-4)


@pytest.mark.parametrize("binding", [anchored(), on_surface()], ids=["anchored", "surface"])
def test_a_mirrored_binding_is_in_the_mirror(binding):
    there = binding.mirrored(MIRROR)
    np.testing.assert_allclose(there.place(HEAD), binding.place(HEAD) * [-1, 1, 1], atol=1e-4)
    np.testing.assert_allclose(there.mirrored(MIRROR).place(HEAD), binding.place(HEAD), atol=1e-4)


def test_a_triangle_without_area_holds_things_without_offset():
    flat = np.zeros_like(HEAD)
    np.testing.assert_array_equal(on_surface().place(flat), np.zeros((3, 3)))


def test_similarity_is_never_a_reflection():
    found = similarity(HEAD, HEAD * [-1, 1, 1])
    assert np.linalg.det(found) > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"barycentrics": WEIGHTS[:2]}, "barycentrics"),
        ({"offsets": OFFSETS * np.nan}, "offsets"),
        ({"anchors": np.arange(2), "anchor_places": HEAD[:2]}, "three or more"),
        ({"anchors": np.arange(3)}, "together"),
    ],
)
def test_wrong_parts_are_refused(changes, message):
    parts = {"corners": CORNERS, "barycentrics": WEIGHTS, "offsets": OFFSETS} | changes
    with pytest.raises(ValueError, match=message):
        Binding(**parts)


def test_a_smaller_head_is_refused():
    with pytest.raises(ValueError, match="V above 5"):
        anchored().place(HEAD[:5])
