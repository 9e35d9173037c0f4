"""Visibility of 76,000 triangles over 38,000 vertices at 224², one thread, by each backend.

`python -m benchmarks.visibility` prints the XLA backend's milliseconds: TensorFlow's threads can only be set in a new process.
"""

import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.harness import Measurement, median_milliseconds

SIZE = 224
REPEATS = 50


def dense_mesh() -> tuple[np.ndarray, np.ndarray]:
    """A closed, bumpy, head-sized mesh on the screen.

    Returns:
        `[1, 38000, 3]` float32 vertices in the image frame of 224² pixels, and `[75996, 3]` int32 triangles.
    """
    rings, segments = 190, 200
    polar = np.linspace(0.01, np.pi - 0.01, rings)[:, None]
    azimuth = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None]
    radius = 95 * (1 + 0.05 * np.sin(5 * polar) * np.cos(3 * azimuth))
    center = SIZE / 2
    x = center + 0.8 * radius * np.sin(polar) * np.cos(azimuth)
    y = center - radius * np.cos(polar)
    vertices = np.stack(np.broadcast_arrays(x, y, radius * np.sin(polar) * np.sin(azimuth)), axis=-1)
    first = np.arange(rings - 1)[:, None] * segments
    a, b = first + np.arange(segments), first + (np.arange(segments) + 1) % segments
    triangles = np.concatenate([np.stack([a, b, a + segments], -1), np.stack([b, b + segments, a + segments], -1)], 1)
    caps = [[base, base + index, base + index + 1] for base in (0, (rings - 1) * segments) for index in range(1, 199)]
    triangles = np.concatenate([triangles.reshape(-1, 3), caps])
    return vertices.reshape(1, -1, 3).astype(np.float32), triangles.astype(np.int32)


def numba_milliseconds() -> float:
    from trainer.rendering import visibility

    vertices, triangles = dense_mesh()
    return median_milliseconds(
        lambda: visibility.rasterize(vertices, triangles, SIZE, SIZE, "numba"), REPEATS, clock=time.process_time
    )


def xla_milliseconds() -> float:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.visibility"], env=environment, check=True, capture_output=True, text=True
    )
    return float(process.stdout.splitlines()[-1])


def xla_on_one_thread() -> float:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from trainer.rendering import visibility

    vertices, triangles = (tf.constant(part) for part in dense_mesh())
    draw = tf.function(
        lambda points, corners: visibility.rasterize(points, corners, SIZE, SIZE, "xla"), jit_compile=True
    )
    return median_milliseconds(lambda: draw(vertices, triangles).numpy(), REPEATS, clock=time.process_time)


MEASUREMENTS = (
    Measurement("visibility_numba_ms", "ms", numba_milliseconds, bar=2.0),
    Measurement("visibility_xla_ms", "ms", xla_milliseconds, bar=15.0),
)

if __name__ == "__main__":
    print(xla_on_one_thread())
