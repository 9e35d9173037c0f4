"""Heads to put procedural things on, and what can be asked of meshes."""

import dataclasses
import functools

import numpy as np

from trainer.morphable.default import default_head
from trainer.morphable.model import LandmarkSet, MorphableModel
from trainer.rendering.scene import Surface

SKIN = np.array([0.45, 0.24, 0.16])
HAIR = np.array([0.09, 0.045, 0.02])


@functools.lru_cache(maxsize=1)
def face_only() -> MorphableModel:
    """The default head's face, without skull, ears and neck, and without regions: what a Basel face is."""
    head = default_head()
    kept = (head.mean[:, 2] > -80) & (head.mean[:, 1] < 105) & (head.mean[:, 1] > -95)
    inside = kept[head.triangles].all(axis=1)
    for points in head.landmarks.values():
        inside[points.triangles] = True
    number = np.cumsum(inside) - 1
    landmarks = {
        name: LandmarkSet(number[points.triangles].astype(np.int32), points.barycentrics)
        for name, points in head.landmarks.items()
    }
    return dataclasses.replace(head, name="face", triangles=head.triangles[inside], landmarks=landmarks, regions={})


def sampled(model: MorphableModel, seed: int, sd: float = 1.0, mouth: float = 0.0) -> np.ndarray:
    """`[V, 3]` a head; with `sd` 2 every mode lies at 2 standard deviations, one way or the other."""
    rng = np.random.default_rng(seed)
    draw = rng.normal(size=len(model.identity)) if sd == 1 else sd * rng.choice([-1.0, 1.0], len(model.identity)) * 0.6
    expression = np.zeros(len(model.expression), np.float32)
    expression[model.expression_names.index("jawOpen")] = mouth
    return model.vertices(draw.astype(np.float32), expression)


def same(first: list[Surface], second: list[Surface]) -> bool:
    """Whether two lists of surfaces are the same to the last bit."""
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    return all(
        one.name == two.name
        and one.vertices.tobytes() == two.vertices.tobytes()
        and one.triangles.tobytes() == two.triangles.tobytes()
        and one.colors.tobytes() == two.colors.tobytes()
        and (one.texture is None) == (two.texture is None)
        and (one.texture is None or one.texture.tobytes() == two.texture.tobytes())
        and (one.opacity, one.gloss) == (two.opacity, two.gloss)
        for one, two in pairs
    )


def check_surface(surface: Surface) -> None:
    """Types, ranges and indices that the renderer relies on."""
    count = len(surface.vertices)
    assert surface.vertices.dtype == np.float32
    assert surface.vertices.shape == (count, 3)
    assert np.isfinite(surface.vertices).all()
    assert np.abs(surface.vertices).max() < 900
    assert surface.triangles.dtype == np.int32
    assert surface.triangles.shape[1] == 3
    assert surface.triangles.min() >= 0
    assert surface.triangles.max() < count
    assert surface.colors.dtype == np.float32
    assert surface.colors.shape == (count, 3)
    assert surface.colors.min() >= 0
    assert surface.colors.max() <= 1
    assert 0 <= surface.gloss <= 10
    if surface.texture is not None:
        assert surface.uv is not None
        assert surface.uv.dtype == np.float32
        assert surface.uv.shape == (count, 2)
        assert surface.uv.min() >= 0
        assert surface.uv.max() <= 1
        assert surface.texture.dtype == np.uint8
        assert surface.texture.shape[2] == 4


def open_edges(triangles: np.ndarray) -> int:
    """Directed edges that no other triangle walks the other way: 0 for a closed mesh of one orientation."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    walked = {(int(a), int(b)) for a, b in edges}
    return sum((b, a) not in walked for a, b in walked) + (len(edges) - len(walked))


def volume(vertices: np.ndarray, triangles: np.ndarray) -> float:
    """Of a closed mesh, mm³; positive where triangles are counter-clockwise seen from outside."""
    a, b, c = (vertices[triangles[:, corner]].astype(np.float64) for corner in range(3))
    return float((np.cross(a, b) * c).sum() / 6)
