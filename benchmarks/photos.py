"""Photos of 128 pixels read and their landmarks found: photos per second of two Beam workers.

The photos are `p1` of the development data where it is there, else crops of scikit-image's astronaut.
`python -m benchmarks.photos` prints where the CPU time of a photo goes.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Measurement

WORKERS = 2
SIDE, CROPS = 128, 1600
STAGED = 256
"""Photos by which CPU time is told."""


def photo_folder(scratch: Path) -> Path:
    """A folder of photos of `SIDE` pixels with a face each.

    Args:
        scratch: Where crops are written if the development data are not there.
    """
    data = os.environ.get("MONOFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    if (folder := Path(data, "p1", "img")).is_dir():
        return folder
    import skimage.data
    from PIL import Image

    rng = np.random.default_rng(0)
    whole, folder = Image.fromarray(skimage.data.astronaut()), scratch / "photos"
    folder.mkdir()
    for index in range(CROPS):
        side = rng.uniform(140, 240)
        x, y = np.array([224, 130]) + rng.uniform(-0.1, 0.1, 2) * side - side / 2
        crop = whole.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (x, max(y, 0), x + side, max(y, 0) + side))
        crop.save(folder / f"{index:05d}.jpg", quality=90)
    return folder


def photos_per_second() -> float:
    """Photos that `WORKERS` processes read and find landmarks on in a second, both steps together, after their first files."""
    import logging

    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.landmark_detector import transforms as detection
    from components.landmark_detector.config import LandmarkDetectorConfig
    from components.photo_example_gen import transforms as reading
    from components.photo_example_gen.config import PhotoConfig
    from pipeline.beam import arguments

    # Workers tell as warnings what is normal on one machine.
    logging.getLogger("apache_beam.runners.portability.local_job_service").setLevel(logging.ERROR)
    parallel = [f"--direct_num_workers={WORKERS}", "--direct_running_mode=multi_processing"]
    config = PhotoConfig(shard_size=100)

    def pipeline() -> Any:
        return beam.Pipeline(options=PipelineOptions(arguments(parallel)))

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        photos, found, letters = (str(scratch / part) for part in ("examples", "landmarks", "letters"))
        reading.generate(pipeline(), str(photo_folder(scratch)), config, photos, f"{letters}/0")
        splits = {path.name.removeprefix("Split-"): str(path) for path in Path(photos).iterdir()}
        detection.detect(pipeline(), splits, LandmarkDetectorConfig(), found, f"{letters}/1")
        return 1 / sum(1 / _rate(Path(folder), config.shard_size) for folder in (photos, found))


def _rate(folder: Path, shard_size: int) -> float:
    """Photos per second, from the times of the files that came after each worker's first; only full ones count."""
    last = {max(split.glob("*.gz")) for split in folder.iterdir()}
    files = sorted(folder.glob("*/*.gz"), key=lambda path: path.stat().st_mtime)
    full = shard_size * sum(path not in last for path in files[WORKERS:])
    return full / (files[-1].stat().st_mtime - files[WORKERS - 1].stat().st_mtime)


def stages() -> dict[str, float]:
    """CPU milliseconds of a photo by stage, in this process; `whole` is reading and detection."""
    from components.landmark_detector import transforms as detection
    from components.landmark_detector.config import LandmarkDetectorConfig
    from components.landmark_detector.mediapipe_landmarks import LandmarkDetector
    from components.photo_example_gen.config import PhotoConfig
    from components.photo_example_gen.readers.open_reader import open_reader
    from components.photo_example_gen.transforms import PhotoWorker

    places = (
        (LandmarkDetector, "_locate"),
        (LandmarkDetector, "_landmarks"),
        (detection, "fit_head"),
        (detection, "face_quality"),
    )
    spent = {"reading": 0.0, "detection": 0.0, **{name: 0.0 for _, name in places}}
    originals = [getattr(place, name) for place, name in places]

    def timed(function: Callable[..., Any], key: str) -> Callable[..., Any]:
        def wrapper(*values: Any, **settings: Any) -> Any:
            start = time.process_time()
            try:
                return function(*values, **settings)
            finally:
                spent[key] += time.process_time() - start

        return wrapper

    config, worker = PhotoConfig(), detection.DetectionWorker(LandmarkDetectorConfig())
    with tempfile.TemporaryDirectory() as scratch, worker.setup():
        reader = open_reader(str(photo_folder(Path(scratch))), config)
        files, reading = reader.find(), PhotoWorker(reader, config)
        files = files[:: max(1, len(files) // STAGED)][:STAGED]
        for example in reading.results(files[0]):  # loads what is loaded on use
            list(worker.landmarked(example, "?"))
        for (place, name), original in zip(places, originals, strict=True):
            setattr(place, name, timed(original, name))
        try:
            for file in files:
                examples = timed(lambda file=file: list(reading.results(file)), "reading")()
                for example in examples:
                    timed(lambda example=example: list(worker.landmarked(example, "?")), "detection")()
        finally:
            for (place, name), original in zip(places, originals, strict=True):
                setattr(place, name, original)
    result = {name: 1000 * seconds / len(files) for name, seconds in spent.items()}
    return {"whole": result["reading"] + result["detection"], **result}


MEASUREMENTS = (
    Measurement("photos_per_second", "photos/s", photos_per_second, bar=60.0, higher_is_better=True),
    # What 60 a second leave on two cores, whatever else the machine does.
    Measurement("photo_cpu_ms", "ms", lambda: stages()["whole"], bar=1000 * WORKERS / 60),
)

if __name__ == "__main__":
    print("CPU ms a photo: " + ", ".join(f"{key} {value:.2f}" for key, value in stages().items()))
