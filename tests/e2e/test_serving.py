"""`monoface serve` and `monoface reconstruct --url` as processes of their own."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("tensorflow")


def wait_for(path: Path, pattern: str, process: subprocess.Popen) -> re.Match[str]:
    """What a process writes, once it does."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if found := re.search(pattern, path.read_text()):
            return found
        assert process.poll() is None, path.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{pattern} did not come: {path.read_text()}")


@pytest.mark.e2e
def test_a_model_is_served_and_asked_and_the_server_stops_when_told(tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("fake_model", ROOT / "tests" / "serving" / "fake_model.py")
    assert specification is not None
    assert specification.loader is not None
    fake = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(fake)
    fake.write_fake_model(tmp_path / "monoface" / "1")
    photos = [tmp_path / "photos" / name for name in ("left.png", "right.png", "broken.png")]
    photos[0].parent.mkdir()
    centers = {"left": (80.0, 90.0), "right": (240.0, 100.0)}
    for photo, center in zip(photos, centers.values(), strict=False):
        Image.fromarray(fake.photo_of_disc(200, 320, center)).save(photo)
    photos[2].write_bytes(photos[0].read_bytes()[:100])

    log = tmp_path / "serve.log"
    serve = [
        sys.executable,
        "-m",
        "monoface",
        "serve",
        "--model",
        tmp_path / "monoface",
        "--port",
        "0",
        "--rest-port",
        "0",
    ]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen(serve, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        found = wait_for(log, r"monoface version 1: (grpc://\S+)  (http://\S+)", server)
        for url in found.groups():
            out = tmp_path / url.partition(":")[0]
            command = [sys.executable, "-m", "monoface", "reconstruct", photos[0].parent, "--out", out, "--url", url]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
            assert done.returncode == 1, done.stderr
            assert "2 of 3 photos" in done.stdout
            assert "broken.png" in done.stderr
            for stem, center in centers.items():
                written = json.loads((out / stem / "landmarks.json").read_text())
                mean = np.mean(written["faces"][0]["landmarks"], axis=0)
                expected = np.array([*center, 0]) + fake.RADIUS * fake.face_template().mean(axis=0)
                np.testing.assert_allclose(mean, expected, atol=0.6)
            assert len((out / "dead_letters.jsonl").read_text().splitlines()) == 1
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert "Traceback" not in log.read_text()
    finally:
        server.kill()
        server.wait()
