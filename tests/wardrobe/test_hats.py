import numpy as np
import pytest
from worn_parts import check_surface, face_only, same, sampled

from trainer.morphable.default import default_head
from trainer.wardrobe import hats, head_grid, solids
from trainer.wardrobe.measures import measure


def outside(vertices: np.ndarray, triangles: np.ndarray, center: np.ndarray, places: np.ndarray) -> np.ndarray:
    """`[N]` how far places lie outside a mesh along their rays from the centre; -inf where the rays miss it."""
    away = (places - center).astype(np.float64)
    distance = np.linalg.norm(away, axis=1)
    a, b, c = (vertices[triangles[:, corner]].astype(np.float64) - center for corner in range(3))
    shares = np.stack([away @ np.cross(*pair).T for pair in ((b, c), (c, a), (a, b))])
    shares = shares / distance[:, None] / (a * np.cross(b, c)).sum(-1)
    hit = (shares >= 0).all(axis=0)
    outermost = np.where(hit, 1 / np.maximum(shares.sum(axis=0), 1e-12), -np.inf).max(axis=1)
    return np.where(np.isfinite(outermost), distance - outermost, -np.inf)


@pytest.mark.parametrize("kind", hats.HATS)
@pytest.mark.parametrize(("seed", "sd"), [(0, 0.0), (1, 2.0), (2, 2.0), (3, 1.0)])
def test_no_scalp_comes_through(kind: str, seed: int, sd: float) -> None:
    model = default_head()
    vertices = sampled(model, seed, sd)
    head = measure(model, vertices)
    center = head_grid.head_grid(model, "head").origin(head)
    worn = hats.sample_hats(model, vertices, np.random.default_rng(seed), kind)
    for surface in worn:
        check_surface(surface)
        assert surface.name == "hat"
        assert surface.opacity == 1
    assert sum(len(surface.triangles) for surface in worn) <= 3000
    mesh, triangles = solids.merged([(surface.vertices, surface.triangles) for surface in worn])
    scalp = vertices[vertices[:, 1] > head.brows[1] + 25]
    through = outside(mesh, triangles, center, scalp)
    assert np.isfinite(through).any()
    # At the brim, which is tucked in, cloth and skin meet.
    assert through.max() < 2.0
    assert through[scalp[:, 1] > head.brows[1] + 65].max() < 0
    if kind != "headband":
        assert np.isfinite(through).mean() > 0.5
        assert mesh[:, 1].max() > vertices[:, 1].max()


@pytest.mark.parametrize("kind", hats.HATS)
def test_faces_stay_free(kind: str) -> None:
    model = default_head()
    head = measure(model, model.mean)
    for seed in range(6):
        worn = hats.sample_hats(model, model.mean, np.random.default_rng(seed), kind)
        everything = np.concatenate([surface.vertices for surface in worn])
        for place in (*head.eyes, head.bridge[3], head.mouth):
            before = np.linalg.norm(everything[:, :2] - place[:2], axis=1) < 9
            assert not (everything[before, 2] > place[2]).any()


def test_hats_sit_by_the_eye_the_brow_is_the_lowest_they_reach() -> None:
    model = default_head()
    head = measure(model, model.mean)
    lowest = []
    for seed in range(20):
        hat = hats.sample_hats(model, model.mean, np.random.default_rng(seed), "beanie")[0].vertices
        lowest.append(hat[(np.abs(hat[:, 0]) < 15) & (hat[:, 2] > -20)][:, 1].min() - head.brows[1])
    assert min(lowest) > -3
    assert max(lowest) > 12
    assert min(lowest) < 10, "some are pulled down to the brows"


def test_the_same_seed_gives_the_same_hat() -> None:
    model = default_head()
    first, again, other = (hats.sample_hats(model, model.mean, np.random.default_rng(s)) for s in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)


def test_every_kind_is_drawn() -> None:
    model = face_only()
    counts = [len(hats.sample_hats(model, model.mean, np.random.default_rng(seed))) for seed in range(60)]
    assert min(counts) >= 1
    assert len(set(counts)) > 1
    assert set(hats.HATS) > hats.COVERS_HAIR


@pytest.mark.parametrize("kind", hats.HATS)
def test_they_fit_a_bare_face(kind: str) -> None:
    model = face_only()
    for surface in hats.sample_hats(model, model.mean, np.random.default_rng(1), kind):
        check_surface(surface)


def test_unknown_hats_are_refused() -> None:
    model = default_head()
    with pytest.raises(ValueError, match="`kind` must be one of"):
        hats.sample_hats(model, model.mean, np.random.default_rng(0), "crown")
