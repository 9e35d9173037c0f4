"""A whole training: from shards to weights and a report, stopped and gone on, with photos and without."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from landmark_examples import disc_example, write_shard

from trainer import contract
from trainer.landmarks import augment, network
from trainer.landmarks import job as jobs
from trainer.landmarks.config import LandmarkTrainingConfig

CONFIG = LandmarkTrainingConfig.preset("tiny", steps=4, batch_size=4, checkpoint_steps=2)
POSED = {contract.POSE_EULER: (40.0, 0.0, 0.0)}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Files of ten renders, four held back, three photos and three held back."""
    folder = tmp_path_factory.mktemp("shards")
    outline = {contract.LANDMARKS_SET: "outline"}
    return {
        "renders": [write_shard(folder / "renders.gz", [disc_example(seed, POSED) for seed in range(10)])],
        "held_back": [write_shard(folder / "held.gz", [disc_example(seed, POSED) for seed in range(20, 24)])],
        "photos": [write_shard(folder / "photos.gz", [disc_example(seed, outline) for seed in range(30, 33)])],
        "held_back_photos": [write_shard(folder / "eval.gz", [disc_example(seed, outline) for seed in range(40, 43)])],
    }


def renders_alone(shards):
    return {name: shards[name] for name in ("renders", "held_back")}


def test_renders_alone_give_weights_log_and_report(shards, tmp_path):
    report = jobs.run(jobs.LandmarkJob(CONFIG, **renders_alone(shards), run_dir=str(tmp_path)))
    assert network.load(tmp_path / "landmarks.npz")[1] == CONFIG.network
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert report["trained_on"] == {"renders": 10}
    assert "photos" not in report
    assert report["config"]["schedule"]["seed"] == CONFIG.schedule.seed
    assert report["renders"]["faces"] == 4
    assert list(report["renders"]["basel"]["bins"]) == ["30-60"]
    assert report["renders"]["basel"]["image"] > 0
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


def test_photos_are_mixed_in_by_their_share(shards, tmp_path, monkeypatch):
    seen = []
    training_batches = augment.training_batches

    def spied(sources, config, step):
        seen.extend(sources)
        return training_batches(sources, config, step)

    monkeypatch.setattr(augment, "training_batches", spied)
    report = jobs.run(jobs.LandmarkJob(CONFIG, **shards, run_dir=str(tmp_path), photo_share=0.25))
    assert [(len(source.faces), source.share) for source in seen] == [(10, 0.75), (3, 0.25)]
    assert report["trained_on"] == {"renders": 10, "photos": 3}
    assert report["photos"]["faces"] == 3


def test_a_stopped_job_goes_on_from_its_checkpoint(shards, tmp_path, monkeypatch):
    job = jobs.LandmarkJob(CONFIG, **shards, run_dir=str(tmp_path / "halves"))
    whole = jobs.run(dataclasses.replace(job, run_dir=str(tmp_path / "whole")))
    augmented, calls = augment.augmented, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 8:  # the sources of step 3, or 4: batches are made one ahead
            raise KeyboardInterrupt
        return augmented(*arguments)

    monkeypatch.setattr(augment, "augmented", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(job)
    assert not (tmp_path / "halves" / "report.json").exists()
    made = (tmp_path / "halves" / "canvases" / "renders" / "images.u8").stat().st_mtime_ns
    monkeypatch.setattr(augment, "augmented", augmented)
    steps = []
    monkeypatch.setattr(jobs._Progress, "__call__", lambda self, step, loss: steps.append(step))
    resumed = jobs.run(job)
    assert steps == [3, 4]
    assert (tmp_path / "halves" / "canvases" / "renders" / "images.u8").stat().st_mtime_ns == made
    for kind in ("renders", "photos"):
        assert resumed[kind]["basel"]["image"] == pytest.approx(whole[kind]["basel"]["image"], rel=1e-2)


def test_a_finished_job_is_evaluated_again_without_training(shards, tmp_path, monkeypatch):
    job = jobs.LandmarkJob(CONFIG, **renders_alone(shards), run_dir=str(tmp_path))
    report = jobs.run(job)
    (tmp_path / "report.json").unlink()
    monkeypatch.setattr(jobs._Progress, "__call__", None)
    assert jobs.run(job) == report


def test_nothing_held_back_is_found_before_the_training(shards, tmp_path):
    with pytest.raises(ValueError, match="`shards` must name at least one file"):
        jobs.run(jobs.LandmarkJob(CONFIG, shards["renders"], [], str(tmp_path)))
    assert not (tmp_path / "log.jsonl").exists()


def test_what_cannot_be_told_is_null_in_the_report(shards, tmp_path):
    """Two faces have no rank correlation."""
    two = write_shard(tmp_path / "two.gz", [disc_example(seed) for seed in range(2)])
    job = jobs.LandmarkJob(CONFIG, shards["renders"], [two], str(tmp_path / "run"))
    assert jobs.run(job)["renders"]["basel"]["confidence_rank_correlation"] is None
    json.loads((tmp_path / "run" / "report.json").read_text(), parse_constant=pytest.fail)


def test_an_object_store_keeps_what_a_killed_run_needs(shards, monkeypatch):
    """TensorFlow's file system in memory stands for the store."""
    home = "ram://bucket/run"
    job = jobs.LandmarkJob(CONFIG, **renders_alone(shards), run_dir=home)
    progress = jobs._Progress.__call__

    def killed(self, step, loss):
        progress(self, step, loss)
        if step == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs._Progress, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(job)
    assert not tf.io.gfile.exists(f"{home}/report.json")
    steps = []
    monkeypatch.setattr(jobs._Progress, "__call__", lambda self, step, loss: steps.append(step))
    report = jobs.run(job)
    assert steps == [3, 4]
    with tf.io.gfile.GFile(f"{home}/report.json") as stream:
        assert json.load(stream) == report
    assert tf.io.gfile.exists(f"{home}/landmarks.npz")
    assert not tf.io.gfile.exists(f"{home}/canvases")
    assert np.isfinite(report["renders"]["basel"]["image"])
