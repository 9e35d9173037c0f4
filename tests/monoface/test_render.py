"""`monoface render`: what it takes, and what it does not."""

import pytest
from click.testing import CliRunner

from monoface.main import command
from monoface.render import _refuse_misspelt


@pytest.mark.parametrize("misspelt", ["--cout", "--modle", "--worker", "--seeds=3"])
def test_a_misspelt_option_is_no_option_of_beam(misspelt: str, tmp_path) -> None:
    """Passed on, it would be ignored, and the preset's hundred thousand faces be rendered."""
    result = CliRunner().invoke(command, ["render", "--out", str(tmp_path / "faces"), misspelt, "8"])
    assert result.exit_code == 2
    assert "Did you mean" in result.output
    assert not (tmp_path / "faces").exists()


def test_options_of_beam_pass() -> None:
    _refuse_misspelt(["--runner=FlinkRunner", "--num_workers=4", "--max_num_workers", "--environment_type=LOOPBACK"])


def test_an_unknown_field_of_the_file_is_named(tmp_path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("wardrobe: {hatt: 1}\n")
    arguments = ["render", "--count", "8", "--out", str(tmp_path / "faces"), "--config", str(file)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "hatt" in result.output
    assert not (tmp_path / "faces").exists()
