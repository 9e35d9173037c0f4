"""Rendering a data set with Beam: what a second worker brings, and what ten times as many images cost in memory.

Images are small, so that many are made in little time; every run is `monoface render` in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import Measurement

SMALL_IMAGES = {"preset": "tiny", "image_size": 32, "supersample": 1, "shard_size": 250}
FEW, MANY = 2000, 20000
SPEEDUP_IMAGES = 2400


def render(values: dict[str, Any], workers: int) -> tuple[float, float]:
    """Runs `monoface render`.

    Args:
        values: Fields of the data set.
        workers: Processes.

    Returns:
        Images per second after the workers' first shards, and the greatest resident memory of one process, MiB.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(values))
        command = [sys.executable, "-m", "monoface", "render", "--config", str(config), "--out", f"{folder}/faces"]
        process = subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"`monoface render` failed with status {process.returncode}")
        times = sorted(path.stat().st_mtime for path in Path(folder, "faces", "examples").glob("Split-train/*.gz"))
        rate = values["shard_size"] * (len(times) - workers) / (times[-1] - times[workers - 1])
        return rate, usage.ru_maxrss / 1024


def speedup() -> float:
    """Images per second of two workers over those of one."""
    values = {**SMALL_IMAGES, "image_size": 128, "supersample": 2, "count": SPEEDUP_IMAGES, "shard_size": 100}
    values["eval_fraction"] = 0.0
    return render(values, 2)[0] / render(values, 1)[0]


def memory_growth() -> float:
    """Peak memory of 20,000 images over that of 2,000."""
    few, many = (render({**SMALL_IMAGES, "count": count}, 1)[1] for count in (FEW, MANY))
    return many / few


MEASUREMENTS = (
    Measurement("two_workers_speedup", "×", speedup, bar=1.7, higher_is_better=True),
    Measurement("memory_growth", "×", memory_growth, bar=1.1),
)
