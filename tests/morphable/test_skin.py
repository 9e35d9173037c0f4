"""Skins on the default head, on a head that is stripped of albedo and regions, and on a model of four vertices."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from components.synthetic_face_gen.labels import SKIN_TONES, skin_color, skin_tone_bin
from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.default import default_head
from trainer.morphable.skin import STRENGTHS, Skin, sample_skin, skin_colors
from trainer.morphable.skin_map import SkinMap

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
PLAIN = Skin(**dict.fromkeys(STRENGTHS, 0.0))


@pytest.fixture(scope="module")
def head():
    return default_head()


@pytest.fixture(scope="module")
def stripped(head):
    """The head with neither albedo nor regions, as a model that is geometry alone."""
    return dataclasses.replace(
        head, albedo_mean=np.zeros_like(head.mean), albedo=head.albedo[:0], albedo_sd=head.albedo_sd[:0], regions={}
    )


def groups(model):
    points = model.landmark_points(model.mean)
    return {name: points[list(indices)] for name, indices in LANDMARK_GROUPS.items()}


def near(model, point, reach):
    """Vertices of the front within reach of a point."""
    return np.linalg.norm(model.mean - point, axis=1) < reach


def bare(model):
    return SkinMap.of(model).bare


def test_colours_are_linear_rgb_of_every_vertex(head):
    colors = skin_colors(head, Skin())
    assert colors.shape == head.mean.shape
    assert colors.dtype == np.float32
    assert colors.min() >= 0
    assert colors.max() <= 1


def test_the_same_skin_gives_the_same_bytes_whatever_was_drawn_before(head):
    skins = [sample_skin(np.random.default_rng(seed)) for seed in range(4)]
    albedo = np.random.default_rng(9).standard_normal(len(head.albedo))
    forward = [skin_colors(head, skin, albedo, brows=True) for skin in skins]
    backward = [skin_colors(head, skin, albedo, brows=True) for skin in skins[::-1]][::-1]
    for one, two in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one, two)
    assert sample_skin(np.random.default_rng(2)) == skins[2]


def test_people_are_of_all_tones(head):
    """No class of the individual typology angle holds less than 4 % or more than 30 % of people."""
    rng = np.random.default_rng(0)
    colors = (skin_color(head, skin_colors(head, sample_skin(rng)), "basel") for _ in range(300))
    counts = Counter(skin_tone_bin(color) for color in colors)
    assert set(counts) == {name for _, name in SKIN_TONES}
    assert 12 <= min(counts.values()) <= max(counts.values()) <= 90


@pytest.mark.parametrize("melanin", [0.02, 0.1, 0.35])
def test_skin_is_brown_and_neither_orange_nor_green(head, melanin):
    red, green, blue = skin_colors(head, dataclasses.replace(PLAIN, melanin=melanin))[bare(head)].mean(0)
    assert 1.3 < red / green < 2.3
    assert 0.55 < blue / green < 0.9


def test_coefficients_add_features_and_no_tone(head):
    """Any albedo coefficients leave the mean colour of bare skin as it is; the model's own colours change with them."""
    rng = np.random.default_rng(1)
    at = bare(head)
    plain = skin_colors(head, PLAIN)[at]
    for _ in range(5):
        albedo = np.clip(rng.standard_normal(len(head.albedo)), -2, 2)
        featured = skin_colors(head, PLAIN, albedo)[at]
        np.testing.assert_allclose(featured.mean(0), plain.mean(0), rtol=0.03)
        assert np.abs(featured - plain).max() > 0.01


@pytest.mark.parametrize("name", ["head", "stripped"])
def test_features_are_where_the_landmarks_are(name, request):
    model = request.getfixturevalue(name)
    at = groups(model)
    colors = skin_colors(model, PLAIN)
    ratio = colors[:, 0] / colors[:, 1]
    lower_lip = (at["outer_lips"][9] + at["inner_lips"][6]) / 2
    assert ratio[near(model, lower_lip, 4)].mean() > 1.15 * ratio[bare(model)].mean()
    for side, eye, brow in ((-1, "right_eye", "right_brow"), (1, "left_eye", "left_brow")):
        middle = at[brow][2] + [0, 1, 0]
        painted = skin_colors(model, dataclasses.replace(PLAIN, brow_density=1.0), brows=True, hair=np.zeros(3))
        assert np.sign(middle[0]) == side
        assert (painted @ LUMINANCE)[near(model, middle, 3)].mean() < 0.6 * (colors @ LUMINANCE)[bare(model)].mean()
        assert (colors @ LUMINANCE)[near(model, at[eye].mean(axis=0), 10)].min() < 0.02, "pupil"
    untouched = near(model, at["nose_bridge"][3], 8)
    np.testing.assert_array_equal(colors[untouched], painted[untouched])


def test_brows_are_painted_only_when_asked_for(head):
    skin = dataclasses.replace(PLAIN, brow_density=1.0)
    without, painted = skin_colors(head, skin), skin_colors(head, skin, brows=True)
    at = groups(head)
    brows = near(head, at["right_brow"][2] + [0, 1, 0], 4) | near(head, at["left_brow"][2] + [0, 1, 0], 4)
    assert (painted @ LUMINANCE)[brows].mean() < 0.6 * (without @ LUMINANCE)[brows].mean()
    assert (without @ LUMINANCE)[brows].mean() > 0.8 * (without @ LUMINANCE)[bare(head)].mean()
    thick, thin = (
        skin_colors(head, dataclasses.replace(skin, brow_thickness=value), brows=True) @ LUMINANCE
        for value in (1.5, 0.6)
    )
    assert (thick < without @ LUMINANCE - 0.02).sum() > 1.5 * (thin < without @ LUMINANCE - 0.02).sum()


def test_green_hair_grows_on_the_scalp_alone(head):
    skin = dataclasses.replace(PLAIN, brow_density=1.0, stubble=1.0, scalp=1.0)
    green, usual = (skin_colors(head, skin, brows=True, hair=hair) for hair in (np.array([0.1, 0.5, 0.2]), None))
    changed = np.abs(green - usual).max(axis=1) > 0
    assert changed[head.regions["scalp"] > 0.9].all()
    assert not changed[head.regions["scalp"] == 0].any()


@pytest.mark.parametrize("name", ["blush", "dark_circles", "stubble", "scalp", "lashes", "lipstick", "eye_shadow"])
def test_a_strength_acts_in_its_place_and_in_proportion(head, name):
    off, half, full = (
        skin_colors(head, dataclasses.replace(PLAIN, melanin=0.03, **{name: value}), hair=np.full(3, 0.02))
        for value in (0.0, 0.5, 1.0)
    )
    changes = [np.abs(colors - off).sum(axis=1) for colors in (half, full)]
    assert 0 < (changes[1] > 0.005).mean() < 0.25
    assert changes[0].sum() < changes[1].sum()
    region = {"blush": "cheeks", "stubble": "beard", "scalp": "scalp", "lipstick": "lips"}.get(name, "eyelids")
    weight = SkinMap.of(head).parts["under_eye" if name == "dark_circles" else region]
    inside = np.zeros(len(off))
    inside[weight.vertices] = weight.weights
    assert changes[1][inside > 0.5].mean() > 5 * changes[1][inside == 0].mean()


def test_freckles_and_moles_darken_single_places_of_the_face(head):
    face = head.regions["face"] > 0.5
    for change, least, most in (({"freckles": 1.0}, 40, 1500), ({"moles": 4}, 4, 80)):
        colors = skin_colors(head, dataclasses.replace(PLAIN, melanin=0.03, seed=5, **change))
        darker = (skin_colors(head, dataclasses.replace(PLAIN, melanin=0.03)) - colors) @ LUMINANCE > 0.02
        assert least < darker.sum() < most
        assert not darker[~face].any()
    other = skin_colors(head, dataclasses.replace(PLAIN, melanin=0.03, seed=6, moles=4))
    assert not np.array_equal(other, colors)


def test_unevenness_is_smooth_and_leaves_the_mean(head):
    at = bare(head)
    even, uneven = (skin_colors(head, dataclasses.replace(PLAIN, unevenness=value, seed=3)) for value in (0.0, 1.0))
    change = (uneven / even)[:, 1]
    assert 0.01 < change[at].std() < 0.12
    edges = head.triangles[np.isin(head.triangles, at).all(1)][:, :2]
    assert np.abs(np.diff(change[edges], axis=1)).mean() < 0.3 * change[at].std()
    np.testing.assert_allclose(uneven[at].mean(0), even[at].mean(0), rtol=0.1)


def test_an_open_mouth_lets_light_in(head):
    weights = np.zeros(len(head.expression))
    weights[head.expression_names.index("jawOpen")] = 0.6
    teeth = head.regions["teeth"] > 0
    shut, opened = (skin_colors(head, PLAIN, vertices=head.vertices(expression=value)) for value in (None, weights))
    assert (opened @ LUMINANCE)[teeth].max() > 0.3
    assert (shut @ LUMINANCE)[teeth].max() < 0.15
    outside = bare(head)
    np.testing.assert_array_equal(shut[outside], opened[outside])


def test_a_model_of_four_vertices_is_painted_without_trouble(tiny_model):
    skin = Skin(freckles=1.0, moles=3, stubble=1.0, lipstick=1.0, blush=1.0)
    colors = skin_colors(tiny_model, skin, [0.5], brows=True)
    assert colors.shape == (4, 3)
    assert np.isfinite(colors).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"melanin": 0.7}, "`melanin` must be in"),
        ({"blood": 0.0}, "`blood` must be in"),
        ({"freckles": 1.5}, "`freckles` must be in"),
        ({"moles": -1}, "`moles` must be in"),
        ({"stubble": float("nan")}, "`stubble` must be in"),
        ({"iris": (0.1, 0.2)}, "`iris` must be linear RGB"),
        ({"lipstick_color": (1.2, 0, 0)}, "`lipstick_color` must be linear RGB"),
        ({"seed": -1}, "`seed` must not be negative"),
    ],
)
def test_values_out_of_range_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Skin(**change)


def test_what_does_not_fit_the_model_is_refused(head):
    with pytest.raises(ValueError, match="`albedo` must be"):
        skin_colors(head, Skin(), np.zeros(len(head.albedo) + 1))
    with pytest.raises(ValueError, match="`vertices` must be"):
        skin_colors(head, Skin(), vertices=np.zeros((5, 3)))


def test_the_map_is_kept_and_let_go_with_its_model(stripped):
    model = dataclasses.replace(stripped, name="short-lived")
    kept = SkinMap.of(model)
    assert SkinMap.of(model) is kept
    assert SkinMap.of(stripped) is not kept
