"""Meshes to render: a dense closed one of the size of a head, and scenes around it."""

import numpy as np
import pytest

from trainer import contract
from trainer.rendering import camera, lighting
from trainer.rendering.scene import Camera, Light


def bumpy_sphere(rings: int, segments: int) -> tuple[np.ndarray, np.ndarray]:
    """`[V, 3]` float32 vertices, millimetres, and `[T, 3]` int32 triangles, counter-clockwise seen from outside."""
    polar, azimuth = np.meshgrid(
        np.linspace(0.02, np.pi - 0.02, rings), np.linspace(0, 2 * np.pi, segments, endpoint=False), indexing="ij"
    )
    radius = 95 * (1 + 0.05 * np.sin(5 * polar) * np.cos(3 * azimuth))
    vertices = np.stack(
        [
            0.8 * radius * np.sin(polar) * np.cos(azimuth),
            radius * np.cos(polar),
            radius * np.sin(polar) * np.sin(azimuth),
        ],
        axis=-1,
    )
    first = np.arange(rings - 1)[:, None] * segments
    a, b = first + np.arange(segments), first + (np.arange(segments) + 1) % segments
    c, d = a + segments, b + segments
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)], axis=2)
    return vertices.reshape(-1, 3).astype(np.float32), triangles.reshape(-1, 3).astype(np.int32)


@pytest.fixture(scope="session")
def dense_mesh():
    """38,000 vertices, 75,600 triangles."""
    return bumpy_sphere(190, 200)


@pytest.fixture(scope="session")
def head_mesh():
    """2,400 vertices, 4,680 triangles."""
    return bumpy_sphere(40, 60)


@pytest.fixture(scope="session")
def light():
    direction = np.array([0.6, 0.5, 0.62], np.float32)
    return Light(
        harmonics=0.6 * lighting.sample_harmonics(np.random.default_rng(0)),
        direction=direction / np.linalg.norm(direction),
        color=np.array([0.5, 0.45, 0.4], np.float32),
        specular=np.full(3, 0.06, np.float32),
        shininess=np.float32(12),
    )


@pytest.fixture(scope="session", params=[contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE])
def any_camera(request):
    """A camera of each kind that fills most of 96 × 96 pixels with a head."""
    euler = np.array([25, 10, 5], np.float32)
    if request.param == contract.SCALED_ORTHOGRAPHIC:
        shift = np.array([48, 48, 0], np.float32)
        return Camera(request.param, camera.scaled_orthographic_matrix(euler, np.float32(0.42), shift))
    return Camera(request.param, camera.perspective_matrix(euler, np.array([4, -3, 500], np.float32)), np.float32(27))
