"""`monoface model info|convert|preview`: on the default head, a native file and a Basel file."""

import json

import numpy as np
import pytest
import source_files
from click.testing import CliRunner
from morphable_parts import build_tiny_model
from PIL import Image

from monoface.model import VERBS, command
from trainer.morphable import io
from trainer.morphable.default import default_head


@pytest.fixture
def native(tmp_path):
    path = tmp_path / "tiny.npz"
    io.save(build_tiny_model(), path)
    return path


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_help_lists_every_verb_without_importing_it(monkeypatch):
    monkeypatch.setattr("importlib.import_module", None)
    output = run("--help").output
    assert all(verb in output for verb in VERBS)


@pytest.mark.parametrize("verb", ["info", "convert", "preview", "build-head"])
def test_every_verb_explains_itself(verb):
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert "monoface model" in result.output or verb == "build-head"
    assert len(result.output.splitlines()) > 8


def test_info_says_what_the_default_head_is():
    result = run("info")
    assert result.exit_code == 0, result.output
    for text in (default_head().sha256, "CC0-1.0", "basel, outline", "millimetres", "jawOpen"):
        assert text in result.output


def test_info_as_json_and_pinned(native):
    described = json.loads(run("info", native, "--json").output)
    assert described["sha256"] == build_tiny_model().sha256
    assert (described["vertices"], described["identity modes"], described["landmark sets"]) == (4, 2, "basel")
    assert run("info", native, "--sha256", described["files sha256"]).exit_code == 0
    refused = run("info", native, "--sha256", "0" * 64)
    assert refused.exit_code == 1
    assert "is not the face model that is pinned" in refused.output


def test_convert_writes_what_info_reads(tmp_path):
    source = source_files.save_basel_h5(tmp_path / "model2019.h5")
    out = tmp_path / "out.npz"
    result = run("convert", source, out, "--modes", 2)
    assert result.exit_code == 0, result.output
    model = io.load(out)
    assert model.sha256 in result.output
    assert (len(model.identity), len(model.expression), len(model.albedo)) == (2, 2, 2)
    assert sorted(model.landmarks) == ["basel", "outline"]


def test_convert_refuses_before_it_reads(native, tmp_path):
    for out, reason in ((tmp_path / "no" / "out.npz", "does not exist"), (tmp_path / "out.zip", "must end in .npz")):
        result = run("convert", native, out)
        assert result.exit_code == 2
        assert reason in result.output


def test_preview_draws_every_row(tmp_path):
    path, out = tmp_path / "small.npz", tmp_path / "sheet.png"
    io.save(default_head().truncated(3, 4, 2), path)
    result = run("preview", path, "--out", out, "--count", 5, "--size", 48)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        # Rows: mean and landmarks, modes (3 at -2 and 3 at +2 fit in one), expressions, people.
        assert image.size == (8 * 48, 4 * 48)
        pixels = np.asarray(image.convert("RGB")).astype(float)
    tiles = pixels.reshape(4, 48, 8, 48, 3).swapaxes(1, 2)
    assert np.abs(tiles[0, 0] - tiles[0, 1]).mean() > 5, "front and three quarters"
    assert tiles[3, 4].any()
    assert not tiles[3, 5:].any(), "five people"
    assert np.abs(tiles[3, 0] - tiles[3, 1]).mean() > 3, "two people"


def test_what_is_no_model_is_an_error_in_one_line(tmp_path):
    (tmp_path / "wrong.h5").write_bytes(b"no")
    for verb in (("info",), ("preview", "--out", tmp_path / "a.png"), ("convert", tmp_path / "wrong.h5")):
        arguments = (*verb, tmp_path / "out.npz") if verb[0] == "convert" else (*verb, tmp_path / "wrong.h5")
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")
        assert "wrong.h5" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wrong.h5"]
