import dataclasses

import numpy as np
import pytest
from morphable_parts import build_tiny_model
from worn_parts import face_only, sampled

from trainer.morphable.default import default_head
from trainer.wardrobe import head_grid
from trainer.wardrobe.measures import measure

MODELS = {"head": default_head, "face": face_only}


@pytest.mark.parametrize("name", head_grid.GRIDS)
@pytest.mark.parametrize("which", MODELS)
def test_the_mean_s_points_lie_on_their_rays(which: str, name: str) -> None:
    model = MODELS[which]()
    head, grid = measure(model, model.mean), head_grid.head_grid(model, name)
    away = grid.points(model.mean, head) - grid.origin(head)
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    assert np.abs(away / distance - grid.directions.vectors()).max() < 1e-4
    assert distance.min() > 8


def test_points_are_the_outside_of_the_head() -> None:
    model = default_head()
    head, grid = measure(model, model.mean), head_grid.head_grid(model, "head")
    assert not len(grid.missing)
    points = grid.points(model.mean, head)
    # Nothing of the head lies outside its grid by more than the grid's coarseness.
    scalp = model.mean[model.mean[:, 1] > 60]
    assert grid.clearance(points, head, scalp).max() < 1.5
    assert np.abs(grid.clearance(points, head, head.points[:27])).max() < 2.0


def test_points_follow_identity_and_expression() -> None:
    model = default_head()
    grid = head_grid.head_grid(model, "face")
    vertices = sampled(model, 3, mouth=0.8)
    head = measure(model, vertices)
    points = grid.points(vertices, head)
    assert np.abs(grid.clearance(points, head, head.points[3:14])).max() < 3.5
    closed = measure(model, sampled(model, 3))
    assert head.chin[1] < closed.chin[1] - 5
    assert abs(grid.clearance(points, head, head.chin[None])[0]) < 3.5


def test_a_face_without_skull_gets_one() -> None:
    model = face_only()
    head, grid = measure(model, model.mean), head_grid.head_grid(model, "skull")
    assert len(grid.missing) > 500
    points = grid.points(model.mean, head)
    whole = head_grid.head_grid(default_head(), "skull").points(default_head().mean, head)
    upper = grid.directions.elevations >= 10
    radius, real = (np.linalg.norm(item - grid.origin(head), axis=-1)[upper] for item in (points, whole))
    assert np.abs(radius - real).max() < 25
    # The seam between skin and skull has no step.
    assert np.abs(np.diff(radius, axis=1)).max() < 12


def test_without_ears_the_skull_is_narrower() -> None:
    model = default_head()
    head = measure(model, model.mean)
    grids = [head_grid.head_grid(model, name) for name in ("head", "skull")]
    outside, inside = (np.linalg.norm(grid.points(model.mean, head) - grid.origin(head), axis=-1) for grid in grids)
    at_ears = np.abs(np.abs(grids[0].directions.azimuths) - 107.5) < 15
    level = np.abs(grids[0].directions.elevations) < 25
    assert 8 < (outside - inside)[level][:, at_ears].max() < 40
    assert np.abs(outside - inside)[:, np.abs(grids[0].directions.azimuths) < 60].max() < 1e-3


def test_interpolation_wraps_and_meets_the_grid() -> None:
    directions = head_grid.GRIDS["head"]
    values = np.random.default_rng(0).normal(size=(35, 72, 2)).astype(np.float32)
    assert np.allclose(
        head_grid.at(directions, values, np.array([-175.0]), np.array([-80.0]))[0], values[1, 1], atol=1e-5
    )
    between = head_grid.at(directions, values, np.array([177.5, -182.5]), np.array([0.0, 0.0]))
    assert np.allclose(between, 0.5 * (values[17, 71] + values[17, 0]), atol=1e-5)
    held = head_grid.at(directions, values, np.array([0.0]), np.array([90.0]))
    assert np.allclose(held, values[-1, 36], atol=1e-5)


def test_cloth_is_never_inside_and_has_no_dents() -> None:
    directions = head_grid.GRIDS["head"]
    ball = (80 * directions.vectors()).astype(np.float32)
    dented = ball.copy()
    dented[10, 20] *= 0.8
    cloth = head_grid.smoothed(dented, np.zeros(3), 3)
    assert (np.linalg.norm(cloth, axis=-1) >= np.linalg.norm(dented, axis=-1) - 1e-3).all()
    assert np.linalg.norm(cloth[10, 20]) > 79.9
    assert np.allclose(head_grid.smoothed(ball, np.zeros(3), 3), ball, atol=1e-3)


def test_normals_of_a_ball_point_outwards() -> None:
    directions = head_grid.GRIDS["head"]
    normals = head_grid.normals(80 * directions.vectors(), wraps=True)
    assert (normals * directions.vectors()).sum(-1)[1:-1].min() > 0.99


def test_a_tiny_model_is_measured_and_bound() -> None:
    model = build_tiny_model(regions={})
    grid = head_grid.head_grid(model, "head")
    points = grid.points(model.mean, measure(model, model.mean))
    assert np.isfinite(points).all()


def test_measures_refuse_another_model_s_vertices() -> None:
    model = default_head()
    with pytest.raises(ValueError, match=r"`vertices` must be \[\d+, 3\], the model's"):
        measure(model, model.mean[:-1])


def test_outline_serves_where_basel_is_missing() -> None:
    model = dataclasses.replace(default_head(), landmarks={"outline": default_head().landmarks["outline"]})
    assert measure(model, model.mean).scale == pytest.approx(1.0, abs=0.1)
