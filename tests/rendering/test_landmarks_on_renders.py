"""A render's landmarks, projected from the parameters, sit on the rendered features."""

import numpy as np
import pytest

from trainer import contract
from trainer.morphable.default import default_head
from trainer.rendering import camera as cameras
from trainer.rendering import lighting
from trainer.rendering.forward import render_image
from trainer.rendering.renderer import Renderer
from trainer.rendering.scene import Camera, Light

SIZE = 224
RADIUS = 3.0
"""Millimetres around a landmark within which a pixel shows it."""


def uniform_light():
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = lighting.UNIT_L00
    zero = np.zeros(3, np.float32)
    return Light(harmonics, np.float32([0, 0, 1]), zero, zero, np.float32(1))


def with_forward(vertices, colors, triangles, camera):
    return render_image(vertices, colors, triangles, camera, uniform_light(), (SIZE, SIZE), supersample=1).color


def with_renderer(vertices, colors, triangles, camera):
    light = uniform_light()
    fields = (getattr(light, name) for name in light.__dataclass_fields__)
    batch = Light(*(None if field is None else np.asarray(field)[None] for field in fields))
    view = None if camera.field_of_view is None else np.asarray(camera.field_of_view)[None]
    shot = Camera(camera.kind, camera.matrix[None], view)
    return Renderer(triangles, SIZE, SIZE)(vertices[None], colors[None], shot, batch).color[0].numpy()


@pytest.mark.parametrize("render", [with_forward, with_renderer])
@pytest.mark.parametrize("euler", [(0, 0, 0), (35, -10, 20), (-60, 15, -10)])
@pytest.mark.parametrize("kind", [contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE])
def test_landmarks_sit_on_the_rendered_features(render, euler, kind):
    """The head wears its own coordinates as colours, unlit: each pixel tells which point of the face it shows."""
    head = default_head()
    expression = np.zeros(len(head.expression_names), np.float32)
    expression[: min(20, len(expression))] = 0.3
    vertices = head.vertices(identity=np.float32([1.0, -1.0, 0.5]), expression=expression)
    low, high = vertices.min(0), vertices.max(0)
    colors = (vertices - low) / (high - low)
    euler = np.array(euler, np.float32)
    if kind == contract.SCALED_ORTHOGRAPHIC:
        shift = np.array([118, 105, 0], np.float32)
        camera = Camera(kind, cameras.scaled_orthographic_matrix(euler, np.float32(1.0), shift))
    else:
        camera = Camera(kind, cameras.perspective_matrix(euler, np.float32([5, -10, 500])), np.float32(25))
    shown = low + render(vertices, colors, head.triangles, camera) * (high - low)
    landmarks = head.landmark_points(vertices, "basel")
    projected = cameras.project(landmarks, camera.matrix, kind, camera.field_of_view, SIZE, SIZE)
    checked = 0
    for point, (x, y, _) in zip(landmarks, projected, strict=True):
        distance = np.linalg.norm(shown - point, axis=-1)
        weight = np.maximum(RADIUS - distance, 0)
        if (distance < RADIUS).sum() < 12 or distance.min() > 0.8:
            continue  # hidden, or on a surface seen nearly edge-on
        rows, columns = np.nonzero(weight)
        center = np.average(np.stack([columns, rows], -1) + 0.5, axis=0, weights=weight[rows, columns])
        assert np.linalg.norm(center - (x, y)) < 1.0
        checked += 1
    assert checked >= (28 if abs(euler[0]) < 50 else 15)
