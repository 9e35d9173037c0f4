"""Rendering training faces: images per second of two worker processes, as Beam's `multi_processing` mode has them.

`python -m benchmarks.generation` prints where the CPU time of an image goes.
"""

import dataclasses
import functools
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Measurement

WORKERS, RUNS = 2, 5
WARM_UP, IMAGES = 800, 200
"""Images of each worker before the measurement, which also fill its pools of backgrounds, and in each of its runs."""

RECORD_VERTICES, RECORD_IDENTITY, RECORD_EXPRESSION = 38_000, 40, 10
"""The full record's mesh: as dense as Basel's cut face, and with 2DASL's coefficients."""

RECORD = {"preset": "tu2019", "supersample": 1, "seed": 1}
WILD = {"preset": "wild", "seed": 1}


def record_model() -> Any:
    """The default head with 50 modes, its larger triangles split until it has `RECORD_VERTICES` vertices."""
    from trainer.morphable.default import default_head

    return denser(default_head().truncated(RECORD_IDENTITY, RECORD_EXPRESSION), RECORD_VERTICES)


def wild_model() -> Any:
    """The default head."""
    from trainer.morphable.default import default_head

    return default_head()


def denser(model: Any, vertices: int) -> Any:
    """A model whose largest triangles are split into four until it has about so many vertices; landmarks stay where they are."""
    from trainer.morphable.model import LandmarkSet

    corners = model.mean[model.triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    kept = np.zeros(len(areas), bool)
    for points in model.landmarks.values():
        kept[points.triangles] = True
    areas[kept] = 0
    chosen = np.argsort(-areas)
    low, high = 0, len(areas)
    while high - low > 1:  # the number of new vertices grows with the number of split triangles
        middle = (low + high) // 2
        edges = np.unique(np.sort(_edges(model.triangles[chosen[:middle]]), axis=1), axis=0)
        low, high = (middle, high) if model.vertex_count + len(edges) <= vertices else (low, middle)
    split = model.triangles[chosen[:low]]
    edges, middles = np.unique(np.sort(_edges(split), axis=1), axis=0, return_inverse=True)
    ab, bc, ca = model.vertex_count + middles.reshape(3, -1)
    a, b, c = split.T
    parts = [np.stack(part, axis=1) for part in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    rest = np.sort(chosen[low:])

    def filled(values: np.ndarray, axis: int) -> np.ndarray:
        halves = np.take(values, edges[:, 0], axis) / 2 + np.take(values, edges[:, 1], axis) / 2
        return np.concatenate([values, halves], axis)

    return dataclasses.replace(
        model,
        triangles=np.concatenate([model.triangles[rest], *parts]).astype(np.int32),
        landmarks={
            name: LandmarkSet(np.searchsorted(rest, points.triangles).astype(np.int32), points.barycentrics)
            for name, points in model.landmarks.items()
        },
        regions={name: filled(values, 0) for name, values in model.regions.items()},
        mirror=np.arange(model.vertex_count + len(edges), dtype=np.int32),
        **{name: filled(getattr(model, name), 0) for name in ("mean", "albedo_mean", "uv")},
        **{name: filled(getattr(model, name), 1) for name in ("identity", "expression", "albedo")},
    )


def images_per_second(values: dict[str, Any], make_model: Callable[[], Any]) -> float:
    """Median over `RUNS` runs of the examples that `WORKERS` processes render and write in a second.

    Args:
        values: The data set.
        make_model: Makes the face model in each process.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WORKERS)
    with context.Pool(WORKERS, _prepare, (values, make_model, barrier)) as pool:
        spans = pool.map(_work, range(WORKERS), chunksize=1)
    runs = ([start for start, _ in run] + [stop for _, stop in run] for run in zip(*spans, strict=True))
    return statistics.median(WORKERS * IMAGES / (max(times) - min(times)) for times in runs)


def _prepare(values: dict[str, Any], make_model: Callable[[], Any], barrier: Any) -> None:
    """Loads what a worker needs, once."""
    global _context
    import threadpoolctl

    from components.synthetic_face_gen.config import SyntheticFaceConfig

    threadpoolctl.threadpool_limits(1)
    _context = (SyntheticFaceConfig.from_values(values), make_model(), barrier)


def _work(worker: int) -> list[tuple[float, float]]:
    """Renders and writes; gives when each run began and ended."""
    from components import records
    from components.synthetic_face_gen.example import render_example

    config, model, barrier = _context
    numbers = iter(range(worker * (WARM_UP + RUNS * IMAGES), config.count))
    for _ in range(WARM_UP):
        render_example(config, model, next(numbers))
    spans = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS):
            barrier.wait()
            start = time.perf_counter()
            shard = records.Shard(records.TRAIN, run, RUNS)
            records.write_shard(folder, shard, (render_example(config, model, next(numbers)) for _ in range(IMAGES)))
            spans.append((start, time.perf_counter()))
    return spans


def _edges(triangles: np.ndarray) -> np.ndarray:
    """`[3 T, 2]` the edges ab, bc, ca of all triangles."""
    return np.concatenate([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])


_context: tuple[Any, Any, Any]


def stages(values: dict[str, Any], make_model: Callable[[], Any]) -> dict[str, float]:
    """CPU milliseconds of an image by stage, in this process.

    Args:
        values: The data set.
        make_model: Makes the face model.
    """
    import threadpoolctl

    from components.synthetic_face_gen import example, image_chain, studio
    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from trainer import examples

    config, model = SyntheticFaceConfig.from_values(values), make_model()
    places = (
        (studio.Sampler, "sample"),
        (studio.Backgrounds, "sample"),
        (studio, "dress"),
        (studio, "render_scene"),
        (image_chain, "develop"),
        (studio, "landmark_visibility_in"),
        (examples, "encode"),
    )
    spent = dict.fromkeys([f"{place.__name__.rpartition('.')[2]}.{name}" for place, name in places], 0.0)
    originals = [getattr(place, name) for place, name in places]

    def timed(function: Callable[..., Any], key: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*arguments: Any, **settings: Any) -> Any:
            start = time.thread_time()
            try:
                return function(*arguments, **settings)
            finally:
                spent[key] += 1000 * (time.thread_time() - start) / IMAGES

        return wrapper

    with threadpoolctl.threadpool_limits(1):
        for index in range(WARM_UP):
            example.render_example(config, model, index)
        try:
            for (place, name), key, original in zip(places, spent, originals, strict=True):
                setattr(place, name, timed(original, key))
            start = time.thread_time()
            for index in range(WARM_UP, WARM_UP + IMAGES):
                example.render_example(config, model, index)
            spent["whole"] = 1000 * (time.thread_time() - start) / IMAGES
        finally:
            for (place, name), original in zip(places, originals, strict=True):
                setattr(place, name, original)
    return spent


MEASUREMENTS = (
    Measurement(
        "record_images_per_second",
        "images/s",
        lambda: images_per_second(RECORD, record_model),
        bar=200.0,
        higher_is_better=True,
    ),
    Measurement(
        "wild_images_per_second",
        "images/s",
        lambda: images_per_second(WILD, wild_model),
        bar=200.0,
        higher_is_better=True,
    ),
)

if __name__ == "__main__":
    for title, measured, maker in (("record", RECORD, record_model), ("wild", WILD, wild_model)):
        parts = stages(measured, maker)
        print(f"{title}, CPU ms an image: " + ", ".join(f"{key} {value:.2f}" for key, value in parts.items()))
