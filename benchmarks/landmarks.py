"""The landmark servable at one photo a request, on one thread: from JPEG bytes to points, depth and pose.

`python -m benchmarks.landmarks` prints the milliseconds as JSON: TensorFlow's threads can only be set in a new process. The
released networks are measured, or, where there are none, networks of their size with random weights: time does not depend on
what they have learnt, but on whether a face is found, and the most prominent one always is.
"""

import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.harness import Measurement, median_milliseconds

CROP_SIZE, PHOTO_SIZE = 128, 450
"""Sides of the photos: a crop around a face with its box, and a frame in which the face is to be found; pixels."""

REPEATS = 100


def photo(size: int) -> bytes:
    """A JPEG of smooth colours and noise, as large as a photograph's of this size."""
    from PIL import Image

    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(40, 220, (8, 8, 3), np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.float32) + rng.normal(0, 6, (size, size, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@functools.cache
def milliseconds() -> dict[str, float]:
    """Medians by name; see `_measure`."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.landmarks"], env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return found


def _networks() -> tuple[Any, float, bool]:
    """The networks, the crops' margin, and whether they are the released ones."""
    from trainer.landmarks import locator, network, released
    from trainer.landmarks.config import LandmarkNetworkConfig
    from trainer.landmarks.finder import FaceNetworks
    from trainer.landmarks.locator_config import LocatorConfig

    try:
        return released.released_networks(), released.released_config().margin, True
    except ValueError:
        config = LandmarkNetworkConfig.preset("small")
        return FaceNetworks(network.build(config), locator.build(LocatorConfig.preset("small"))), config.margin, False


def _measure() -> dict[str, float]:
    """`with_box` on a crop and `serving_default` on a photo, through the SavedModel; what decoding takes of each; and the fit."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from trainer.export_landmarks import export_landmarks
    from trainer.imaging.decoding import decode_photos
    from trainer.landmarks.head_fit import HeadFit
    from trainer.morphable.default import default_head

    networks, margin, released = _networks()
    crop, frame = (tf.constant([photo(size)]) for size in (CROP_SIZE, PHOTO_SIZE))
    box = tf.constant([[32.0, 32.0, 96.0, 96.0]])
    decode = tf.function(
        lambda content: decode_photos(content).sizes, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    fit = tf.function(
        HeadFit(default_head()), input_signature=[tf.TensorSpec([None, 68, 2]), tf.TensorSpec([None, 68])]
    )
    points = tf.constant(default_head().landmark_basis()[0][None, :, :2])
    with tempfile.TemporaryDirectory() as folder:
        loaded = tf.saved_model.load(export_landmarks(networks, default_head(), f"{folder}/1", margin))
        signatures = loaded.signatures
        calls = {
            "with_box": lambda: signatures["with_box"](image_bytes=crop, box=box)["pose"].numpy(),
            "default": lambda: signatures["serving_default"](image_bytes=frame)["pose"].numpy(),
            "decode_crop": lambda: decode(crop).numpy(),
            "decode_frame": lambda: decode(frame).numpy(),
            "fit": lambda: fit(points, tf.ones([1, 68]))[1].numpy(),
        }
        found = {
            name: median_milliseconds(call, REPEATS, warm_up=10, clock=time.process_time)
            for name, call in calls.items()
        }
    return {**found, "released": float(released)}


def network_milliseconds() -> float:
    """The landmark network with crop, fit and signature, without decoding."""
    found = milliseconds()
    return found["with_box"] - found["decode_crop"]


def locator_milliseconds() -> float:
    """What finding the face adds, without decoding and without the landmark network, which then looks `PASSES` times."""
    from trainer.landmarks.finder import PASSES

    found = milliseconds()
    looks = PASSES * (network_milliseconds() - found["fit"])
    return found["default"] - found["decode_frame"] - found["fit"] - looks


MEASUREMENTS = (
    Measurement("landmarks_with_box_ms", "ms", lambda: milliseconds()["with_box"]),
    Measurement("landmarks_network_ms", "ms", network_milliseconds, bar=6.0),
    Measurement("landmarks_fit_ms", "ms", lambda: milliseconds()["fit"]),
    Measurement("landmarks_default_ms", "ms", lambda: milliseconds()["default"]),
    Measurement("locator_ms", "ms", locator_milliseconds, bar=6.0),
)

if __name__ == "__main__":
    print(json.dumps(_measure()))
