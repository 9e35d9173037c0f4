import json

import pytest
import tensorflow as tf
import training_parts as parts
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import LandmarkNetworkFile, MorphableModelFile
from components.face_trainer import executor
from components.face_trainer.component import FaceTrainer
from trainer import configuration, data, run_fn
from trainer.models import registry


def channels(**others):
    return {
        "synthetic": types.Channel(type=standard_artifacts.Examples),
        "morphable_model": types.Channel(type=MorphableModelFile),
        **others,
    }


def artifact(cls, folder, splits=()):
    made = cls()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if splits:
        made.split_names = artifact_utils.encode_split_names(list(splits))
        for split in splits:
            parts.write(folder / f"Split-{split}" / "data-00000-of-00001.gz", [])
    return made


def schema(folder, names):
    made = artifact(standard_artifacts.Schema, folder)
    proto = schema_pb2.Schema(feature=[schema_pb2.Feature(name=name) for name in names])
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(proto))
    return made


@pytest.fixture
def dictionaries(tmp_path):
    inputs = {
        "synthetic": [artifact(standard_artifacts.Examples, tmp_path / "synthetic", ("train", "eval"))],
        "morphable_model": [artifact(MorphableModelFile, tmp_path / "face")],
        "schema": [schema(tmp_path / "schema", data.LABELS)],
    }
    outputs = {
        "model": [artifact(standard_artifacts.Model, tmp_path / "model" / "1")],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "model_run" / "1")],
    }
    return inputs, outputs


def test_the_whole_configuration_is_in_the_parameter():
    component = FaceTrainer(**channels(), config='{"model": "tu2019", "preset": "tiny", "overrides": {"steps": 3}}')
    stored = json.loads(component.exec_properties["config"])
    whole = registry.configure("tu2019", "tiny", {"steps": 3})
    assert stored["overrides"] == configuration.to_mapping(whole)
    assert set(component.outputs) == {"model", "model_run"}
    assert "photos" not in component.inputs


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"model": "nobody"}', "tu2019"),
        ('{"preset": "huge"}', "tiny"),
        ('{"overrides": {"stepz": 3}}', "steps"),
        ('{"overrides": {"steps": -3}}', "steps"),
        ('{"mode": "tu2019"}', "model"),
    ],
)
def test_mistakes_appear_at_construction(config, message):
    with pytest.raises(ValueError, match=message):
        FaceTrainer(**channels(), config=config)


def test_executor_trains_in_a_folder_of_the_work_and_publishes(dictionaries, monkeypatch, tmp_path):
    inputs, outputs = dictionaries
    photos = artifact(standard_artifacts.Examples, tmp_path / "photos", ("train", "eval"))
    landmarks = artifact(LandmarkNetworkFile, tmp_path / "landmarks")
    inputs |= {"photos": [photos], "landmark_network": [landmarks]}
    optional = {"photos": standard_artifacts.Examples, "landmark_network": LandmarkNetworkFile}
    component = FaceTrainer(**channels(**{name: types.Channel(type=kind) for name, kind in optional.items()}))
    assert set(optional) < set(component.inputs)
    jobs = []

    def train(job):
        jobs.append(job)
        tf.io.gfile.makedirs(f"{job.run_dir}/logs")
        (tmp_path / "made").write_text("x")
        tf.io.gfile.copy(str(tmp_path / "made"), f"{job.run_dir}/metrics.json", overwrite=True)
        if len(jobs) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(run_fn, "train", train)
    properties = dict(component.exec_properties)
    with pytest.raises(KeyboardInterrupt):
        executor.Executor().Do(inputs, outputs, properties)
    second = {**outputs, "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "model_run" / "2")]}
    executor.Executor().Do(inputs, second, properties)
    assert jobs[0].run_dir == jobs[1].run_dir  # another run of the pipeline finds the killed one's checkpoints
    assert sorted(path.name for path in (tmp_path / "model_run" / "2").iterdir()) == ["logs", "metrics.json"]
    assert not tf.io.gfile.exists(jobs[1].run_dir)
    assert jobs[1].serving_dir == str(tmp_path / "model" / "1" / "Format-Serving")
    assert len(run_fn.data.find_files(jobs[1].synthetic_eval)) == 1
    assert len(run_fn.data.find_files(jobs[1].photos_train)) == 1
    assert jobs[1].landmark_network == str(tmp_path / "landmarks" / "landmarks.npz")
    assert jobs[1].configuration() == registry.configure("tu2019", "tiny")


def test_executor_refuses_a_schema_that_lacks_a_label(dictionaries, tmp_path):
    inputs, outputs = dictionaries
    lacking = {**inputs, "schema": [schema(tmp_path / "lacking", data.LABELS[:-1])]}
    component = FaceTrainer(**channels(), config="{}")
    with pytest.raises(ValueError, match=data.LABELS[-1]):
        executor.Executor().Do(lacking, outputs, dict(component.exec_properties))
