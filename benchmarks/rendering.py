"""The default head, rendered by the forward renderer, bare and dressed, and, with gradients, by the differentiable one."""

import functools
import time

import numpy as np

from benchmarks.harness import Measurement, median_milliseconds
from trainer import contract
from trainer.rendering import camera, lighting
from trainer.rendering.scene import Camera, Light

BATCH, SIZE = 8, 224
EULER = (20.0, 5.0, 0.0)


def light() -> Light:
    direction = np.array([0.4, 0.5, 0.77], np.float32)
    return Light(
        harmonics=lighting.sample_harmonics(np.random.default_rng(0)),
        direction=direction / np.linalg.norm(direction),
        color=np.full(3, 0.4, np.float32),
        specular=np.full(3, 0.05, np.float32),
        shininess=np.float32(12),
    )


def matrix(size: int) -> np.ndarray:
    """The head, some 250 mm wide, over the width of the image."""
    shift = np.array([size / 2, size / 2, 0], np.float32)
    return camera.scaled_orthographic_matrix(np.array(EULER, np.float32), np.float32(size / 256), shift)


def forward_milliseconds() -> float:
    from trainer.morphable.default import default_head
    from trainer.rendering.forward import render_image

    head, lit = default_head(), light()
    vertices, colors = head.vertices(), head.albedo_colors()
    shot = Camera(contract.SCALED_ORTHOGRAPHIC, matrix(128))
    return median_milliseconds(
        lambda: render_image(vertices, colors, head.triangles, shot, lit, (128, 128), supersample=2),
        repeats=50,
        clock=time.process_time,
    )


def dressed_milliseconds(shadow: bool) -> float:
    """The default head in its wardrobe, light at vertices: the median over ten people of each one's median."""
    from trainer.morphable.default import default_head
    from trainer.morphable.skin import sample_skin, skin_colors
    from trainer.rendering.forward import render_scene
    from trainer.rendering.scene import Surface
    from trainer.wardrobe.dressing import WardrobeConfig, dress
    from trainer.wardrobe.wardrobe import default_wardrobe

    head, lit = default_head(), light()
    shot = Camera(contract.SCALED_ORTHOGRAPHIC, matrix(128))
    times = []
    for person in range(10):
        rng = np.random.default_rng(person)
        skin = sample_skin(rng)
        hair = np.array([0.08, 0.05, 0.03], np.float32)
        outfit = dress(default_wardrobe(), head, head.vertices(), rng, WardrobeConfig(), skin, hair)
        skinned = Surface("head", outfit.vertices, head.triangles, skin_colors(head, skin))
        surfaces = [skinned, *outfit.surfaces]
        times.append(
            median_milliseconds(
                functools.partial(
                    render_scene, surfaces, shot, lit, (128, 128), supersample=2, shadow=shadow, shading="vertex"
                ),
                repeats=15,
                clock=time.process_time,
            )
        )
    return float(np.median(times))


@functools.cache
def differentiable_milliseconds() -> tuple[float, float]:
    """Forward alone, and forward with backward to vertices, colours, camera and environment, on all cores."""
    import tensorflow as tf

    from trainer.morphable.default import default_head
    from trainer.rendering.renderer import Renderer

    head, lit = default_head(), light()
    render = Renderer(head.triangles, SIZE, SIZE, "numba")

    def batch(value: np.ndarray) -> "tf.Tensor":
        return tf.constant(np.stack([value] * BATCH).astype(np.float32))

    inputs = tuple(map(batch, (head.vertices(), head.albedo_colors(), matrix(SIZE), lit.harmonics)))
    others = tuple(map(batch, (lit.direction, lit.color, lit.specular, lit.shininess)))

    @tf.function
    def loss(vertices, colors, camera_matrix, harmonics):  # type: ignore[no-untyped-def]
        shot = Camera(contract.SCALED_ORTHOGRAPHIC, camera_matrix)
        return tf.reduce_mean(tf.square(render(vertices, colors, shot, Light(harmonics, *others)).color))

    @tf.function
    def gradient(*arguments):  # type: ignore[no-untyped-def]
        return [tf.convert_to_tensor(part) for part in tf.gradients(loss(*arguments), arguments)]

    forward = median_milliseconds(lambda: loss(*inputs).numpy(), repeats=9)
    return forward, median_milliseconds(lambda: gradient(*inputs)[0].numpy(), repeats=9)


MEASUREMENTS = (
    Measurement("render_forward_ms", "ms", forward_milliseconds),
    Measurement("render_dressed_ms", "ms", lambda: dressed_milliseconds(shadow=False)),
    Measurement("render_shadowed_ms", "ms", lambda: dressed_milliseconds(shadow=True)),
    Measurement("render_batch_ms", "ms", lambda: differentiable_milliseconds()[0]),
    Measurement(
        "render_gradient_ratio",
        "×",
        lambda: differentiable_milliseconds()[1] / differentiable_milliseconds()[0],
        bar=6.0,
    ),
)
