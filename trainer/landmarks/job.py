"""From shards of examples to a landmark network and a report on held-back faces: what a pipeline's node runs."""

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from trainer.configuration import to_mapping
from trainer.landmarks import canvases, evaluation, network
from trainer.landmarks.augment import Source
from trainer.landmarks.config import LandmarkTrainingConfig
from trainer.landmarks.run_folder import local_run_folder
from trainer.landmarks.train import LOG_FILE, WEIGHTS_FILE, train_landmarks

REPORT_FILE: Final = "report.json"
RESULTS: Final = (WEIGHTS_FILE, LOG_FILE, REPORT_FILE)
"""What is left of a run in its folder, beside what it needs to go on after a kill."""

RENDERS: Final = "renders"
PHOTOS: Final = "photos"

_CANVASES: Final = "canvases"
_TOLD: Final = 10
"""Messages about the progress of a whole training."""

_LOGGER = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class LandmarkJob:
    """One training: what, on which files, in which folder. Files are GZIP TFRecords of examples by the contract."""

    config: LandmarkTrainingConfig
    """Network and training."""
    renders: Sequence[str]
    """Files of rendered faces to learn from."""
    held_back: Sequence[str]
    """Files of rendered faces to evaluate on."""
    run_dir: str
    """Folder, or address, of checkpoints, log, weights and report."""
    photos: Sequence[str] = ()
    """Files of photos with landmarks to learn from; none trains on renders alone."""
    held_back_photos: Sequence[str] = ()
    """Files of photos with landmarks to evaluate on."""
    photo_share: float = 0.5
    """Share of photos in a batch where there are any, in (0, 1)."""


def run(job: LandmarkJob) -> dict[str, Any]:
    """Trains and evaluates. A run that was killed goes on from its last checkpoint when called again.

    Args:
        job: What to do.

    Returns:
        The report: `config`, `trained_on` (how many `renders` and `photos`) and, for `renders` and for `photos` where some are
        held back, `evaluation.LandmarkEvaluation.summary` of the averaged weights; `run_dir/report.json` holds it, too.

    Raises:
        ValueError: If there is no rendered face to learn from or to evaluate on, or `run_dir` holds another training.
    """
    config, crop = job.config, evaluation.crop_config(job.config.network)
    with local_run_folder(job.run_dir, lambda name: not name.startswith(f"{_CANVASES}/")) as (folder, update):
        learned = {RENDERS: canvases.build(job.renders, config.canvas, folder / _CANVASES / "renders")}
        if job.photos:
            learned[PHOTOS] = canvases.build(job.photos, config.canvas, folder / _CANVASES / "photos")
        held_back = {RENDERS: canvases.build(job.held_back, crop, folder / _CANVASES / "held_back_renders")}
        if job.held_back_photos:
            held_back[PHOTOS] = canvases.build(job.held_back_photos, crop, folder / _CANVASES / "held_back_photos")
        shares = {RENDERS: 1 - job.photo_share, PHOTOS: job.photo_share} if job.photos else {RENDERS: 1.0}
        sources = [Source(faces, shares[kind]) for kind, faces in learned.items()]
        path = train_landmarks(config, sources, folder, _Progress(config.schedule, update))
        report = {
            "config": to_mapping(config),
            "trained_on": {kind: len(faces) for kind, faces in learned.items()},
            **{kind: _evaluate(path, faces) for kind, faces in held_back.items()},
        }
        (folder / REPORT_FILE).write_text(json.dumps(report, indent=1))
        return report


class _Progress:
    """Tells now and then how far the training is, and keeps the run's home up to date."""

    def __init__(self, schedule: Any, update: Callable[[], None]):
        self._schedule, self._update = schedule, update
        self._every = max(1, schedule.steps // _TOLD)

    def __call__(self, step: int, loss: float) -> None:
        if step % self._every == 0:
            _LOGGER.info("step %d of %d, loss %.2f", step, self._schedule.steps, loss)
        if step > 1 and (step - 1) % self._schedule.checkpoint_steps == 0:  # the step before has left a checkpoint
            self._update()


def _evaluate(weights: str, faces: canvases.Canvases) -> dict[str, Any]:
    """Figures of the weights in a file, which are rounded to float16."""
    return evaluation.evaluate(network.load(weights)[0], faces).summary()
