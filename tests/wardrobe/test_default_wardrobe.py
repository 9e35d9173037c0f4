"""The committed wardrobe on the default head: everything sits where it belongs, on any face."""

import os
from pathlib import Path

import numpy as np
import pytest

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.default import default_head
from trainer.wardrobe.build_wardrobe import build_wardrobe
from trainer.wardrobe.mhclo import CC0
from trainer.wardrobe.nearest import nearest_on_mesh
from trainer.wardrobe.storage import load, save
from trainer.wardrobe.wardrobe import DEFAULT_WARDROBE_PATH, default_wardrobe, topology_of

ASSETS_BYTES = 15_000_000
NAMES = default_wardrobe().names()


@pytest.fixture(scope="module")
def model():
    return default_head()


@pytest.fixture(scope="module")
def wardrobe():
    return default_wardrobe()


@pytest.fixture(scope="module")
def makehuman():
    folder = Path(os.environ.get("MONOFACE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "makehuman"
    if not (folder / "hair").is_dir():
        pytest.skip(f"{folder} is absent")
    return folder


def expressed(model, **weights):
    """Vertices of the mean head with these expression weights; `Left` and `Right` are added to a name."""
    expression = np.zeros(len(model.expression_names))
    for name, weight in weights.items():
        for side in ("Left", "Right"):
            expression[model.expression_names.index(name + side)] = weight
    return model.vertices(None, expression)


def opaque_mean(garment, vertices, side):
    """`[3]` mean place of what is opaque of a garment on the side of this sign."""
    placed = garment.fit(vertices)
    height, width = garment.texture.shape[:2]
    column = np.clip((garment.uv[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1 - garment.uv[:, 1]) * height).astype(int), 0, height - 1)
    alpha = garment.texture[row, column, 3] * (placed[:, 0] * side > 0)
    return np.average(placed, axis=0, weights=alpha + 1e-6)


def test_it_fits_the_default_head(model, wardrobe):
    wardrobe.check(model)
    assert wardrobe.topology == topology_of(model.triangles)


def test_it_is_small_and_free(wardrobe):
    assets = list(DEFAULT_WARDROBE_PATH.parent.iterdir())
    assert sum(path.stat().st_size for path in assets) <= ASSETS_BYTES
    assert {garment.licence for garment in wardrobe.garments} == {CC0}
    assert wardrobe.provenance["source_licence"] == CC0


@pytest.mark.parametrize(
    ("kind", "least"),
    [("hair", 10), ("brows", 12), ("lashes", 4), ("clothes", 11), ("scalp", 5), ("hat", 2), ("torso", 1)],
)
def test_there_is_something_of_every_kind(wardrobe, kind, least):
    assert len(wardrobe.of_kind(kind)) >= least


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_finite_and_near_on_anyone(model, wardrobe, name):
    garment = wardrobe[name]
    rng = np.random.default_rng(1)
    for identity in (np.zeros(1), 2 * rng.standard_normal(len(model.identity))):
        placed = garment.fit(model.vertices(identity))
        assert np.isfinite(placed).all()
        assert np.linalg.norm(placed, axis=1).max() < 600
    assert garment.triangles.max() < len(placed)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("eyebrow")])
def test_brows_are_where_their_landmarks_are(model, wardrobe, name):
    points = model.landmark_points(model.mean)
    for group, side in (("right_brow", -1), ("left_brow", 1)):
        middle = points[list(LANDMARK_GROUPS[group])].mean(axis=0)
        offset = opaque_mean(wardrobe[name], model.mean, side) - middle
        assert abs(offset[0]) < 14
        assert abs(offset[1]) < 5


def test_brows_follow_frowns_and_raised_brows(model, wardrobe):
    garment = wardrobe["eyebrow001"]
    height = {name: opaque_mean(garment, expressed(model, **{name: 1.0}), 1)[1] for name in ("browDown", "browOuterUp")}
    rest = opaque_mean(garment, model.mean, 1)[1]
    assert height["browDown"] < rest - 2
    assert height["browOuterUp"] > rest + 2


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("eyebrow")])
def test_brows_stay_just_above_the_skin(model, wardrobe, name):
    rng = np.random.default_rng(2)
    vertices = model.vertices(rng.standard_normal(len(model.identity)), 0.2 * rng.random(len(model.expression_names)))
    placed = wardrobe[name].fit(vertices)
    triangle, weights = nearest_on_mesh(placed, vertices, model.triangles)
    away = placed - np.einsum("nc,ncd->nd", weights, vertices[model.triangles[triangle]])
    assert np.linalg.norm(away, axis=1).max() < 4


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("eyelash")])
def test_lashes_follow_a_blink(model, wardrobe, name):
    garment, shut = wardrobe[name], expressed(model, eyeBlink=1.0)
    points = model.landmark_points(model.mean)
    for side, group in ((-1, "right_eye"), (1, "left_eye")):
        own = garment.fit(model.mean)[:, 0] * side > 0
        eye = points[list(LANDMARK_GROUPS[group])].mean(axis=0)
        upper = own & (garment.fit(model.mean)[:, 1] > eye[1] + 2)
        assert upper.any()
        fall = (garment.fit(shut) - garment.fit(model.mean))[upper, 1]
        assert np.median(fall) < -3, "upper lashes come down with the lid"
        assert (garment.fit(shut)[own, 2] > eye[2] - 25).all(), "and do not go into the head"


def test_hair_stays_when_the_jaw_opens(model, wardrobe):
    expression = np.zeros(len(model.expression_names))
    expression[model.expression_names.index("jawOpen")] = 1
    opened = model.vertices(None, expression)
    for garment in (*wardrobe.of_kind("hair"), *wardrobe.of_kind("hat"), *wardrobe.of_kind("scalp")):
        assert np.abs(garment.fit(opened) - garment.fit(model.mean)).max() < 3, garment.name


def test_clothes_turn_with_the_shoulders(model, wardrobe):
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    body = model.regions["body"][:, None]
    turned = model.mean * (1 - body) + (model.mean @ turn.T) * body
    for garment in (*wardrobe.of_kind("clothes"), *wardrobe.of_kind("torso")):
        low = garment.fit(model.mean)[:, 1] < -250
        expected = garment.fit(model.mean)[low] @ turn.T
        assert np.abs(garment.fit(turned)[low] - expected).max() < 12, garment.name


def test_the_chest_goes_on_where_the_head_ends(model, wardrobe):
    torso = wardrobe["torso"]
    places = torso.fit(model.mean)
    skin = model.mean[(model.regions["skin"] > 0.5) & (model.regions["body"] > 0.9)]
    inside = skin[(skin[:, 1] > skin[:, 1].min() + 20) & (np.abs(skin[:, 0]) < 80) & (skin[:, 1] < -130)]
    triangle, weights = nearest_on_mesh(inside, places, torso.triangles)
    away = np.einsum("nc,ncd->nd", weights, places[torso.triangles[triangle]]) - inside
    assert np.median(np.linalg.norm(away, axis=1)) < 3
    assert places[:, 1].min() < -380


def test_a_users_folder_is_bound_like_the_committed_assets(model, wardrobe, makehuman):
    rest = type(wardrobe)(
        tuple(garment for garment in wardrobe.garments if garment.name != "bob02"), wardrobe.topology, wardrobe.body
    )
    added = rest.with_folder(makehuman / "hair" / "bob02", model)["bob02"]
    assert added.kind == "hair"
    assert added.licence == CC0
    np.testing.assert_allclose(added.fit(model.mean), wardrobe["bob02"].fit(model.mean), atol=0.3)


def test_a_folder_without_assets_is_refused(model, wardrobe, tmp_path):
    with pytest.raises(ValueError, match="holds no"):
        wardrobe.with_folder(tmp_path, model)


@pytest.mark.slow
def test_the_command_builds_the_committed_file(model, wardrobe, makehuman, tmp_path):
    save(build_wardrobe(makehuman, model), tmp_path / "again.npz")
    again = load(tmp_path / "again.npz")
    assert again.names() == wardrobe.names()
    for one, other in zip(wardrobe.garments, again.garments, strict=True):
        np.testing.assert_allclose(one.fit(model.mean), other.fit(model.mean), atol=0.3, err_msg=one.name)
        np.testing.assert_array_equal(one.triangles, other.triangles, err_msg=one.name)
