import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from trainer import contract
from trainer.rendering import camera, lighting
from trainer.rendering.forward import render_image
from trainer.rendering.scene import Camera, Light

FRONTAL = Camera(
    contract.SCALED_ORTHOGRAPHIC,
    camera.scaled_orthographic_matrix(np.zeros(3, np.float32), np.float32(1), np.array([8, 8, 0], np.float32)),
)
SQUARE = np.array([[-4, -4, 0], [4, -4, 0], [4, 4, 0], [-4, 4, 0]], np.float32)
SQUARE_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
ORANGE = np.tile(np.float32([0.8, 0.4, 0.2]), (4, 1))


def parallel(direction, color=(1, 1, 1), specular=(0, 0, 0), shininess=1.0, environment=0.0):
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = environment * lighting.UNIT_L00
    return Light(harmonics, *(np.float32(value) for value in (direction, color, specular, shininess)))


def test_uniform_light_shows_the_albedo_and_coverage_is_the_share_of_the_pixel():
    half = SQUARE + np.float32([0.5, 0, 0])
    image = render_image(
        half, ORANGE, SQUARE_TRIANGLES, FRONTAL, parallel((0, 0, 1), (0, 0, 0), environment=1), (16, 16)
    )
    np.testing.assert_allclose(image.color[8, 8], ORANGE[0], atol=1e-5)
    np.testing.assert_allclose(image.mask[8], [0] * 4 + [0.5] + [1] * 7 + [0.5] + [0] * 3)
    np.testing.assert_allclose(image.color[8, 4], ORANGE[0] / 2, atol=1e-5)


@pytest.mark.parametrize(
    ("direction", "share"), [((0, 0, 1), 1), ((0.6, 0, 0.8), 0.8), ((0, 1, 0), 0), ((0, 0, -1), 0)]
)
def test_lambert(direction, share):
    image = render_image(SQUARE, ORANGE, SQUARE_TRIANGLES, FRONTAL, parallel(direction, (0.5, 1, 2)), (16, 16))
    np.testing.assert_allclose(image.color[8, 8], share * ORANGE[0] * (0.5, 1, 2), atol=1e-6)


def test_phong_by_hand():
    # Light 30° off the normal, the viewer on it: the mirror direction is 30° off the view.
    towards, cosine = (0.5, 0, np.sqrt(0.75)), np.sqrt(0.75)
    light = parallel(towards, (1, 0.5, 1), specular=(0.1, 0.1, 0.2), shininess=10)
    image = render_image(SQUARE, 0 * ORANGE, SQUARE_TRIANGLES, FRONTAL, light, (16, 16))
    expected = np.array([1, 0.5, 1]) * [0.1, 0.1, 0.2] * cosine * 6 * cosine**10
    np.testing.assert_allclose(image.color[8, 8], expected, rtol=1e-4)


def test_the_back_is_lit_as_a_surface_that_faces_the_viewer():
    turned = np.ascontiguousarray(SQUARE_TRIANGLES[:, ::-1])
    light = parallel((0, 0, 1))
    front, back = (
        render_image(SQUARE, ORANGE, corners, FRONTAL, light, (16, 16)) for corners in (SQUARE_TRIANGLES, turned)
    )
    np.testing.assert_allclose(front.color, back.color, atol=1e-6)


def test_light_from_the_right_and_above_lights_the_right_and_the_top(head_mesh):
    vertices, triangles = head_mesh
    colors = np.full_like(vertices, 0.5)
    matrix = camera.scaled_orthographic_matrix(np.float32([70, 0, 0]), np.float32(0.4), np.float32([48, 48, 0]))
    for direction, brighter in (((1, 0, 0), (48, 75)), ((0, 1, 0), (20, 48))):
        image = render_image(vertices, colors, triangles, Camera(FRONTAL.kind, matrix), parallel(direction), (96, 96))
        row, column = brighter
        assert image.color[row, column, 0] > 0.2
        assert image.color[95 - row, 95 - column, 0] == 0


def test_background_is_seen_through_what_the_mesh_leaves(head_mesh, light, any_camera):
    vertices, triangles = head_mesh
    background = np.random.default_rng(0).uniform(0, 1, (96, 96, 3)).astype(np.float32)
    arguments = (vertices, np.full_like(vertices, 0.5), triangles, any_camera, light, (96, 96))
    plain, composed = render_image(*arguments), render_image(*arguments, background=background)
    np.testing.assert_array_equal(composed.color[plain.mask == 0], background[plain.mask == 0])
    np.testing.assert_array_equal(composed.color[plain.mask == 1], plain.color[plain.mask == 1])
    partly = (plain.mask > 0) & (plain.mask < 1)
    assert partly.sum() > 50
    np.testing.assert_allclose(
        composed.color[partly], (plain.color + (1 - plain.mask[..., None]) * background)[partly], atol=1e-6
    )


def test_depth_is_the_image_frames_z_of_what_is_seen(head_mesh, light, any_camera):
    vertices, triangles = head_mesh
    image = render_image(vertices, np.full_like(vertices, 0.5), triangles, any_camera, light, (96, 96), supersample=1)
    points = camera.project(vertices, any_camera.matrix, any_camera.kind, any_camera.field_of_view, 96, 96)
    seen = image.triangle_ids >= 0
    assert np.isinf(image.depth[~seen]).all()
    corners = points[triangles[image.triangle_ids[seen]]][..., 2]
    assert (image.depth[seen] >= corners.min(1) - 1e-3).all()
    assert (image.depth[seen] <= corners.max(1) + 1e-3).all()
    nearest = vertices[points[:, 2].argmin()]
    assert image.depth.min() == pytest.approx(points[:, 2].min(), abs=0.3), nearest


def test_samples_converge(head_mesh, light, any_camera):
    vertices, triangles = head_mesh
    colors = np.clip(0.5 + 0.4 * np.sin(vertices / 15), 0, 1).astype(np.float32)
    images = [
        render_image(vertices, colors, triangles, any_camera, light, (96, 96), samples).color for samples in (1, 2, 8)
    ]
    errors = [np.abs(image - images[2]).mean() for image in images[:2]]
    assert errors[1] < 0.6 * errors[0]


def test_threads_change_no_bit(head_mesh, light, any_camera):
    vertices, triangles = head_mesh

    def render(_):
        image = render_image(vertices, np.full_like(vertices, 0.5), triangles, any_camera, light, (96, 96))
        return b"".join(np.ascontiguousarray(part).tobytes() for part in image)

    alone = render(0)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(render, range(16))) == {alone}


def test_data_workers_do_not_load_tensorflow():
    program = (
        "import sys; import trainer.rendering.forward, trainer.rendering.color, trainer.rendering.visibility;"
        "heavy = {'tensorflow', 'keras'} & set(sys.modules); sys.exit(repr(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertices": np.zeros((4, 2), np.float32)}, "vertices"),
        ({"colors": np.zeros((3, 3), np.float32)}, "colors"),
        ({"triangles": np.array([[0, 1, 9]])}, "0 to 9"),
        ({"size": (0, 5)}, "size"),
        ({"supersample": 0}, "supersample"),
        ({"background": np.zeros((5, 5, 3))}, "background"),
        ({"camera": Camera(FRONTAL.kind, FRONTAL.matrix[None])}, "camera"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {
        "vertices": SQUARE,
        "colors": ORANGE,
        "triangles": SQUARE_TRIANGLES,
        "camera": FRONTAL,
        "light": parallel((0, 0, 1)),
        "size": (16, 16),
    }
    with pytest.raises(ValueError, match=message):
        render_image(**{**arguments, **change})


def test_wrong_cameras_are_named():
    with pytest.raises(ValueError, match="fisheye"):
        dataclasses.replace(FRONTAL, kind="fisheye")
    with pytest.raises(ValueError, match="field_of_view"):
        Camera(contract.PERSPECTIVE, FRONTAL.matrix)
    with pytest.raises(ValueError, match="matrix"):
        Camera(contract.SCALED_ORTHOGRAPHIC, np.zeros((4, 4)))
