"""ICT-FaceKit: the default head in its folder format comes back; the real face region, where it is there."""

import json
import shutil

import numpy as np
import pytest
import scipy.io
import source_files
from source_files import head

from trainer import contract
from trainer.morphable.readers import ict_facekit
from trainer.morphable.readers.open_model import open_model
from trainer.rendering.camera import fit_scaled_orthographic, project


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return source_files.save_ict(tmp_path_factory.mktemp("ict"))


@pytest.fixture(scope="module")
def model(folder):
    return open_model(folder)


@pytest.fixture
def copied(folder, tmp_path):
    shutil.copytree(folder / "FaceXModel", tmp_path / "copy")
    return tmp_path / "copy"


def change(folder, **changes):
    path = folder / "vertex_indices.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_centimetres_become_millimetres_about_the_contracts_origin(model):
    shift = model.mean - head().mean
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-3)
    np.testing.assert_allclose(model.identity, head().identity, atol=1e-3)
    np.testing.assert_allclose(model.expression, head().expression, atol=1e-3)
    assert model.expression_names == ("jawOpen", "browDown_L")
    np.testing.assert_array_equal(model.expression_range, [[0, 1]] * 2)


def test_lashes_are_left_out_and_parts_are_named(model):
    assert model.triangle_count == head().triangle_count
    # The materials repeat the head's regions; a vertex on a border belongs to both.
    for name in ("teeth", "tongue", "eyeballs"):
        inside = head().regions[name] > 0.5
        agree = (model.regions[name] > 0.5) == inside
        assert agree.mean() > 0.98, name
    teeth, skin = model.regions["teeth"] > 0.5, model.regions["skin"] > 0.99
    assert not (teeth & skin).any()
    assert model.albedo_mean[teeth, 2].min() > model.albedo_mean[skin, 2].max()


def test_both_landmark_sets_are_the_default_heads(model):
    """The file's own 68 only start the search: the head must find its own places again."""
    for name in ("basel", "outline"):
        found = model.landmark_points(model.mean, name) - model.mean[0]
        distance = np.linalg.norm(found - (head().landmark_points(head().mean, name) - head().mean[0]), axis=1)
        assert np.median(distance) < 1.5, name
        assert distance.max() < 6, name
    assert model.licence == "MIT"
    np.testing.assert_allclose(model.uv, head().uv, atol=1e-5)


def test_the_inner_folder_is_the_same_model(folder, model):
    assert open_model(folder / "FaceXModel", sha256=model.sha256).name == model.name


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/b", "..", "", "a" * 65, 3, None, ["jawOpen"], "jaw\u0000Open"]
)
def test_names_that_lead_elsewhere_are_refused(copied, name):
    change(copied, expressions=[name])
    with pytest.raises(ValueError, match=r"vertex_indices\.json must name expressions by letters"):
        open_model(copied)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expressions": ["jawOpen", "jawOpen"]}, "names an expression twice"),
        ({"expressions": "jawOpen"}, "must list at most"),
        ({"expressions": ["absent"]}, "absent.obj"),
        ({"idx_to_landmark_verts": [0] * 67}, "must list 68"),
        ({"idx_to_landmark_verts": [-1] * 68}, "must be vertices"),
        ({"idx_to_landmark_verts": [10**9] * 68}, "must be vertices"),
        ({"idx_to_landmark_verts": [1.5] * 68}, "must be vertices"),
        ({"idx_to_landmark_verts": [True] * 68}, "must be vertices"),
    ],
)
def test_wrong_indices_are_refused(copied, changes, reason):
    change(copied, **changes)
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        open_model(copied)


@pytest.mark.parametrize("content", ["", "[" * 100_000, "\x00", "[]", '{"expressions": []'])
def test_json_that_is_none_is_refused(copied, content):
    (copied / "vertex_indices.json").write_text(content)
    with pytest.raises(ValueError, match=r"vertex_indices\.json"):
        open_model(copied)


@pytest.mark.parametrize(
    ("file", "change_lines", "reason"),
    [
        ("identity001.obj", lambda lines: lines[10:], "must have .* vertices, as the neutral mesh"),
        ("identity001.obj", lambda lines: ["v 1 nan 2", *lines[1:]], "NaN"),
        ("identity001.obj", lambda lines: ["v 1 2", *lines[1:]], "does not hold 3 numbers"),
        ("identity001.obj", lambda lines: ["v 1 two 2", *lines[1:]], "does not hold 3 numbers"),
        ("generic_neutral_mesh.obj", lambda lines: [*lines, "f 1 2 99999999"], "out of range"),
        ("generic_neutral_mesh.obj", lambda lines: [*lines, "f 1 2"], "polygon of 2 corners"),
        ("generic_neutral_mesh.obj", lambda lines: [*lines, "f 1 2 x"], "cannot be read"),
        ("generic_neutral_mesh.obj", lambda lines: [*lines, "f 0 1 2"], "out of range"),
        ("generic_neutral_mesh.obj", lambda lines: [*lines, "usemtl ../../x y"], "names a material"),
    ],
)
def test_wrong_meshes_are_refused_by_name(copied, file, change_lines, reason):
    path = copied / file
    path.write_text("\n".join(change_lines(path.read_text().splitlines())))
    with pytest.raises(ValueError, match=rf"{file.replace('.', '[.]')}.*{reason}"):
        open_model(copied)


def test_a_folder_without_identities_or_mesh_is_refused(copied):
    (copied / "identity000.obj").unlink()
    with pytest.raises(ValueError, match=r"must hold identity000\.obj"):
        open_model(copied)
    (copied / "generic_neutral_mesh.obj").unlink()
    with pytest.raises(ValueError, match=r"lacks generic_neutral_mesh\.obj"):
        open_model(copied)


@pytest.fixture(scope="module")
def region_folder(folder, tmp_path_factory):
    """The face region alone: the first vertices of the mesh, offsets and names."""
    target = tmp_path_factory.mktemp("region")
    for name in ("generic_neutral_mesh.obj", "vertex_indices.json"):
        shutil.copy(folder / "FaceXModel" / name, target)
    count = 3000
    mean = ((head().mean + source_files.SHIFT) / 10).astype(np.float32)
    offsets = {"ident": head().identity, "expr": head().expression}
    np.savez(target / "ict_face.npz", mean=mean[:count], **{k: (v / 10)[:, :count] for k, v in offsets.items()})
    (target / "expr_names.json").write_text('["jawOpen", "browDown_L"]')
    return target


def test_the_region_keeps_its_own_and_the_rest_follows(region_folder):
    source = ict_facekit.read(region_folder, {})
    np.testing.assert_allclose(source.identity[:, :3000], head().identity[:, :3000], atol=1e-3)
    assert source.vertices.shape == head().mean.shape
    low, high = source.identity[:, :3000].min(axis=1), source.identity[:, :3000].max(axis=1)
    assert (source.identity >= low[:, None] - 1e-3).all(), "what follows never moves farther than what it follows"
    assert (source.identity <= high[:, None] + 1e-3).all()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mean": None}, "lacks mean"),
        ({"mean": np.zeros((3000, 3))}, "must hold the first vertices"),
        ({"ident": np.zeros((2, 5, 3))}, "`ident` must be"),
        ({"expr": np.full((2, 3000, 3), np.nan)}, "`expr` must be finite"),
        ({"expr": np.array([{}], object)}, "pickled objects are never read"),
    ],
)
def test_wrong_regions_are_refused_by_name(region_folder, tmp_path, changes, reason):
    folder = shutil.copytree(region_folder, tmp_path / "copy")
    with np.load(region_folder / "ict_face.npz") as file:
        arrays = dict(file) | changes
    np.savez(folder / "ict_face.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=rf"ict_face\.npz.*{reason}"):
        open_model(folder)


def test_the_real_face_region(development_data):
    """ICT's own identities and expressions, landmarks near Basel's, eyes that fill their sockets and turn."""
    model = open_model(development_data / "ict")
    assert (len(model.identity), len(model.expression)) == (100, 57)
    points = model.landmark_points(model.mean)
    assert 84 < np.linalg.norm(points[36] - points[45]) < 92
    assert 22 < points[30, 2] < 45, "the nose points at the camera"
    moved = np.linalg.norm(model.landmark_points(model.expression[model.expression_names.index("jawOpen")]), axis=1)
    assert moved[61:64].max() < 5 < 30 < moved[65:68].min(), "upper and lower lip are told apart"
    assert _fixture_error(development_data, points) < 2.4, "ICT's own 68 have 4.9, Basel's 1.95"
    opened = model.expression[model.expression_names.index("jawOpen")]
    teeth = model.regions["teeth"] > 0.5
    drop = np.linalg.norm(opened[teeth], axis=1)
    assert np.mean((drop < 0.1) | (drop > 15)) == 1, "the upper teeth stay, the lower ones go with the jaw"
    outline = model.landmark_points(model.mean, "outline")
    assert _fixture_error(development_data, outline) < 3.2
    iris = (model.albedo_mean[:, 0] < 0.1) & (model.mean[:, 2] > -8)
    for name, axis, sign in (
        ("eyeLookUp_L", 1, 1),
        ("eyeLookDown_L", 1, -1),
        ("eyeLookOut_L", 0, 1),
        ("eyeLookIn_L", 0, -1),
    ):
        turned = model.expression[model.expression_names.index(name)][iris]
        left = model.mean[iris, 0] > 0
        assert sign * turned[left, axis].mean() > 3, name
        assert np.abs(turned[~left]).max() == 0, name


def _fixture_error(development_data, points):
    """NME of a mean face with free scaled-orthographic pose on the fixtures, per cent, mean of the yaw bins."""
    errors = {}
    for path in sorted((development_data / "aflw2000_fixtures").glob("*.mat")):
        truth = scipy.io.loadmat(path)
        image = truth["pt3d_68"][:2].T
        camera = fit_scaled_orthographic(points, image)
        placed = project(points, camera, contract.SCALED_ORTHOGRAPHIC)[:, :2]
        error = np.linalg.norm(placed - image, axis=1).mean() / np.sqrt(np.prod(np.ptp(image, axis=0)))
        errors.setdefault(contract.yaw_bin(np.degrees(truth["Pose_Para"][0, 1])), []).append(100 * error)
    assert len(errors) == 3
    return np.mean([np.mean(values) for values in errors.values()])
