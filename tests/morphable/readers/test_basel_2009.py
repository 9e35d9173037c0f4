"""The Basel model of 2009 in its files: the default head, written as Basel and 300W-LP write theirs, comes back."""

import numpy as np
import pytest
import source_files
from source_files import head

from trainer.morphable.readers import basel_2009, basel_landmarks
from trainer.morphable.readers.open_model import open_model


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bfm")
    source_files.save_mat(folder / "Model_Shape.mat", source_files.trimmed_shape())
    source_files.save_mat(folder / "Model_Exp.mat", source_files.expressions())
    return folder


@pytest.fixture(scope="module")
def model(trimmed):
    return open_model(trimmed)


def test_units_axes_and_triangles_are_converted(model):
    """Micrometres, 1-based, turned inside out and with another origin in the file."""
    shift = (model.mean - 0.25) - head().mean
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=2e-3)
    np.testing.assert_array_equal(model.triangles, head().triangles)
    points = model.landmark_points(model.mean - 0.25)
    np.testing.assert_allclose(points[36:48].mean(axis=0) + points[48:].mean(axis=0), 0, atol=1e-3)


def test_coefficients_are_standard_deviations(model):
    np.testing.assert_allclose(model.identity, head().identity, atol=1e-3)
    np.testing.assert_allclose(model.expression, head().expression, atol=1e-3)
    np.testing.assert_allclose(model.identity_sd, [np.linalg.norm(mode) for mode in head().identity], rtol=1e-3)
    assert (model.expression_sd == 1).all()
    np.testing.assert_array_equal(model.expression_range, [[-3, 3]] * 2)


def test_parameters_of_300w_lp_mean_the_same(trimmed, model):
    """Their formula: mu_shape + mu_exp + w · Shape_Para + w_exp · Exp_Para, micrometres."""
    shape, expression = source_files.trimmed_shape(), source_files.expressions()
    shape_para, exp_para = np.array([[5.0], [-2.0], [1.0]]), np.array([[0.3], [-1.5]])
    theirs = shape["mu_shape"] + expression["mu_exp"] + shape["w"] @ shape_para + expression["w_exp"] @ exp_para
    ours = model.vertices((shape_para / shape["sigma"]).ravel(), (exp_para / expression["sigma_exp"]).ravel())
    difference = ours - theirs.reshape(-1, 3) / 1000
    np.testing.assert_allclose(difference, np.broadcast_to(difference[0], difference.shape), atol=3e-3)


def test_the_files_keypoints_are_the_basel_set(model):
    np.testing.assert_allclose(
        model.landmark_points(model.mean), model.mean[source_files.landmark_vertices()], atol=1e-3
    )
    assert model.provenance["landmarks from the file"] == {"basel": 68}
    ours = model.landmark_points(model.mean, "outline") - model.mean[0]
    known = head().landmark_points(head().mean, "outline") - head().mean[0]
    distance = np.linalg.norm(ours - known, axis=1)
    assert np.median(distance) < 1.5
    assert distance.max() < 6


def test_colours_become_linear_light(model):
    np.testing.assert_allclose(model.albedo_mean, head().albedo_mean, atol=2e-3)
    assert len(model.albedo) == 0, "without texEV the scale of colour modes is unknown"


def test_what_was_read_is_recorded(trimmed, model):
    assert model.provenance["source"]["files"] == ["Model_Shape.mat", "Model_Exp.mat"]
    assert model.provenance["triangles turned outwards"] is True
    assert model.licence == "LicenseRef-Basel-Face-Model"
    np.testing.assert_array_equal(model.mirror[model.mirror], np.arange(model.vertex_count))


def test_basels_own_file_with_a_table_of_landmarks_and_colour_modes(tmp_path):
    source_files.save_mat(tmp_path / basel_2009.PUBLIC, source_files.basel_2009())
    table = tmp_path / "table.txt"
    lines = [f"{index + 1} = {vertex} # a comment" for index, vertex in enumerate(source_files.landmark_vertices())]
    table.write_text("\n".join(["# eos", "[landmark_mappings]", *lines[17:], "[contour_landmarks]", "right = [ 1,"]))
    with pytest.raises(ValueError, match=r"01_Morph.*landmarks of this mesh of \d+ vertices are not known"):
        open_model(tmp_path / basel_2009.PUBLIC)
    model = open_model(tmp_path / basel_2009.PUBLIC, landmark_tables=table)
    assert (len(model.identity), len(model.expression), len(model.albedo)) == (3, 0, 2)
    at = source_files.landmark_vertices()[17:]
    np.testing.assert_allclose(model.landmark_points(model.mean)[17:], model.mean[at], atol=1e-3)
    # A small step in sRGB is the same small step in linear light.
    colors = source_files.basel_2009()
    encoded = (colors["texMU"].ravel() + 0.1 * colors["texEV"][0, 0] * colors["texPC"][:, 0]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).reshape(-1, 3)
    np.testing.assert_allclose(model.albedo_mean + 0.1 * model.albedo[0], linear, atol=3e-3)


def test_model_info_cuts_it_as_300w_lp_does(tmp_path):
    """Half of the vertices in another order: the cut must gather rows of three."""
    full = source_files.basel_2009()
    order = np.random.default_rng(0).permutation(head().vertex_count)
    place = np.argsort(order)
    tri = place[head().triangles].T + 1
    info = {"trimIndex": order[:, None] + 1, "tri": tri, "keypoints": place[source_files.landmark_vertices()][None] + 1}
    source_files.save_mat(tmp_path / "01_MorphableModel.mat", full)
    source_files.save_mat(tmp_path / "model_info.mat", info)
    variables = basel_2009.read(tmp_path / "01_MorphableModel.mat", {})
    np.testing.assert_allclose(variables.vertices, head().mean[order] + source_files.SHIFT, atol=1e-3)
    np.testing.assert_allclose(variables.identity, head().identity[:, order], atol=1e-3)
    np.testing.assert_array_equal(variables.triangles, tri.T - 1)
    assert len(variables.known["basel"]) == 68


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mu_shape": None}, "must hold `shapeMU`"),
        ({"sigma": None}, "lacks sigma"),
        ({"tri": lambda a: a * 0}, r"`tri` must hold vertices in \[1, "),
        ({"tri": lambda a: a + 0.5}, "`tri` must hold vertices"),
        ({"tri": lambda a: a + 1e9}, "`tri` must hold vertices"),
        ({"tri": lambda a: a[:2]}, "`tri` must be"),
        ({"mu_shape": lambda a: a[:-1]}, "`mu_shape` must be"),
        ({"mu_shape": lambda a: np.full_like(a, np.nan)}, "`mu_shape` holds NaN"),
        ({"w": lambda a: np.full_like(a, np.inf)}, "`w` or `sigma` holds NaN"),
        ({"w": lambda a: a[:-3]}, "`w` must be"),
        ({"sigma": lambda a: a[:2]}, "`w` must be"),
        ({"keypoints": lambda a: a[:, :60]}, "`keypoints` must be 68"),
        ({"keypoints": lambda a: a * 0 - 1}, "`keypoints` must hold"),
        ({"mu_tex": lambda a: a[:-3]}, "`mu_tex` has"),
        ({"mu_shape": lambda a: a / 1000}, "apart; they are 0.0"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path, changes, reason):
    variables = source_files.trimmed_shape()
    for name, change in changes.items():
        variables[name] = None if change is None else change(np.asarray(variables[name], np.float64))
    path = tmp_path / "Model_Shape.mat"
    source_files.save_mat(path, {name: value for name, value in variables.items() if value is not None}, False)
    with pytest.raises(ValueError, match=rf"Model_Shape\.mat.*{reason}"):
        open_model(path)


def test_expressions_of_another_mesh_are_refused(tmp_path, trimmed):
    wrong = {name: value[:-3] if len(value) > 3 else value for name, value in source_files.expressions().items()}
    source_files.save_mat(tmp_path / "Model_Exp.mat", wrong)
    (tmp_path / "Model_Shape.mat").symlink_to(trimmed / "Model_Shape.mat")
    with pytest.raises(ValueError, match=r"Model_Exp\.mat has \d+ vertices, the shape"):
        open_model(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no table",
        "0 = 4",
        "69 = 4",
        "1 = -4",
        "1 = x",
        '{"iris": []}',
        '{"basel": [1, 2]}',
        '{"basel": {}}',
        "[" * 100_000,
    ],
)
def test_a_table_that_is_none_is_refused_by_name(tmp_path, content):
    (tmp_path / "table.txt").write_text(content)
    with pytest.raises(ValueError, match=r"table\.txt is not a table of landmarks"):
        basel_landmarks.read_table(tmp_path / "table.txt")


def test_a_json_table_may_be_partial(tmp_path):
    (tmp_path / "table.json").write_text('{"outline": [' + "null, " * 67 + "12]}")
    assert basel_landmarks.read_table(tmp_path / "table.json") == {"outline": {67: 12}}


def test_the_known_tables_are_those_of_the_files_they_are_for(development_data):
    flat = np.load(development_data / "landmark_tables" / "keypoints_bfm2009_53215.npy").reshape(68, 3)
    np.testing.assert_array_equal(flat // 3, np.array(basel_landmarks.TRIMMED_BASEL)[:, None].repeat(3, axis=1))
    table = basel_landmarks.read_table(development_data / "landmark_tables" / "ibug_to_bfm2009.txt")["basel"]
    assert basel_landmarks.public_points().items() <= table.items()
