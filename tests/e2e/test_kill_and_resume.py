"""Rendering that is killed with SIGKILL, anywhere, and started again: the same examples as without a kill, nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.records import read_shard
from components.synthetic_face_gen import dataset, sharding, splits
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import render_example
from trainer.morphable.default import default_head

pytestmark = pytest.mark.e2e

VALUES = {
    "preset": "tiny",
    "count": 48,
    "image_size": 48,
    "views_per_identity": 2,
    "shard_size": 6,
    "eval_fraction": 0.25,
}
CONFIG = SyntheticFaceConfig.from_values(VALUES)
SHARDS = sharding.shards(CONFIG)
PATIENCE = 240
"""Seconds that a run may take to reach the point where it is killed, or its end."""


def start(folder: Path, workers: int) -> subprocess.Popen:
    """`monoface render` in a session of its own, so that a kill takes its workers along, as a lost machine would."""
    config = folder / "config.json"
    config.write_text(json.dumps(VALUES))
    command = [sys.executable, "-m", "monoface", "render", "--config", str(config), "--out", str(folder / "faces")]
    return subprocess.Popen(
        [*command, "--workers", str(workers)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finished_shards(folder: Path) -> dict[str, int]:
    """Names of the finished shards, published or not, and when they were written."""
    paths = [*folder.glob("faces/.unfinished-*/Split-*/*.gz"), *folder.glob("faces/examples/Split-*/*.gz")]
    return {f"{path.parent.name}/{path.name}": path.stat().st_mtime_ns for path in paths}


def kill_after(folder: Path, workers: int, shards: int) -> dict[str, int]:
    """Starts a run, kills it when so many shards are finished, and returns those."""
    process = start(folder, workers)
    deadline = time.monotonic() + PATIENCE
    while len(finished_shards(folder)) < shards:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the run did not get there"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return finished_shards(folder)


def finish(folder: Path, workers: int) -> None:
    assert start(folder, workers).wait(timeout=PATIENCE) == 0


def expected() -> dict[str, list[bytes]]:
    """The examples of every split, rendered here, in order of their numbers."""
    head = default_head()
    return {
        split: [
            render_example(CONFIG, head, index)
            for index in range(CONFIG.count)
            if splits.split_of(CONFIG, CONFIG.identity_of(index)[0]) == split
        ]
        for split in {shard.split for shard in SHARDS}
    }


def found(folder: Path) -> dict[str, list[bytes]]:
    examples = str(folder / "faces" / dataset.EXAMPLES)
    return {
        split: [record for shard in SHARDS if shard.split == split for record in read_shard(shard.path(examples))]
        for split in {shard.split for shard in SHARDS}
    }


def check_whole(folder: Path) -> None:
    """The examples are all there, each once, and nothing half-written is left."""
    assert {split: sorted(records) for split, records in found(folder).items()} == {
        split: sorted(records) for split, records in expected().items()
    }
    assert (folder / "faces" / dataset.DESCRIPTION).is_file()
    assert not list((folder / "faces").glob(".unfinished*"))


def test_a_killed_run_goes_on_at_the_shard_where_it_was(tmp_path: Path) -> None:
    kept = kill_after(tmp_path, workers=1, shards=3)
    assert len(kept) < len(SHARDS)
    finish(tmp_path, workers=1)
    after = finished_shards(tmp_path)
    assert {name: after[name] for name in kept} == kept, "a finished shard was made again"
    check_whole(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_any_number_of_kills_changes_nothing(tmp_path: Path) -> None:
    """With two workers, before the first shard, in the midst and at the last one, where shards are being published."""
    process = start(tmp_path, workers=2)
    time.sleep(3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for shards in (1, 3, 5, len(SHARDS)):
        kill_after(tmp_path, workers=2, shards=shards)
    finish(tmp_path, workers=2)
    check_whole(tmp_path)
