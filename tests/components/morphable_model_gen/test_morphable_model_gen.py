import shutil

import numpy as np
import pytest

from components import artifacts
from components.morphable_model_gen import executor, source, storage
from components.morphable_model_gen.component import MorphableModelGen
from trainer.morphable import io
from trainer.morphable.default import DEFAULT_HEAD_PATH, default_head


def test_artifact_keeps_the_model_and_says_what_it_is(tmp_path):
    component = MorphableModelGen()
    artifact = artifacts.MorphableModelFile()
    artifact.uri = str(tmp_path / "out")
    executor.Executor().Do({}, {"morphable_model": [artifact]}, dict(component.exec_properties))
    model = storage.load_model(artifact.uri)
    head = default_head()
    np.testing.assert_array_equal(model.identity, head.identity)
    assert model.sha256 == head.sha256
    text, number = artifact.get_string_custom_property, artifact.get_int_custom_property
    assert [text(key) for key in ("sha256", "model_name", "licence")] == [head.sha256, head.name, head.licence]
    assert (number("vertex_count"), number("triangle_count")) == (head.vertex_count, head.triangle_count)
    for kind in ("identity", "expression", "albedo"):
        assert number(f"{kind}_count") == len(getattr(head, kind)) > 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [storage.MODEL_FILE_NAME]


def test_missing_source_is_refused_before_any_work(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`source` must be 'default' or the path.*none\.npz"):
        MorphableModelGen(source=str(tmp_path / "none.npz"))


def test_source_that_changed_under_its_name_is_another_source(tmp_path):
    path = tmp_path / "head.npz"
    shutil.copy(DEFAULT_HEAD_PATH, path)
    component = MorphableModelGen(source=str(path))
    built_with = component.exec_properties["digest"]
    assert built_with == source.digest(source.DEFAULT)
    assert source.load(str(path), built_with).sha256 == default_head().sha256
    io.save(default_head().truncated(3, 3), path)
    assert source.digest(str(path)) != built_with
    with pytest.raises(ValueError, match=r"head\.npz' has changed since the pipeline was built"):
        source.load(str(path), built_with)


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04 torn"])
def test_file_that_is_no_model_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz"):
        source.load(str(path))


def test_missing_artifact_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no face model at .*nowhere"):
        storage.load_model(str(tmp_path / "nowhere"))


def _run(component, folder):
    artifact = artifacts.MorphableModelFile()
    artifact.uri = str(folder)
    executor.Executor().Do({}, {"morphable_model": [artifact]}, dict(component.exec_properties))
    return artifact


@pytest.mark.parametrize("of", ["model", "files"])
def test_a_pinned_model_passes_and_any_other_is_refused(tmp_path, of):
    path = tmp_path / "head.npz"
    io.save(default_head().truncated(2, 2), path)
    pinned = io.load(path).sha256 if of == "model" else source.digest(str(path))
    artifact = _run(MorphableModelGen(source=str(path), sha256=pinned), tmp_path / "out")
    assert storage.load_model(artifact.uri).sha256 == io.load(path).sha256
    with pytest.raises(ValueError, match=r"head\.npz is not the face model that is pinned"):
        _run(MorphableModelGen(source=str(path), sha256=default_head().sha256), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_default_head_can_be_pinned(tmp_path):
    _run(MorphableModelGen(sha256=default_head().sha256), tmp_path / "out")
    with pytest.raises(ValueError, match="is pinned"):
        _run(MorphableModelGen(sha256="0" * 64), tmp_path / "other")


def test_what_is_no_model_is_refused_before_any_work(tmp_path):
    (tmp_path / "model.ply").write_bytes(b"ply")
    with pytest.raises(ValueError, match=r"model\.ply is no face model that can be read"):
        MorphableModelGen(source=str(tmp_path / "model.ply"))
    with pytest.raises(ValueError, match="lacks generic_neutral_mesh"):
        MorphableModelGen(source=str(tmp_path))
