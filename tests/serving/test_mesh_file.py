"""The .obj, read back by trimesh."""

import io
from types import ModuleType

import numpy as np
import pytest

from serving.mesh_file import to_obj

trimesh = pytest.importorskip("trimesh")


def test_the_file_is_right_handed_with_the_nose_towards_the_viewer(fake: ModuleType) -> None:
    vertices, triangles = fake.head_mesh()
    placed = vertices * 50 + np.array([200, 300, 0], np.float32)
    mesh = trimesh.load(io.StringIO(to_obj(placed, triangles, "a face.jpg")), file_type="obj", process=False)
    assert (len(mesh.vertices), len(mesh.faces)) == (len(vertices), len(triangles))
    # Outward normals: the enclosed volume is positive, near a sphere's.
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 50**3, rel=0.05)
    # x stays; y and z turn round.
    np.testing.assert_allclose(mesh.vertices, placed * [1, -1, -1], atol=1e-3)
    nose = mesh.vertices[np.argmax(mesh.vertices[:, 2])]
    np.testing.assert_allclose(nose, [200, -300, 75], atol=1e-3)


@pytest.mark.parametrize(
    ("vertices", "triangles", "says"),
    [
        (np.zeros((3, 2)), np.zeros((1, 3), int), r"\[3, 2\]"),
        (np.zeros((3, 3)), np.zeros((1, 4), int), r"\[1, 4\]"),
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]]), "finite"),
        (np.zeros((3, 3)), np.array([[0, 1, 3]]), "index 3 vertices"),
        (np.zeros((3, 3)), np.array([[-1, 1, 2]]), "-1"),
    ],
)
def test_what_is_no_mesh_is_refused(vertices: np.ndarray, triangles: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        to_obj(vertices, triangles)


def test_the_name_cannot_break_the_file() -> None:
    text = to_obj(np.eye(3), np.array([[0, 1, 2]]), "x\nv 9 9 9")
    assert "\no x_v_9_9_9\n" in text
    assert text.count("\nv ") == 3
