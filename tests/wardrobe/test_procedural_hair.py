import dataclasses

import numpy as np
import pytest
from worn_parts import HAIR, check_surface, face_only, same, sampled

from trainer.morphable.default import default_head
from trainer.wardrobe import beard, hair_shells, head_grid, shells
from trainer.wardrobe.measures import measure


def bearded(kind: str, length: float = 10.0) -> beard.Style:
    return dataclasses.replace(
        beard.sample_style(np.random.default_rng(0)), kind=kind, length=length, cheek=0.0, neck=15.0
    )


@pytest.mark.parametrize("kind", beard.BEARDS)
@pytest.mark.parametrize(("seed", "sd"), [(0, 0.0), (1, 2.0), (2, 1.0)])
def test_beards_lie_on_the_skin(kind: str, seed: int, sd: float) -> None:
    model = default_head()
    vertices = sampled(model, seed, sd)
    head, grid = measure(model, vertices), head_grid.head_grid(model, "face")
    layers = beard.beard(model, vertices, bearded(kind), HAIR)
    points = grid.points(vertices, head)
    assert 2 <= len(layers) <= 3
    assert sum(len(layer.triangles) for layer in layers) <= 6500
    reach = []
    for layer in layers:
        check_surface(layer)
        assert layer.name == "beard"
        clearance = grid.clearance(points, head, layer.vertices)
        assert np.quantile(clearance, 0.02) > -2.0
        reach.append(np.median(clearance))
        assert layer.texture[..., 3].max() > 120
    assert reach == sorted(reach), "outer layers lie further out"
    assert reach[-1] < 15


def test_no_beard_on_the_lips() -> None:
    model = default_head()
    fields = beard._fields(model)
    for kind in beard.BEARDS:
        mask = beard.coverage(fields, bearded(kind))
        assert mask.min() >= 0
        assert mask.max() <= 1
        assert mask.max() > 0.7
        assert mask[fields.skin == 0].max() == 0
    lips = (np.abs(fields.aside) < 15) & (np.abs(fields.height) < 4)
    assert lips.any()
    assert (fields.skin[lips] == 0).all()


def test_kinds_grow_where_they_should() -> None:
    fields = beard._fields(default_head())
    grown = {kind: beard.coverage(fields, bearded(kind)) > 0.5 for kind in beard.BEARDS}
    above, below = (fields.height > 2) & (np.abs(fields.aside) < 20), fields.height < -8
    assert grown["moustache"][above].any()
    assert not grown["moustache"][below].any()
    assert grown["goatee"][below].any()
    assert not grown["goatee"][above].any()
    assert grown["full"].sum() > 3 * grown["goatee"].sum() > 0
    assert not grown["mutton chops"][np.abs(fields.aside) < 10].any()
    # Both sides alike.
    assert abs(int(grown["full"].sum()) - int(grown["full"][:, ::-1].sum())) == 0
    assert (grown["full"] != grown["full"][:, ::-1]).mean() < 0.02


def test_beards_move_with_the_jaw() -> None:
    model = default_head()
    shut, agape = (
        beard.beard(model, sampled(model, 1, mouth=m), bearded("goatee"), HAIR)[0].vertices for m in (0.0, 0.9)
    )
    assert agape.shape == shut.shape
    assert (agape[:, 1] - shut[:, 1]).mean() < -8


def test_long_beards_hang() -> None:
    model = default_head()
    low = [
        min(layer.vertices[:, 1].min() for layer in beard.beard(model, model.mean, bearded("full", length), HAIR))
        for length in (3.0, 40.0)
    ]
    assert 10 < low[0] - low[1] < 50


@pytest.mark.parametrize("kind", hair_shells.STYLES)
@pytest.mark.parametrize(("seed", "sd"), [(0, 0.0), (1, 2.0), (2, 1.0)])
def test_hair_lies_on_the_skull(kind: str, seed: int, sd: float) -> None:
    model = default_head()
    vertices = sampled(model, seed, sd)
    head, grid = measure(model, vertices), head_grid.head_grid(model, "skull")
    points = grid.points(vertices, head)
    layers = hair_shells.sample_hair_shells(model, vertices, np.random.default_rng(seed), HAIR, kind)
    assert sum(len(layer.triangles) for layer in layers) <= 6500
    for layer in layers:
        check_surface(layer)
        assert layer.name == "hair"
    cap = layers[0].vertices
    assert np.quantile(grid.clearance(points, head, cap), 0.02) > -1.5
    # It leaves eyes, nose and mouth free.
    everything = np.concatenate([layer.vertices for layer in layers])
    for place in (*head.eyes, head.bridge[3], head.mouth):
        assert not (np.linalg.norm(everything[:, :2] - place[:2], axis=1) < 8)[everything[:, 2] > place[2]].any()


def test_long_hair_falls_past_the_cheeks() -> None:
    model = default_head()
    head = measure(model, model.mean)
    for seed in range(4):
        layers = hair_shells.sample_hair_shells(model, model.mean, np.random.default_rng(seed), HAIR, "long")
        low = min(layer.vertices[:, 1].min() for layer in layers)
        assert low < head.chin[1] + 15


def test_hairline_rises_at_the_temples_when_it_recedes() -> None:
    model = default_head()
    head = shells.wrapped(model, model.mean, "skull")
    style = hair_shells.sample_style(np.random.default_rng(0))
    full, receding = (hair_shells.hairline(head, dataclasses.replace(style, recession=r)) for r in (0.0, 20.0))
    assert receding[8] - full[8] > 8
    assert np.abs(receding[36] - full[36]) < 1
    assert full[0] > full[18] > full[36], "forehead, ear, nape"


@pytest.mark.parametrize("make", [beard.sample_beard, hair_shells.sample_hair_shells])
def test_the_same_seed_gives_the_same_hair_on_any_model(make) -> None:
    for model in (default_head(), face_only()):
        first, again, other = (make(model, model.mean, np.random.default_rng(s), HAIR) for s in (5, 5, 9))
        assert same(first, again)
        assert not same(first, other)
        for surface in first:
            check_surface(surface)


def test_hair_has_its_colour() -> None:
    model = default_head()
    for make in (beard.sample_beard, hair_shells.sample_hair_shells):
        dark, red = (
            make(model, model.mean, np.random.default_rng(1), c)[0].colors.mean(0) for c in (HAIR, HAIR * [3, 1, 1])
        )
        assert red[0] / dark[0] == pytest.approx(3, rel=0.01)
        assert red[1] == pytest.approx(dark[1])


def test_unknown_hair_is_refused() -> None:
    model = default_head()
    with pytest.raises(ValueError, match="`kind` must be one of"):
        hair_shells.sample_hair_shells(model, model.mean, np.random.default_rng(0), HAIR, "mohawk")
