from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from monoface.model import command
from trainer.morphable.default import DEFAULT_HEAD_PATH, default_head
from trainer.morphable.io import load


def test_info_tells_what_the_default_head_is():
    result = CliRunner().invoke(command, ["info"])
    assert result.exit_code == 0
    told = " ".join(result.output.split())
    for words in (default_head().sha256, "CC0-1.0", "basel, outline", "identity modes 80", "jawOpen"):
        assert words in told


def test_info_of_a_broken_file_is_a_clear_error(tmp_path):
    (tmp_path / "broken.npz").write_bytes(DEFAULT_HEAD_PATH.read_bytes()[:100_000])
    result = CliRunner().invoke(command, ["info", str(tmp_path / "broken.npz")])
    assert result.exit_code == 1
    assert "broken.npz is not a face model" in result.output
    assert CliRunner().invoke(command, ["info", str(tmp_path / "missing.npz")]).exit_code == 2


def test_build_head_refuses_before_it_works(tmp_path):
    runner = CliRunner()
    missing = runner.invoke(command, ["build-head", "--makehuman", str(tmp_path / "no"), "--out", "x.npz"])
    assert missing.exit_code == 2
    empty = runner.invoke(command, ["build-head", "--makehuman", str(tmp_path), "--out", str(tmp_path / "x.npz")])
    assert empty.exit_code == 1
    assert "base.obj" in empty.output
    folder = runner.invoke(command, ["build-head", "--makehuman", str(tmp_path), "--out", str(tmp_path / "no/x.npz")])
    assert folder.exit_code == 2
    assert "does not exist" in folder.output


@pytest.mark.slow
def test_the_committed_head_is_what_the_command_builds(development_data, tmp_path):
    """Byte for byte from build to build; against the committed file, perhaps of another machine, within its rounding."""
    assets = Path(development_data) / "makehuman"
    if not assets.is_dir():
        pytest.skip(f"no MakeHuman assets at {assets}")
    files = [tmp_path / "first.npz", tmp_path / "second.npz"]
    for file in files:
        result = CliRunner().invoke(command, ["build-head", "--makehuman", str(assets), "--out", str(file)])
        assert result.exit_code == 0, result.output
    assert files[0].read_bytes() == files[1].read_bytes()
    built, committed = load(files[0]), default_head()
    assert built.provenance == committed.provenance
    np.testing.assert_array_equal(built.triangles, committed.triangles)
    np.testing.assert_allclose(built.mean, committed.mean, atol=0.01)
    np.testing.assert_allclose(built.identity[:5], committed.identity[:5], atol=0.02)
