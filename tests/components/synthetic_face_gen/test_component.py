import json

import pytest
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components import artifacts, records
from components.morphable_model_gen import storage
from components.synthetic_face_gen import executor, sharding, transforms
from components.synthetic_face_gen.component import SyntheticFaceGen
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import GENERATOR_VERSION
from trainer.morphable.default import default_head


@pytest.fixture
def model_channel(tmp_path):
    model = artifacts.MorphableModelFile()
    model.uri = str(tmp_path / "model")
    return channel_utils.as_channel([model])


def test_component_spells_the_configuration_out(model_channel):
    component = SyntheticFaceGen(model_channel, config='{"preset": "tiny", "seed": 7}')
    config = SyntheticFaceConfig.from_json(component.exec_properties["config"])
    assert config == SyntheticFaceConfig.preset("tiny", seed=7)
    assert "preset" not in json.loads(component.exec_properties["config"])
    assert component.exec_properties["generator_version"] == GENERATOR_VERSION
    types = {name: channel.type for name, channel in component.outputs.items()}
    assert types == {"examples": standard_artifacts.Examples, "dead_letters": artifacts.DeadLetters}


@pytest.mark.parametrize("config", ['{"count": -1}', '{"cuont": 1}', "{", '{"preset": "huge"}'])
def test_wrong_configuration_is_refused_before_any_work(model_channel, config):
    with pytest.raises(ValueError, match=r"Received|no field|Known"):
        SyntheticFaceGen(model_channel, config=config)


def test_missing_background_is_refused_before_any_work(model_channel, tmp_path):
    with pytest.raises(FileNotFoundError, match="background"):
        SyntheticFaceGen(model_channel, config=json.dumps({"background": str(tmp_path / "none")}))


def test_changed_background_photographs_are_not_cached_ones(model_channel, tmp_path):
    config = json.dumps({"background": str(tmp_path)})
    with pytest.raises(FileNotFoundError, match="which has none"):
        SyntheticFaceGen(model_channel, config=config)
    (tmp_path / "a.jpg").write_bytes(b"one")
    first = SyntheticFaceGen(model_channel, config=config).exec_properties
    assert SyntheticFaceGen(model_channel, config=config).exec_properties == first
    (tmp_path / "a.jpg").write_bytes(b"another")
    assert SyntheticFaceGen(model_channel, config=config).exec_properties != first


def test_executor_fills_the_artifacts(model_channel, tmp_path):
    config = SyntheticFaceConfig(count=4, image_size=32, views_per_identity=1, eval_fraction=0.5)
    model, examples, letters = artifacts.MorphableModelFile(), standard_artifacts.Examples(), artifacts.DeadLetters()
    for artifact, name in ((model, "model"), (examples, "examples/3"), (letters, "dead_letters/3")):
        artifact.uri = str(tmp_path / name)
    storage.save_model(default_head(), model.uri)
    context = base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=list(transforms.IN_PROCESS))
    executor.Executor(context).Do(
        {"morphable_model": [model]},
        {"examples": [examples], "dead_letters": [letters]},
        {"config": config.to_json(), "generator_version": GENERATOR_VERSION},
    )
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert examples_utils.get_payload_format(examples)
    for shard in sharding.shards(config):
        split = artifact_utils.get_split_uri([examples], shard.split)
        assert shard.path(examples.uri).startswith(split)
        assert len(list(records.read_shard(shard.path(examples.uri)))) == 2
