"""`monoface model population` and `monoface model landmarks`."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from morphable_parts import build_tiny_model
from PIL import Image

from monoface.model import command
from trainer.morphable import io


@pytest.fixture
def native(tmp_path):
    path = tmp_path / "tiny.npz"
    io.save(build_tiny_model(), path)
    return path


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_population_prints_lengths_beside_people_s():
    result = run("population", "--count", 50)
    assert result.exit_code == 0, result.output
    assert "interpupillary distance" in result.output
    assert "ANSUR II" in result.output
    described = json.loads(run("population", "--count", 50, "--json").output)
    lengths = {row["name"]: row for row in described["lengths"]}
    assert 55 < lengths["interpupillary distance"]["mean"] < 70
    assert f"{lengths['head breadth']['mean']:.1f}" in result.output


def test_population_refuses_what_it_cannot_measure(native, tmp_path):
    face = run("population", native)
    assert face.exit_code == 1
    assert "whole heads" in face.output
    reference = run("population", "--count", 10, "--reference", tmp_path)
    assert reference.exit_code == 1
    assert "does not hold the 68 landmarks" in reference.output


def test_landmarks_draws_and_tells_depths(tmp_path):
    out = tmp_path / "pictures" / "sets.png"
    result = run("landmarks", "--out", out, "--size", 64)
    assert result.exit_code == 0, result.output
    assert "basel: deepest point" in result.output
    with Image.open(out) as picture:
        assert np.asarray(picture).shape == (128, 256, 3)


def test_landmarks_refuses_a_folder_without_annotations(tmp_path):
    result = run("landmarks", "--out", tmp_path / "x.png", "--photos", tmp_path, "--size", 64)
    assert result.exit_code == 1
    assert "holds no annotated photograph" in result.output
    assert not (tmp_path / "x.png").exists()
