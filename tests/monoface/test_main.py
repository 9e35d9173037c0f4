"""The command line: it teaches, and it does so at once."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from monoface.main import VERBS, command

HEAVY = ("tensorflow", "tfx", "apache_beam", "mediapipe", "numba")


def test_help_names_every_verb() -> None:
    output = CliRunner().invoke(command, ["--help"]).output
    for verb in VERBS:
        assert verb in output


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_is_instant(verb: str) -> None:
    """Help must not import what takes seconds: none of the heavy libraries may be loaded by it."""
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from monoface.main import command\n"
        f"result = CliRunner().invoke(command, [{verb!r}, '--help'])\n"
        "assert result.exit_code == 0, result.output\n"
        "assert len(result.output.splitlines()) > 5, result.output\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_unknown_verb_is_an_error() -> None:
    result = CliRunner().invoke(command, ["reconstuct"])
    assert result.exit_code == 2
    assert "reconstuct" in result.output


def test_version_is_the_distribution_s() -> None:
    from importlib.metadata import version

    assert version("monoface") in CliRunner().invoke(command, ["--version"]).output
