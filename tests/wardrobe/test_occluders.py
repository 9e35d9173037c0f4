import dataclasses

import numpy as np
import pytest
from worn_parts import SKIN, check_surface, face_only, open_edges, same, sampled, volume

from trainer.morphable.default import default_head
from trainer.wardrobe import handheld, hands, head_grid, neckwear, occluders
from trainer.wardrobe.measures import measure
from trainer.wardrobe.occluders import OccluderConfig, hidden_share, sample_occluders

NONE = OccluderConfig(**dict.fromkeys((field.name for field in dataclasses.fields(OccluderConfig)), 0.0))
KINDS = tuple(field.name for field in dataclasses.fields(OccluderConfig))
NAMES = {"turtleneck": "collar"}


def only(kind: str) -> OccluderConfig:
    return dataclasses.replace(NONE, **{kind: 1.0})


def test_switches_at_0_give_nothing() -> None:
    model = default_head()
    assert all(sample_occluders(model, model.mean, np.random.default_rng(s), SKIN, NONE) == [] for s in range(20))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "sd"), [(0, 0.0), (1, 2.0), (2, 1.0)])
def test_each_switch_gives_its_kind_and_leaves_most_landmarks_free(kind: str, seed: int, sd: float) -> None:
    model = default_head()
    vertices = sampled(model, seed, sd)
    points = measure(model, vertices).points
    names = set()
    for draw in range(4):
        drawn = sample_occluders(model, vertices, np.random.default_rng([seed, draw]), SKIN, only(kind))
        names |= {surface.name for surface in drawn}
        for surface in drawn:
            check_surface(surface)
            assert len(surface.triangles) <= 3000
        assert hidden_share(drawn, points) <= 0.6
    assert NAMES.get(kind, kind) in names


def test_a_switched_off_kind_leaves_the_others_where_they_were() -> None:
    model = default_head()
    often = OccluderConfig(**dict.fromkeys(KINDS, 0.15))
    kept = given_way = 0
    for seed in range(120):
        worn = sample_occluders(model, model.mean, np.random.default_rng(seed), SKIN, often)
        if any(surface.name == "hand" for surface in worn):
            continue
        without = sample_occluders(
            model, model.mean, np.random.default_rng(seed), SKIN, dataclasses.replace(often, hand=0.0)
        )
        if same(worn, without):
            kept += 1
        else:
            given_way += 1
    assert kept > 60
    assert given_way == 0


def test_usually_a_quarter_of_faces_has_something() -> None:
    model = default_head()
    drawn = [sample_occluders(model, model.mean, np.random.default_rng(s), SKIN) for s in range(400)]
    assert 0.16 < np.mean([len(surfaces) > 0 for surfaces in drawn]) < 0.34


@pytest.mark.parametrize("kind", KINDS)
def test_they_fit_a_bare_face(kind: str) -> None:
    model = face_only()
    for surface in sample_occluders(model, model.mean, np.random.default_rng(3), SKIN, only(kind)):
        check_surface(surface)


def test_the_same_seed_gives_the_same() -> None:
    model = default_head()
    for kind in KINDS:
        first, again = (
            sample_occluders(model, model.mean, np.random.default_rng(8), SKIN, only(kind)) for _ in range(2)
        )
        assert same(first, again)


def test_hidden_share_counts_points_behind() -> None:
    model = default_head()
    points = np.stack([[0.0, 0, 0], [0, 0, 20], [50, 0, 0]])
    plate = handheld.sample_shape(model, model.mean, np.random.default_rng(0))[0]
    square = np.array([[-10, -10, 10], [10, -10, 10], [10, 10, 10], [-10, 10, 10]], np.float32)
    wall = dataclasses.replace(
        plate,
        vertices=square,
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        colors=np.zeros_like(square),
        uv=None,
        texture=None,
    )
    assert hidden_share([wall], points) == pytest.approx(1 / 3)
    assert hidden_share([], points) == 0


@pytest.mark.parametrize("pose", hands.POSES)
def test_hands_are_before_the_face_in_its_colour(pose: str) -> None:
    model = default_head()
    vertices = sampled(model, 4)
    head, grid = measure(model, vertices), head_grid.head_grid(model, "head")
    points = grid.points(vertices, head)
    for seed in range(4):
        worn = hands.sample_hands(model, vertices, np.random.default_rng(seed), SKIN, pose)
        assert len(worn) == (2 if pose == "both" else 1)
        for surface in worn:
            check_surface(surface)
            assert open_edges(surface.triangles) == 0
            assert volume(surface.vertices, surface.triangles) > 3e5
            clearance = grid.clearance(points, head, surface.vertices)
            assert clearance.min() > (-1.5 if pose != "before" else -60)
            assert clearance.min() < (40 if pose != "before" else 150)
            assert np.median(np.abs(surface.colors - SKIN), axis=0).max() < 0.16
            # The arm leads away, downwards or aside.
            far = surface.vertices[np.argmax(np.linalg.norm(surface.vertices - head.mouth, axis=1))]
            assert np.linalg.norm(far - head.mouth) > 180


def test_left_and_right_hands_are_mirrored_and_keep_their_outside() -> None:
    pose = hands.HandPose(np.full(4, 0.4), 0.1, 0.5, 0.2)
    arm = np.array([0.0, -1.0, -0.2])
    (right, triangles), kinds = hands.hand_mesh(pose, arm, False)
    (left, turned), _ = hands.hand_mesh(pose, arm, True)
    assert np.allclose(left * [-1, 1, 1], right, atol=1e-4)
    assert volume(right, triangles) == pytest.approx(volume(left, turned), rel=1e-4)
    assert volume(right, triangles) > 0
    assert len(kinds) == len(right)
    assert right[kinds < 2][:, 1].max() > 150, "fingers point along y"


def test_a_fist_is_shorter_than_a_flat_hand() -> None:
    arm = np.array([0.0, -1.0, 0.0])
    reach = []
    for curl in (0.0, 1.4):
        (vertices, _), kinds = hands.hand_mesh(hands.HandPose(np.full(4, curl), 0.0, 0.1, 0.0), arm, False)
        reach.append(vertices[kinds < 2][:, 1].max())
    assert reach[1] < reach[0] - 50


def test_a_sleeve_colours_the_arm_alone() -> None:
    arm = np.array([0.0, -1.0, 0.0])
    pose = hands.HandPose(np.zeros(4), 0.0, 0.1, 0.0, cuff=60.0)
    (vertices, _), kinds = hands.hand_mesh(pose, arm, False)
    assert (vertices[kinds == 3][:, 1] < -55).all()
    assert (kinds == 3).sum() > 30


def test_masks_cover_mouth_and_nostrils_or_at_least_the_mouth() -> None:
    model = default_head()
    for mouth in (0.0, 0.7):
        vertices = sampled(model, 2, mouth=mouth)
        head = measure(model, vertices)
        for seed in range(6):
            mask = neckwear.sample_mask(model, vertices, np.random.default_rng(seed))[0]
            assert hidden_share([mask], head.lips) == 1
            assert mask.vertices[:, 1].max() < head.eyes[:, 1].min() + 4


def test_masks_leave_room_for_beards() -> None:
    model = default_head()
    head, grid = measure(model, model.mean), head_grid.head_grid(model, "face")
    points = grid.points(model.mean, head)
    stand = [
        np.median(
            grid.clearance(
                points, head, neckwear.sample_mask(model, model.mean, np.random.default_rng(0), b)[0].vertices
            )
        )
        for b in (False, True)
    ]
    assert 6 < stand[1] - stand[0] < 12


def test_scarves_go_around_the_neck() -> None:
    model = default_head()
    head = measure(model, model.mean)
    for seed in range(5):
        for turn in neckwear.sample_scarf(model, model.mean, np.random.default_rng(seed)):
            assert open_edges(turn.triangles) == 0
            assert turn.vertices[:, 1].max() < head.bridge[3, 1]
            assert turn.vertices[:, 2].min() < -120
            assert turn.vertices[:, 2].max() > -58
            assert np.ptp(turn.vertices[:, 0]) > 130


def test_phones_do_not_cut_into_the_head() -> None:
    model = default_head()
    head, grid = measure(model, model.mean), head_grid.head_grid(model, "head")
    points = grid.points(model.mean, head)
    for seed in range(10):
        phone, hand = handheld.sample_phone(model, model.mean, np.random.default_rng(seed), SKIN)
        assert open_edges(phone.triangles) == 0
        assert volume(phone.vertices, phone.triangles) > 0
        assert grid.clearance(points, head, phone.vertices).min() > -3
        gap = np.linalg.norm(phone.vertices[:, None] - hand.vertices[None], axis=-1).min()
        assert gap < 20, "the hand holds the phone"


@pytest.mark.parametrize("kind", KINDS)
def test_fractions_are_checked(kind: str) -> None:
    with pytest.raises(ValueError, match=f"`{kind}` must be in"):
        OccluderConfig(**{kind: 1.5})


def test_things_before_the_face_exclude_each_other() -> None:
    model = default_head()
    both = dataclasses.replace(NONE, hand=1.0, shape=1.0)
    worn = [
        {s.name for s in sample_occluders(model, model.mean, np.random.default_rng(seed), SKIN, both)}
        for seed in range(12)
    ]
    assert all(names in ({"hand"}, {"shape"}) for names in worn)
    assert {"hand"} in worn
    assert {"shape"} in worn


def test_unknown_poses_are_refused() -> None:
    model = default_head()
    with pytest.raises(ValueError, match="`pose` must be one of"):
        hands.sample_hands(model, model.mean, np.random.default_rng(0), SKIN, "thumbs up")
    assert occluders.MOST_HIDDEN == 0.6
