"""The component's contract, and an executor that a kill does not set back."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from landmark_examples import disc_example, write_shard
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

from components import records
from components.artifacts import LandmarkNetworkFile
from components.landmark_trainer.component import LandmarkTrainer
from components.landmark_trainer.config import LandmarkTrainerConfig
from components.landmark_trainer.executor import Executor
from trainer import configuration
from trainer.landmarks import augment, job, network
from trainer.landmarks.config import LandmarkTrainingConfig

SHORT = {"preset": "tiny", "overrides": {"schedule": {"steps": 2, "batch_size": 4, "checkpoint_steps": 1}}}


def channel() -> types.Channel:
    return types.Channel(type=standard_artifacts.Examples)


def examples(folder: Path, train: int, held_back: int) -> standard_artifacts.Examples:
    made = standard_artifacts.Examples()
    made.uri = str(folder)
    made.split_names = artifact_utils.encode_split_names(list(records.SPLITS))
    for split, first, count in ((records.TRAIN, 0, train), (records.EVAL, 100, held_back)):
        path = Path(records.Shard(split, 0, 1).path(str(folder)))
        path.parent.mkdir(parents=True)
        write_shard(path, [disc_example(first + index) for index in range(count)])
    return made


def output(folder: Path) -> LandmarkNetworkFile:
    made = LandmarkNetworkFile()
    made.uri = str(folder)
    folder.mkdir(parents=True)
    return made


def do(inputs: dict[str, Any], published: LandmarkNetworkFile, **changes: Any) -> None:
    component = LandmarkTrainer(channel(), channel(), json.dumps({**SHORT, **changes}))
    wrapped = {name: [artifact] for name, artifact in inputs.items()}
    Executor().Do(wrapped, {"landmark_network": [published]}, dict(component.exec_properties))


def test_the_whole_training_is_in_the_parameter() -> None:
    component = LandmarkTrainer(channel(), config=json.dumps(SHORT))
    stored = json.loads(component.exec_properties["config"])
    whole = LandmarkTrainingConfig.preset("tiny", **SHORT["overrides"]["schedule"])
    assert stored["overrides"] == configuration.to_mapping(whole)
    assert configuration.from_mapping(LandmarkTrainerConfig, stored).training() == whole
    assert set(component.inputs) == {"synthetic"}
    assert component.outputs["landmark_network"].type is LandmarkNetworkFile
    assert set(LandmarkTrainer(channel(), channel()).inputs) == {"synthetic", "photos"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"preset": "huge"}', "`preset` must be one of"),
        ('{"overrides": {"schedule": {"stepz": 3}}}', "Did you mean `steps`"),
        ('{"overrides": {"network": {"image_size": 50}}}', "multiple of 32"),
        ('{"overrides": 3}', "`overrides` must be a mapping"),
        ('{"photo_share": 1.0}', "`photo_share` must leave at least one photo and one render"),
        ('{"photo_share": 0.001}', "`photo_share` must leave at least one photo and one render"),
        ('{"photo_shar": 0.5}', "Did you mean `photo_share`"),
    ],
)
def test_mistakes_appear_at_construction(config: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LandmarkTrainer(channel(), config=config)


def test_a_killed_executor_is_taken_up_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"synthetic": examples(tmp_path / "renders", 6, 3), "photos": examples(tmp_path / "photos", 3, 2)}
    progress, steps = job._Progress.__call__, []

    def killed(self: Any, step: int, loss: float) -> None:
        steps.append(step)
        if len(steps) == 2:
            raise KeyboardInterrupt
        progress(self, step, loss)

    monkeypatch.setattr(job._Progress, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        do(inputs, output(tmp_path / "networks" / "1"))
    assert list((tmp_path / "networks" / "1").iterdir()) == []
    published = output(tmp_path / "networks" / "2")
    do(inputs, published)
    assert steps == [1, 2, 2]
    folder = Path(published.uri)
    assert sorted(path.name for path in folder.iterdir()) == ["landmarks.npz", "log.jsonl", "report.json"]
    assert network.load(folder / "landmarks.npz")[1] == LandmarkTrainingConfig.preset("tiny").network
    report = json.loads((folder / "report.json").read_text())
    assert (report["renders"]["faces"], report["photos"]["faces"]) == (3, 2)
    counts = {kind: published.get_int_custom_property(f"{kind}_count") for kind in ("renders", "photos")}
    assert counts == report["trained_on"] == {"renders": 6, "photos": 3}
    assert sorted(path.name for path in (tmp_path / "networks").iterdir()) == ["1", "2"]


def test_photos_have_the_configured_share_and_none_do_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    mixed = []

    def stopped(sources: Any, config: Any, step: int) -> Any:
        mixed.append([(len(source.faces), source.share) for source in sources])
        raise InterruptedError

    monkeypatch.setattr(augment, "training_batches", stopped)
    renders = examples(tmp_path / "renders", 6, 3)
    for name, count in (("photos", 3), ("none", 0)):
        inputs = {"synthetic": renders, "photos": examples(tmp_path / name, count, count)}
        with pytest.raises(InterruptedError):
            do(inputs, output(tmp_path / "networks" / name), photo_share=0.25)
    assert mixed == [[(6, 0.75), (3, 0.25)], [(6, 1.0)]]
    assert "There is no example in the split train" in caplog.text


def test_two_runs_of_the_same_work_do_not_share_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"synthetic": examples(tmp_path / "renders", 6, 3)}

    def second(work: job.LandmarkJob) -> None:
        with pytest.raises(RuntimeError, match="Another run is at the same work"):
            do(inputs, output(tmp_path / "networks" / "2"))
        raise InterruptedError

    monkeypatch.setattr(job, "run", second)
    with pytest.raises(InterruptedError):
        do(inputs, output(tmp_path / "networks" / "1"))
