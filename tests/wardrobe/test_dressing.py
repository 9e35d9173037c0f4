"""Chance dresses heads, the same way each time, and only in what it is told to."""

import dataclasses

import numpy as np
import pytest
from morphable_parts import build_tiny_model

from trainer.morphable.default import default_head
from trainer.morphable.skin import Skin, sample_skin
from trainer.rendering.scene import Surface
from trainer.wardrobe.clothing import PATTERNS, undyed
from trainer.wardrobe.dressing import WardrobeConfig, dress
from trainer.wardrobe.hairdo import under
from trainer.wardrobe.occluders import OccluderConfig
from trainer.wardrobe.textures import mean_color
from trainer.wardrobe.wardrobe import default_wardrobe

NO_OCCLUDERS = OccluderConfig(**{field.name: 0.0 for field in dataclasses.fields(OccluderConfig)})
NOTHING = WardrobeConfig(
    hair=0, brows=0, lashes=0, clothes=0, torso=0, hat=0, glasses=0, beard=0, occluders=NO_OCCLUDERS
)
HAIR = np.array([0.1, 0.05, 0.02])


@pytest.fixture(scope="module")
def model():
    return default_head()


def worn(model, seed, config, skin=None, vertices=None, **changes):
    rng = np.random.default_rng(seed)
    skin = sample_skin(rng) if skin is None else skin
    vertices = model.mean if vertices is None else vertices
    colors = np.full(model.mean.shape, 0.4, np.float32)
    return dress(default_wardrobe(), model, vertices, rng, dataclasses.replace(config, **changes), skin, HAIR, colors)


def test_the_same_seed_gives_the_same_outfit(model):
    for seed in range(6):
        one, other = worn(model, seed, WardrobeConfig()), worn(model, seed, WardrobeConfig())
        assert one.names == other.names
        np.testing.assert_array_equal(one.vertices, other.vertices)
        for first, second in zip(one.surfaces, other.surfaces, strict=True):
            np.testing.assert_array_equal(first.vertices, second.vertices)
            np.testing.assert_array_equal(first.colors, second.colors)
            np.testing.assert_array_equal(first.triangles, second.triangles)


def test_seeds_differ(model):
    assert len({worn(model, seed, WardrobeConfig()).names for seed in range(12)}) > 8


def test_nothing_is_worn_where_all_is_off(model):
    for seed in range(5):
        outfit = worn(model, seed, NOTHING)
        assert outfit.surfaces == []
        np.testing.assert_array_equal(outfit.vertices, model.mean)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("hair", {"hair", "scalp"}),
        ("brows", {"brows"}),
        ("lashes", {"lashes"}),
        ("clothes", {"clothes"}),
        ("torso", {"torso"}),
        ("glasses", {"glasses", "lenses"}),
        ("beard", {"beard"}),
    ],
)
def test_each_switch_brings_its_own_kind_alone(model, kind, names):
    found = set()
    for seed in range(6):
        outfit = worn(model, seed, NOTHING, skin=Skin(stubble=0.5), **{kind: 1.0})
        found |= {surface.name for surface in outfit.surfaces}
    assert found, kind
    assert found <= names


def test_one_switch_changes_nothing_else(model):
    for seed in range(8):
        full = worn(model, seed, WardrobeConfig(hat=0))
        less = worn(model, seed, WardrobeConfig(hat=0, brows=0, clothes=0))
        kept = [s for s in full.surfaces if s.name not in ("brows", "clothes", "torso")]
        same = [s for s in less.surfaces if s.name != "torso"]
        assert [s.name for s in kept] == [s.name for s in same]
        for one, other in zip(kept, same, strict=True):
            np.testing.assert_array_equal(one.vertices, other.vertices)


def test_fractions_are_kept(model):
    config = dataclasses.replace(NOTHING, glasses=0.3)
    share = np.mean([len(worn(model, seed, config, skin=Skin()).surfaces) > 0 for seed in range(150)])
    assert share == pytest.approx(0.3, abs=0.12)


def test_lipstick_and_beards_do_not_meet(model):
    config = dataclasses.replace(NOTHING, beard=1.0)
    assert not any(worn(model, seed, config, skin=Skin(lipstick=0.8)).surfaces for seed in range(10))
    assert all(worn(model, seed, config, skin=Skin(stubble=0.8)).surfaces for seed in range(3))


def test_triangles_fit_the_budget(model):
    for seed in range(20):
        outfit = worn(model, seed, WardrobeConfig())
        assert model.triangle_count + sum(len(surface.triangles) for surface in outfit.surfaces) < 60_000
        for surface in outfit.surfaces:
            assert np.isfinite(surface.vertices).all()
            assert np.isfinite(surface.colors).all()
            assert surface.colors.min() >= 0


def test_hair_has_the_colour_that_was_asked_for(model):
    config = dataclasses.replace(NOTHING, brows=1.0)
    for seed in range(4):
        (brows,) = worn(model, seed, config).surfaces
        ratio = brows.colors.mean(axis=0) / HAIR
        np.testing.assert_allclose(ratio / ratio[0], 1, atol=0.02)


def test_covered_skin_is_drawn_deeper_and_only_there(model):
    outfit = worn(model, 0, NOTHING, clothes=1.0)
    moved = np.linalg.norm(outfit.vertices - model.mean, axis=1) > 1e-4
    assert moved.any()
    assert (model.regions["body"][moved] > 0).all()
    assert not moved[model.regions["face"] > 0.5].any()


def test_hats_hide_the_hair_below_them():
    rng = np.random.default_rng(0)
    direction = rng.standard_normal((3000, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    skull = 80 * direction[direction[:, 1] > -0.3]
    hat = Surface("hat", (84 * direction[direction[:, 1] > 0.3]).astype(np.float32), np.zeros((0, 3)), np.zeros((0, 3)))
    hair = (95 * direction).astype(np.float32)
    left = under([hat], hair, np.arange(3000).reshape(-1, 3), skull)
    shown = np.zeros(3000, bool)
    shown[left.ravel()] = True
    assert hair[:, 1].max() < 84 * 0.45, "nothing sticks out above the hat's border"
    assert (~shown).mean() > 0.02
    assert shown[direction[:, 1] < -0.2].all()


def test_another_head_is_refused(model):
    with pytest.raises(ValueError, match="triangles of the head"):
        dress(
            default_wardrobe(), build_tiny_model(), model.mean, np.random.default_rng(0), WardrobeConfig(), Skin(), HAIR
        )


@pytest.mark.parametrize("field", ["hair", "glasses", "torso"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_fractions_are_checked(field, value):
    with pytest.raises(ValueError, match=field):
        WardrobeConfig(**{field: value})


def test_patterned_cloth_keeps_the_cut_and_the_mean_colour(model):
    shirt = default_wardrobe()["male_casualsuit04"]
    for pattern in (None, *range(len(PATTERNS))):
        dyed = undyed(shirt, pattern)
        assert dyed.texture.shape == shirt.texture.shape
        np.testing.assert_array_equal(dyed.texture[..., 3], shirt.texture[..., 3])
        assert undyed(shirt, pattern) is dyed, "made once"
        surface = dyed.surface(model.mean, np.array([0.2, 0.1, 0.05]))
        mean = surface.colors[0] * mean_color(dyed.texture)
        np.testing.assert_allclose(mean, [0.2, 0.1, 0.05], rtol=1e-3)
