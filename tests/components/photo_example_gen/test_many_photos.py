"""Thousands of photos with broken ones among them: each good one an example, each bad one a letter with its own reason."""

import collections
import json
import logging
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import photo_files
import pytest

from components import dead_letters, records
from components.photo_example_gen import transforms
from components.photo_example_gen.config import PhotoConfig
from trainer import contract, examples

SIDE = 128
FACE = photo_files.face_points(center=(64.0, 64.0))


def broken_photos() -> dict[str, bytes]:
    """Reason to a file that has it."""
    good = photo_files.noise(0, SIDE, SIDE)
    png = b"\x89PNG\r\n\x1a\n"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    end = bytes(4) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return {
        "empty": b"",
        "not_an_image": b"these are words",
        "truncated": good[: len(good) // 2],
        "damaged": png + b"\1" * 200,
        "too_many_pixels": png + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + end,
        "unsupported_format": b"\0\0\0\x18ftypheic" + bytes(40),
        "too_small": photo_files.jpeg(np.zeros((8, 128, 3), np.uint8)),
        "zero_size": b"GIF89a" + bytes(7) + b";",
    }


def broken_labels() -> dict[str, dict[str, Any]]:
    """Reason to fields that have it."""
    return {
        "landmark_count": {"landmarks": FACE[:60].tolist()},
        "not_finite": {"landmarks": [[float("nan"), 1.0], *FACE[1:].tolist()]},
        "outside_photo": {"landmarks": (FACE + 900).tolist()},
        "bad_box": {"box": [90, 10, 20, 50]},
        "bad_landmarks": {"landmarks": "left eye"},
        "unknown_landmark_set": {"landmark_set": "dlib"},
        "unknown_split": {"split": "test"},
        "wrong_type": {"identity": ["x"]},
        "unknown_field": {"bbox": [1, 2, 3, 4]},
    }


def data_set(root: Path, count: int, bad_total: int) -> tuple[Path, collections.Counter[str]]:
    """A manifest of `count` rows, `bad_total` of them broken, spread over the whole, and how many there are of each reason."""
    root.mkdir()
    kinds = [*broken_photos(), *broken_labels(), "missing", "bad_row", "duplicate"]
    reasons = [kinds[index % len(kinds)] for index in range(bad_total)]
    places = dict(zip(np.linspace(5, count - 1, bad_total).astype(int).tolist(), reasons, strict=True))
    photos, labels, lines = broken_photos(), broken_labels(), []
    pictures = [photo_files.noise(seed, SIDE, SIDE) for seed in range(8)]
    for index in range(count):
        reason, name = places.get(index), f"{index:04d}.jpg"
        row: dict[str, Any] = {"path": name, "identity": f"p{index // 10}", "landmarks": FACE.tolist()}
        if reason != "missing":
            (root / name).write_bytes(photos.get(reason or "", pictures[index % len(pictures)]))
        row |= labels.get(reason or "", {})
        line = json.dumps(row)
        lines.append(line[: len(line) // 2] if reason == "bad_row" else lines[0] if reason == "duplicate" else line)
    (root / "photos.jsonl").write_text("\n".join(lines))
    return root / "photos.jsonl", collections.Counter(reasons)


def ingest(source: Path, out: Path) -> tuple[list[dict[str, Any]], list[dead_letters.DeadLetter], float]:
    runner = "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
    started = time.monotonic()
    transforms.generate(beam.Pipeline(argv=[runner]), str(source), PhotoConfig(), str(out / "e/1"), str(out / "d/1"))
    seconds = time.monotonic() - started
    paths = sorted((out / "e/1").glob("Split-*/*"))
    found = [examples.decode(serialized) for path in paths for serialized in records.read_shard(str(path))]
    return found, list(dead_letters.read(str(out / "d/1"))), seconds


def check(tmp_path: Path, count: int, bad: int) -> None:
    source, expected = data_set(tmp_path / "photos", count, bad)
    found, letters, seconds = ingest(source, tmp_path / "out")
    logging.getLogger(__name__).info("%d photos in %.1f s", count, seconds)
    assert len(found) == len({example[contract.IMAGE_ID] for example in found}) == count - bad
    assert collections.Counter(letter.reason for letter in letters) == expected
    assert len(expected) == 20
    assert len({letter.id for letter in letters}) == bad
    assert all(letter.message.startswith(letter.id + ": ") for letter in letters)
    assert all(os.fspath(tmp_path) not in letter.message for letter in letters)
    for example in found[:: max(1, count // 50)]:
        np.testing.assert_allclose(example[contract.LANDMARKS_XY].reshape(68, 2), FACE, atol=1e-4)


def test_a_hundred_photos_of_which_forty_are_broken(tmp_path: Path) -> None:
    check(tmp_path, 100, 40)


@pytest.mark.slow
def test_three_thousand_photos_of_which_a_hundred_are_broken(tmp_path: Path) -> None:
    check(tmp_path, 3000, 100)
