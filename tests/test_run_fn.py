import dataclasses
import json
import logging

import keras
import numpy as np
import pytest
import servable_parts
import tensorflow as tf
import training_parts as parts

from trainer import contract, export, run_fn, training
from trainer.landmarks import network, released
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.models import registry
from trainer.models.tu2019 import backbones
from trainer.morphable import io
from trainer.run_fn import TrainingJob

FACE = parts.face_model()
OVERRIDES = {
    "image_size": 48,
    "batch_size": 4,
    "steps": 6,
    "checkpoint_steps": 2,
    "warmup_steps": 0,
    "landmark_noise": 0.01,
}


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job on a few small faces; a convolution in place of the backbone, and no export."""

    def build(name, width, image_size, outputs):
        images = keras.Input((image_size, image_size, 4))
        features = keras.layers.Flatten()(keras.layers.Conv2D(4, 8, 8, activation="relu")(images))
        return keras.Model(images, keras.layers.Dense(outputs, dtype="float32")(features))

    monkeypatch.setattr(backbones, "build", build)
    exported = []
    monkeypatch.setattr(run_fn, "export_model", lambda *arguments: exported.append(arguments))
    for split, count in (("train", 12), ("eval", 5)):
        first = 100 * (split == "eval")
        parts.write(tmp_path / f"{split}.gz", [parts.features(FACE, first + index) for index in range(count)])
    io.save(FACE, tmp_path / "model.npz")
    made = TrainingJob(
        model="tu2019",
        preset="tiny",
        overrides=OVERRIDES,
        synthetic_train=str(tmp_path / "train*.gz"),
        synthetic_eval=str(tmp_path / "eval*.gz"),
        morphable_model=str(tmp_path / "model.npz"),
        serving_dir=str(tmp_path / "serving"),
        run_dir=str(tmp_path / "run"),
    )
    return made, exported


def test_trains_from_files_to_an_export(job, tmp_path):
    job, exported = job
    metrics = run_fn.train(job)
    assert 0 < metrics["nme_sqrt_box"] < 1
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    assert len(exported) == 1
    assert list((tmp_path / "run" / "logs").rglob("events*"))
    assert training.Checkpoints(f"{job.run_dir}/checkpoints", 2).saved_steps() == [4, 6]
    model = exported[0][2]
    assert int(model.optimizer.iterations) == 6
    mean = np.asarray(model.whitening.mean)
    assert mean[10] != 0  # statistics of the training set, not the layer's defaults
    assert mean[11] == 0
    assert not list((tmp_path / "run").glob("*.unfinished"))


def test_a_killed_run_goes_on_where_it_stopped_and_ends_the_same(job, tmp_path, monkeypatch):
    job, exported = job
    expected = run_fn.train(job)

    again = dataclasses.replace(job, run_dir=str(tmp_path / "again"))
    save = training.Checkpoints.on_epoch_end

    def killed(self, epoch, logs=None):
        save(self, epoch, logs)
        if epoch == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.Checkpoints, "on_epoch_end", killed)
    with pytest.raises(KeyboardInterrupt):
        run_fn.train(again)
    monkeypatch.setattr(training.Checkpoints, "on_epoch_end", save)
    firsts = []
    batches = run_fn.data.training_batches
    monkeypatch.setattr(
        run_fn.data,
        "training_batches",
        lambda *arguments, first_step: firsts.append(first_step) or batches(*arguments, first_step=first_step),
    )
    metrics = run_fn.train(again)
    assert firsts == [2]
    assert len(exported) == 2
    assert metrics == pytest.approx(expected, rel=1e-3)
    for found, whole in zip(exported[1][2].get_weights(), exported[0][2].get_weights(), strict=True):
        np.testing.assert_allclose(found, whole, rtol=1e-3, atol=1e-4)


def test_a_finished_run_is_evaluated_and_exported_again_without_training(job, monkeypatch):
    job, exported = job
    first = run_fn.train(job)
    monkeypatch.setattr(keras.Model, "fit", None)
    assert run_fn.train(job) == pytest.approx(first, rel=1e-5)
    assert len(exported) == 2


def test_a_run_directory_belongs_to_one_job(job):
    job, _ = job
    run_fn.train(job)
    other = dataclasses.replace(job, overrides={**OVERRIDES, "seed": 1})
    with pytest.raises(ValueError, match="another training"):
        run_fn.train(other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "nobody2020"}, "tu2019"),
        ({"preset": "enormous"}, "tiny"),
        ({"overrides": {"stepz": 3}}, "steps"),
        ({"synthetic_train": "/nowhere/*.gz"}, "/nowhere"),
        ({"photos_train": "/nophotos/*.gz"}, "/nophotos"),
        ({"morphable_model": "/no/model.npz"}, "/no/model.npz"),
        ({"landmark_network": "/no/landmarks.npz"}, "`landmark_network` must be a file"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(job, tmp_path, changes, message):
    job, _ = job
    with pytest.raises(ValueError, match=message):
        run_fn.train(dataclasses.replace(job, **changes))
    assert not (tmp_path / "run").exists()


def test_empty_and_damaged_inputs_are_named(job, tmp_path):
    job, _ = job
    parts.write(tmp_path / "none.gz", [])
    with pytest.raises(ValueError, match=r"none\.gz"):
        run_fn.train(dataclasses.replace(job, synthetic_eval=str(tmp_path / "none.gz")))
    (tmp_path / "broken.npz").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"broken\.npz"):
        run_fn.train(dataclasses.replace(job, morphable_model=str(tmp_path / "broken.npz")))
    with pytest.raises(ValueError, match=r"`landmark_network` .*broken\.npz.* not a landmark network"):
        run_fn.train(dataclasses.replace(job, landmark_network=str(tmp_path / "broken.npz")))


def test_photos_join_and_empty_photos_do_not_stop_the_training(job, tmp_path, caplog):
    caplog.set_level(logging.WARNING)  # other tests quieten it
    job, _ = job
    photos = parts.write(tmp_path / "photos.gz", [parts.photo(FACE, index) for index in range(3)])
    assert np.isfinite(run_fn.train(dataclasses.replace(job, photos_train=photos))["loss"])
    empty = parts.write(tmp_path / "empty.gz", [])
    run_fn.train(dataclasses.replace(job, photos_train=empty, run_dir=str(tmp_path / "empty")))
    assert "without photos" in caplog.text


@pytest.mark.parametrize("changes", [{"strategy": "mirrored"}, {"mixed_precision": "mixed_bfloat16"}, {"xla": True}])
def test_every_way_to_train_runs(job, changes):
    job, _ = job
    short = {**OVERRIDES, "steps": 1, "checkpoint_steps": 1}
    assert np.isfinite(run_fn.train(dataclasses.replace(job, overrides={**short, **changes}))["nme_sqrt_box"])


def test_the_given_landmark_network_is_exported_in_place_of_the_released_one(job, tmp_path, monkeypatch):
    job, exported = job
    config = dataclasses.replace(LandmarkNetworkConfig.preset("tiny"), margin=0.4)
    given = network.build(config)
    network.save(given, config, tmp_path / "landmarks.npz")
    run_fn.train(dataclasses.replace(job, landmark_network=str(tmp_path / "landmarks.npz")))
    monkeypatch.undo()
    released_ones = servable_parts.color_patch_networks()
    monkeypatch.setattr(released, "released_networks", lambda: released_ones)
    monkeypatch.setattr(released, "released_locator", lambda: released_ones.locator)
    monkeypatch.setattr(released, "released_config", LandmarkNetworkConfig)
    served = []
    monkeypatch.setattr(export, "export", lambda regressor, networks, *others: served.append((networks, others[-1])))
    run_fn.export_model(*exported[0])
    run_fn.export_model(*exported[0][:-1])
    (own, own_margin), (default, default_margin) = served
    assert own.locator is default.locator is released_ones.locator
    assert default.landmarks is released_ones.landmarks
    assert (own_margin, default_margin) == (0.4, LandmarkNetworkConfig().margin)
    for found, weight in zip(own.landmarks.get_weights(), given.get_weights(), strict=True):
        np.testing.assert_allclose(found, weight, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_export_serves_the_trained_model_in_full_precision(tmp_path, monkeypatch):
    """The SavedModel answers for a photo, and the Keras model beside it has the trained weights."""
    monkeypatch.setattr(released, "released_networks", servable_parts.color_patch_networks)
    monkeypatch.setattr(released, "released_config", LandmarkNetworkConfig)
    overrides = {**OVERRIDES, "mixed_precision": "mixed_bfloat16", "backbone_width": 0.1}
    job = TrainingJob("tu2019", "tiny", "", "", "", str(tmp_path / "serving"), str(tmp_path / "run"), overrides)
    (tmp_path / "run").mkdir()
    config = job.configuration()
    statistics = np.linspace(0, 1, 17), np.linspace(1, 2, 17)
    model = registry.load("tu2019", "build")(config, FACE, statistics)
    run_fn.export_model(job, config, model, FACE, statistics)

    loaded = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert loaded.settings == dataclasses.replace(config, mixed_precision="float32")
    for found, trained in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, trained)
    served = tf.saved_model.load(str(tmp_path / "serving")).signatures[contract.SIGNATURE_WITH_BOX]
    photo = servable_parts.encoded(servable_parts.photo(96, 96, (30, 30, 66, 66)))
    answer = served(
        **{contract.INPUT_IMAGE_BYTES: tf.constant([photo]), contract.INPUT_BOX: tf.constant([[30.0, 30, 66, 66]])}
    )
    assert answer[contract.OUTPUT_LANDMARKS].shape == (1, 68, 3)
    assert np.isfinite(answer[contract.OUTPUT_LANDMARKS]).all()
