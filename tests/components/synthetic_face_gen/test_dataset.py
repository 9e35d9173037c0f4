"""A data set as a folder: rendered once, completed after a kill, never mixed with another."""

import json

import pytest

from components.records import UNFINISHED
from components.synthetic_face_gen import dataset
from components.synthetic_face_gen.config import SyntheticFaceConfig
from trainer.morphable.default import default_head

CONFIG = SyntheticFaceConfig.preset(
    "tiny", count=6, image_size=32, views_per_identity=1, shard_size=3, eval_fraction=0.4
)


@pytest.fixture
def folder(tmp_path):
    assert dataset.write_dataset(CONFIG, default_head(), tmp_path / "faces")
    return tmp_path / "faces"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_data_set_is_not_rendered_twice(folder, monkeypatch):
    before = contents(folder)
    monkeypatch.setattr(dataset.transforms, "generate", None)
    assert not dataset.write_dataset(CONFIG, default_head(), folder)
    assert contents(folder) == before


def test_the_description_names_what_the_examples_depend_on(folder):
    described = json.loads((folder / dataset.DESCRIPTION).read_text())
    assert described["model"] == default_head().sha256
    assert json.loads(described["config"])["count"] == CONFIG.count


def test_a_folder_with_other_faces_is_refused_and_left_alone(folder):
    before = contents(folder)
    other = SyntheticFaceConfig.preset("tiny", count=6, image_size=32, seed=1)
    with pytest.raises(ValueError, match="another one"):
        dataset.write_dataset(other, default_head(), folder)
    assert contents(folder) == before


def test_a_kill_after_the_last_shard_costs_nothing(folder, monkeypatch):
    before = contents(folder)
    (folder / dataset.DESCRIPTION).rename(folder / f"{UNFINISHED}-{dataset.DESCRIPTION}")
    monkeypatch.setattr(dataset.transforms, "generate", None)
    assert dataset.write_dataset(CONFIG, default_head(), folder)
    assert contents(folder) == before
