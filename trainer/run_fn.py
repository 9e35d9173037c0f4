"""Trains a model from shards of examples to a SavedModel; what a pipeline's trainer node runs, and anyone else may."""

import dataclasses
import json
import logging
import math
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from trainer import configuration, contract, data, training
from trainer.landmarks import network
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.layers import whitening
from trainer.models import registry
from trainer.morphable import io
from trainer.morphable.model import MorphableModel

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class TrainingJob:
    """One training: what, from which files, to which folders."""

    model: str
    """Name of the model in `trainer.models.registry`."""
    preset: str
    """Name of one of its presets."""
    synthetic_train: str
    """Pattern of the rendered training faces' files: GZIP TFRecords of `tf.Example`s by the contract."""
    synthetic_eval: str
    """Pattern of the held-out rendered faces' files."""
    morphable_model: str
    """Path of the face model whose parameters the examples carry, in the native format."""
    serving_dir: str
    """Where the SavedModel goes; it appears there whole, at the end."""
    run_dir: str
    """Where the run keeps checkpoints, TensorBoard's logs, statistics, the trained Keras model and the metrics."""
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of the configuration that differ from the preset."""
    photos_train: str | None = None
    """Pattern of photos' files with landmarks; None trains without."""
    landmark_network: str | None = None
    """Path of the landmark network that is served beside the model, as `trainer.landmarks.network.save` writes it; None takes
    the released one."""

    def configuration(self) -> Any:
        """The model's configuration.

        Raises:
            ValueError: If model, preset or a field is unknown, or a value does not fit.
        """
        return registry.configure(self.model, self.preset, self.overrides)


def train(job: TrainingJob) -> dict[str, float]:
    """Trains, evaluates and exports. A run that was killed goes on from its last checkpoint when called again.

    Args:
        job: What to train.

    Returns:
        Metrics on the held-out faces, `nme_sqrt_box` (a fraction) among them; they are in `run_dir/metrics.json` too.

    Raises:
        ValueError: If the job is wrong, a file is missing or damaged, or `run_dir` belongs to another job. Nothing has been
            written then.
    """
    config = job.configuration()
    face = _load_face(job.morphable_model)
    landmarks = _load_landmark_network(job.landmark_network) if job.landmark_network else None
    files = data.find_files(job.synthetic_train), data.find_files(job.synthetic_eval)
    photos = data.find_files(job.photos_train) if job.photos_train else []
    for split in files:
        if not data.has_records(split):
            raise ValueError(f"There is no example in {split[0]} and the {len(split) - 1} files beside it.")
    if photos and not data.has_records(photos):
        logging.warning("There is no photo in %s: training goes without photos.", job.photos_train)
        photos = []
    options = input_options(config, *registry.load(job.model, "counts")(config, face))
    basis = face.landmark_basis(contract.LANDMARK_SETS[0])
    _claim(job, config)

    keras.utils.set_random_seed(config.seed)
    statistics = _statistics(job, config, files[0], options, basis)
    evaluation = data.evaluation_batches(files[1], options, basis)
    with training.strategy(config).scope():
        model = registry.load(job.model, "build")(config, face, statistics)
        model.compile(training.optimizer(config), jit_compile=config.xla)
    epochs = math.ceil(config.steps / config.checkpoint_steps)
    checkpoints = training.Checkpoints(f"{job.run_dir}/checkpoints", math.ceil(config.steps / epochs))
    done = checkpoints.restore(model)
    if done < epochs * checkpoints.steps_per_epoch:
        model.fit(
            data.training_batches(files[0], photos, options, basis, first_step=done),
            initial_epoch=done // checkpoints.steps_per_epoch,
            epochs=epochs,
            steps_per_epoch=checkpoints.steps_per_epoch,
            validation_data=evaluation,
            callbacks=[checkpoints, keras.callbacks.TensorBoard(f"{job.run_dir}/logs", write_graph=False)],
            verbose=1 if sys.stdout.isatty() else 2,
        )
    metrics = {name: float(value) for name, value in model.evaluate(evaluation, return_dict=True, verbose=0).items()}
    _write(f"{job.run_dir}/metrics.json", json.dumps(metrics, indent=2).encode())
    export_model(job, config, model, face, statistics, landmarks)
    return metrics


def input_options(config: Any, shape_count: int, expression_count: int) -> data.InputOptions:
    """What a configuration says about a model's inputs.

    Args:
        config: A model's configuration; fields of the same name are taken over.
        shape_count: Identity coefficients that the model learns.
        expression_count: Expression coefficients that the model learns.
    """
    counts = {"shape_count": shape_count, "expression_count": expression_count}
    shared = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(data.InputOptions)
        if hasattr(config, field.name)
    }
    return data.InputOptions(**{**shared, **counts})


def export_model(
    job: TrainingJob,
    config: Any,
    model: keras.Model,
    face: MorphableModel,
    statistics: tuple[Any, Any],
    landmarks: tuple[keras.Model, LandmarkNetworkConfig] | None = None,
) -> None:
    """Writes the trained model, as Keras saves it and as a SavedModel; each appears whole or not at all (an object store knows no
    renaming of folders: there, `saved_model.pb` comes last).

    A model that was trained in mixed precision serves in float32.

    Args:
        job: Where to write.
        config: The model's configuration.
        model: The trained model.
        face: The face model that it learned from.
        statistics: What it was built with.
        landmarks: The landmark network that is served beside it and its configuration; None takes the released one.
    """
    # The export drags in the landmark network and every signature: not for those who only train.
    from trainer import export
    from trainer.landmarks import released
    from trainer.landmarks.finder import FaceNetworks

    if config.mixed_precision != "float32":
        full = dataclasses.replace(config, mixed_precision="float32")
        trained = model
        model = registry.load(job.model, "build")(full, face, statistics)
        model.set_weights(trained.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        _write(f"{job.run_dir}/model.keras", saved.read_bytes())
    regressor = registry.load(job.model, "reconstructor")(model)
    shape_count, expression_count = registry.load(job.model, "counts")(config, face)
    if landmarks is None:
        networks, margin = released.released_networks(), released.released_config().margin
    else:
        networks, margin = FaceNetworks(landmarks[0], released.released_locator()), landmarks[1].margin
    with tempfile.TemporaryDirectory() as folder:
        remote = "://" in job.serving_dir
        target = str(Path(folder) / "servable") if remote else job.serving_dir
        export.export(regressor, networks, face.truncated(shape_count, expression_count, 0), target, margin)
        if remote:
            _upload(target, job.serving_dir)


def _upload(source: str, target: str) -> None:
    """Copies a SavedModel to an object store, the file that makes it one at the end."""
    files = [path for path in sorted(Path(source).rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == "saved_model.pb"):
        copied = f"{target}/{path.relative_to(source).as_posix()}"
        tf.io.gfile.makedirs(copied.rsplit("/", 1)[0])
        tf.io.gfile.copy(str(path), copied, overwrite=True)


def _statistics(
    job: TrainingJob, config: Any, files: list[str], options: data.InputOptions, basis: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the training set's parameters, computed once per run directory."""
    path = f"{job.run_dir}/statistics.json"
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as stream:
            stored = json.load(stream)
        return np.array(stored["mean"], np.float32), np.array(stored["deviation"], np.float32)
    batches = data.parameter_batches(files, options, basis).unbatch().take(config.whitening_examples).batch(256)
    mean, deviation = whitening.statistics(batches.as_numpy_iterator())
    _write(path, json.dumps({"mean": mean.tolist(), "deviation": deviation.tolist()}).encode())
    return mean, deviation


def _load_face(path: str) -> MorphableModel:
    """The face model of a file that may lie on any file system TensorFlow knows."""
    return _load("morphable_model", path, io.load)


def _load_landmark_network(path: str) -> tuple[keras.Model, LandmarkNetworkConfig]:
    """The same of a landmark network."""
    return _load("landmark_network", path, network.load)


def _load(field: str, path: str, load: Callable[[Path], T]) -> T:
    """What a job's field names, read by `load` from a copy on this machine."""
    if not tf.io.gfile.exists(path):
        raise ValueError(f"`{field}` must be a file. Received: {path!r}, which does not exist.")
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / Path(path).name
        tf.io.gfile.copy(path, str(local))
        try:
            return load(local)
        except ValueError as error:
            raise ValueError(f"`{field}` {path!r}: {error}") from error


def _claim(job: TrainingJob, config: Any) -> None:
    """Notes in the run directory what is trained there, or makes sure that it is the same."""
    wanted = {"model": job.model, "config": configuration.to_mapping(config), "synthetic_train": job.synthetic_train}
    path = f"{job.run_dir}/job.json"
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as stream:
            found = json.load(stream)
        if found != wanted:
            raise ValueError(f"`run_dir` {job.run_dir!r} holds another training. Take a new folder or remove it.")
        return
    tf.io.gfile.makedirs(job.run_dir)
    _write(path, json.dumps(wanted, indent=2).encode())


def _write(path: str, content: bytes) -> None:
    """Writes a file whole or not at all."""
    unfinished = path + ".unfinished"
    with tf.io.gfile.GFile(unfinished, "wb") as stream:
        stream.write(content)
    tf.io.gfile.rename(unfinished, path, overwrite=True)
