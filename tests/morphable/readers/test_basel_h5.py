"""Basel models of 2017 and 2019: the default head, written in the statismo format, comes back."""

import json

import h5py
import numpy as np
import pytest
import source_files
from source_files import head

from trainer.morphable.default import default_head
from trainer.morphable.readers import basel_h5
from trainer.morphable.readers.open_model import open_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return open_model(source_files.save_basel_h5(tmp_path_factory.mktemp("h5") / "model2019_head.h5"))


def test_geometry_comes_back(model):
    shift = (model.mean - 0.25) - head().mean
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-3)
    np.testing.assert_allclose(model.identity, head().identity, atol=1e-3)
    np.testing.assert_allclose(model.expression, head().expression, atol=1e-3)
    np.testing.assert_array_equal(model.triangles, head().triangles)
    np.testing.assert_allclose(model.albedo_mean, head().albedo_mean, atol=1e-4)
    assert model.name == "model2019_head"


def test_named_landmarks_are_kept_and_the_others_found(model):
    """The head's own places are known: those that the file names are exact, the rest near."""
    offset = model.mean[0] - head().mean[0]
    found = model.landmark_points(model.mean) - offset
    named = list(source_files.NAMES.values())
    np.testing.assert_allclose(found[named], head().mean[source_files.landmark_vertices()[named]], atol=1e-2)
    distance = np.linalg.norm(found - head().landmark_points(head().mean), axis=1)
    assert np.median(distance) < 1.5
    assert distance.max() < 6
    assert model.provenance["landmarks from the file"] == {"basel": len(named)}


def test_lips_keep_their_side(model):
    """Upper and lower lip lie on each other: opening the jaw must part their landmarks."""
    full = default_head()
    jaw_mode = full.expression[full.expression_names.index("jawOpen")]
    moved = np.linalg.norm(model.landmark_points(jaw_mode), axis=1)
    assert moved[61:64].max() < 0.5 * moved[65:68].min()


@pytest.mark.parametrize("minor_version", [8, None])
def test_a_basis_of_version_0_8_carries_its_scale(tmp_path, minor_version):
    changes = {}
    if minor_version is None:
        changes = {f"{part}/version/minorVersion": None for part in ("shape", "color", "expression")}
    path = source_files.save_basel_h5(tmp_path / "old.h5", 8, **changes)
    source = basel_h5.read(path, {})
    np.testing.assert_allclose(source.identity, head().identity, atol=1e-3)


def test_geometry_alone_is_enough(tmp_path):
    leave = ("mean", "pcaBasis", "pcaVariance", "noiseVariance")
    changes = {f"{part}/model/{name}": None for part in ("color", "expression") for name in leave}
    source = basel_h5.read(source_files.save_basel_h5(tmp_path / "shape.h5", **changes), {})
    assert source.expression is None
    assert source.albedo_mean is None


def _deep():
    return "[" * 200_000


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape/model/mean": None}, "it lacks shape/model/mean"),
        ({"shape/model/mean": np.zeros(7)}, r"shape/model/mean must be \[3V\]"),
        ({"shape/model/pcaBasis": np.zeros((9, 3))}, "shape/model/pcaBasis must be"),
        ({"shape/model/pcaBasis": np.full((9, 3), np.nan)}, "NaN"),
        ({"shape/model/pcaVariance": -np.ones(3)}, "must be 0 or more"),
        ({"shape/model/pcaVariance": np.ones((1, 4))}, "pcaBasis must be"),
        ({"shape/representer/cells": np.zeros((2, 9), int)}, r"cells must be \[3, N\]"),
        ({"shape/representer/cells": np.zeros((3, 9))}, "cells must be integers"),
        ({"shape/representer/cells": np.full((3, 9), -1)}, "triangles must hold vertices"),
        ({"shape/representer/cells": np.full((3, 9), 1 << 40)}, "triangles must hold vertices"),
        ({"shape/version/minorVersion": np.int32(12)}, "must be 0.8 or 0.9"),
        ({"color/model/mean": np.zeros(30)}, "color/model/pcaBasis must be"),
        ({"metadata/landmarks/json": None}, "landmarks of this mesh of .* are not known"),
        ({"metadata/landmarks/json": "{"}, "cannot be read"),
        ({"metadata/landmarks/json": _deep()}, "cannot be read"),
        ({"metadata/landmarks/json": "{}"}, "must be a JSON list"),
        ({"metadata/landmarks/json": "[3]"}, "JSON object"),
        ({"metadata/landmarks/json": json.dumps([{"id": "center.nose.tip"}])}, "three numbers"),
        ({"metadata/landmarks/json": '[{"id": "center.nose.tip", "coordinates": [1, 2, NaN]}]'}, "not finite"),
        ({"metadata/landmarks/json": np.zeros(3)}, "must be text"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path, changes, reason):
    path = source_files.save_basel_h5(tmp_path / "wrong.h5", **changes)
    with pytest.raises(ValueError, match=rf"wrong\.h5.*{reason}"):
        open_model(path)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6, 0.99])
def test_truncated_files_are_refused_by_name(tmp_path, kept):
    path = source_files.save_basel_h5(tmp_path / "cut.h5")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match=r"cut\.h5 cannot be read"):
        open_model(path)


def test_links_to_other_files_are_not_followed(tmp_path):
    good = source_files.save_basel_h5(tmp_path / "good.h5")
    path = source_files.save_basel_h5(tmp_path / "wrong.h5", **{"shape/model/mean": None})
    with h5py.File(path, "r+") as file:
        file["shape/model/mean"] = h5py.ExternalLink(str(good), "/shape/model/mean")
    with pytest.raises(ValueError, match=r"wrong\.h5.*never followed"):
        open_model(path)
