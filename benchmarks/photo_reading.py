"""Photos of 128 pixels with 68 points each, from file and manifest row to example: photos per second of one core's time.

`python -m benchmarks photos_read_per_core_second`.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Measurement

SIDE, COUNT, ROUNDS = 128, 400, 3


def write_photos(folder: Path) -> Path:
    """Crops of a photograph with points of their own, and the manifest that lists them.

    Args:
        folder: Where they go.
    """
    import skimage.data
    from PIL import Image

    rng = np.random.default_rng(0)
    whole, rows = Image.fromarray(skimage.data.astronaut()), []
    for index in range(COUNT):
        side = rng.uniform(140, 240)
        x, y = rng.uniform(0, 512 - side, 2)
        crop = whole.resize((SIDE, SIDE), Image.Resampling.BILINEAR, (x, y, x + side, y + side))
        crop.save(folder / f"{index:05d}.jpg", quality=90)
        points = np.round(rng.uniform(20, 108, (68, 2)), 3).tolist()
        rows.append(json.dumps({"path": f"{index:05d}.jpg", "landmarks": points}))
    (folder / "photos.jsonl").write_text("\n".join(rows))
    return folder / "photos.jsonl"


def photos_read_per_core_second() -> float:
    """Photos a second of processor time of one process: decoded, labelled, hashed, encoded and serialised; best of `ROUNDS`."""
    from components.photo_example_gen.config import PhotoConfig
    from components.photo_example_gen.readers.open_reader import open_reader
    from components.photo_example_gen.transforms import PhotoWorker

    config = PhotoConfig()
    with tempfile.TemporaryDirectory() as name:
        reader = open_reader(str(write_photos(Path(name))), config)
        photos, worker, rates = reader.find(), PhotoWorker(reader, config), []
        for _ in range(ROUNDS):
            started = time.process_time()
            made = sum(isinstance(result, bytes) for photo in photos for result in worker.results(photo))
            rates.append(made / (time.process_time() - started))
    return max(rates)


MEASUREMENTS = (
    Measurement("photos_read_per_core_second", "photos/s", photos_read_per_core_second, higher_is_better=True),
)
