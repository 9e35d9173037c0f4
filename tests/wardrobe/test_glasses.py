import dataclasses

import numpy as np
import pytest
from worn_parts import check_surface, face_only, open_edges, same, sampled, volume

from trainer.morphable.default import default_head
from trainer.wardrobe import glasses, head_grid
from trainer.wardrobe.measures import measure

HEADS = [(0, 0.0), (1, 2.0), (2, 2.0), (3, 1.0), (4, 1.0)]


def styles(count: int) -> list[glasses.Style]:
    rng = np.random.default_rng(7)
    return [glasses.sample_style(rng) for _ in range(count)]


def test_styles_stay_in_their_ranges_and_cover_them() -> None:
    drawn = styles(400)
    assert {style.shape for style in drawn} == set(glasses.SHAPES)
    assert {style.frame for style in drawn} == set(glasses.FRAMES)
    assert {style.opacity for style in drawn if style.opacity > 0.2} == {0.5, 0.75, 1.0}
    assert all(0.05 <= style.opacity <= 0.14 for style in drawn if style.opacity <= 0.2)
    assert 0.15 < np.mean([style.opacity > 0.4 for style in drawn]) < 0.55, "some are sunglasses, most are not"
    assert all(38 <= style.lens_width <= 62 and 24 <= style.lens_height <= 56 for style in drawn)
    assert all(0.5 <= style.rim <= 3 for style in drawn)


@pytest.mark.parametrize("shape", glasses.SHAPES)
def test_outlines_go_round_once(shape: str) -> None:
    style = dataclasses.replace(styles(1)[0], shape=shape, lens_width=50.0, lens_height=40.0)
    outline = glasses.lens_outline(style)
    x, y = outline.T
    area = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    assert 0.6 * 50 * 40 < area < 1.15 * 50 * 40
    assert np.ptp(x) == pytest.approx(50, rel=0.12)


@pytest.mark.parametrize(("seed", "sd"), HEADS)
def test_they_rest_on_nose_and_ears(seed: int, sd: float) -> None:
    model = default_head()
    vertices = sampled(model, seed, sd)
    head, grid = measure(model, vertices), head_grid.head_grid(model, "skull")
    points = grid.points(vertices, head)
    for style in styles(12):
        style = dataclasses.replace(style, slipped=0.1)
        frame, lenses = glasses.glasses(model, vertices, style)
        check_surface(frame)
        check_surface(lenses)
        # The bridge: in front of the ridge of the nose, and near it.
        middle = frame.vertices[np.abs(frame.vertices[:, 0] - head.bridge[0, 0]) < 2.5]
        ridge = np.interp(middle[:, 1], head.bridge[::-1, 1], head.bridge[::-1, 2])
        ahead = middle[:, 2] - ridge
        assert ahead.min() > -1.0
        assert ahead.min() < 9.0
        assert np.abs(middle[:, 1] - head.bridge[0, 1]).min() < 16
        # Temples: both end near the ears, outside the skull.
        for side, sign in ((0, -1), (1, 1)):
            arm = frame.vertices[(sign * frame.vertices[:, 0] > 40) & (frame.vertices[:, 2] < head.ears[side, 2] + 25)]
            assert len(arm)
            assert np.linalg.norm(arm - head.ears[side], axis=1).min() < 28 * head.scale
            upper = arm[arm[:, 1] > head.ears[side, 1] + 5]
            assert grid.clearance(points, head, upper).min() > -3.0
        # Lenses: before the eyes, not behind them.
        for eye in head.eyes:
            near = lenses.vertices[np.linalg.norm(lenses.vertices[:, :2] - eye[:2], axis=1) < 18]
            assert len(near)
            assert 4 < np.median(near[:, 2]) - eye[2] < 32


def test_size_follows_the_distance_between_the_eyes() -> None:
    model = default_head()
    style = styles(1)[0]
    small, large = (np.ptp(glasses.glasses(model, model.mean * f, style)[1].vertices[:, 0]) for f in (0.8, 1.1))
    assert large / small == pytest.approx(1.1 / 0.8, rel=0.02)


def test_frames_are_closed_tubes_turned_outwards() -> None:
    model = default_head()
    for style in styles(8):
        frame, _ = glasses.glasses(model, model.mean, style)
        assert open_edges(frame.triangles) == 0
        assert volume(frame.vertices, frame.triangles) > 0


def test_opacity_is_the_style_s() -> None:
    model = default_head()
    for style in styles(30):
        frame, lenses = glasses.glasses(model, model.mean, style)
        assert frame.opacity == 1
        assert lenses.opacity == style.opacity
        assert lenses.gloss > 1
        assert (lenses.texture is not None) == style.fades


def test_the_same_seed_gives_the_same_pair() -> None:
    model = default_head()
    first, again, other = (glasses.sample_glasses(model, model.mean, np.random.default_rng(s)) for s in (5, 5, 6))
    assert same(first, again)
    assert not same(first, other)


def test_they_fit_a_bare_face() -> None:
    model = face_only()
    head = measure(model, model.mean)
    frame, lenses = glasses.sample_glasses(model, model.mean, np.random.default_rng(0))
    check_surface(frame)
    check_surface(lenses)
    assert np.linalg.norm(frame.vertices - head.ears[0], axis=1).min() < 28
