"""`monoface train landmarks` and `monoface train locator`: they train, resume, and refuse another training's folder."""

import pytest
from click.testing import CliRunner
from landmark_examples import disc_example, write_shard

from monoface.train import VERBS, command
from trainer.landmarks import locator, network
from trainer.landmarks.config import LandmarkNetworkConfig
from trainer.landmarks.locator_config import LocatorConfig


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_help_lists_every_verb():
    output = run("--help").output
    assert all(verb in output for verb in VERBS)


def test_the_locator_renders_trains_and_resumes(tmp_path):
    arguments = ["locator", "--out", tmp_path / "run", "--preset", "tiny", "--count", "4"]
    for steps in ("1", "2"):
        ran = run(*arguments, "--steps", steps)
        assert ran.exit_code == 0, ran.output
    assert locator.load(tmp_path / "run" / "locator.npz")[1] == LocatorConfig.preset("tiny")
    ran = run(*arguments, "--steps", "2", "--seed", "9")
    assert ran.exit_code == 1
    assert "contents.json" in ran.output


def test_the_landmark_network_trains_on_rendered_examples(tmp_path):
    write_shard(tmp_path / "shard.gz", [disc_example(seed) for seed in range(12)])
    arguments = ["landmarks", "--out", tmp_path / "run", "--preset", "tiny", "--examples", tmp_path / "*.gz"]
    for steps in ("1", "2"):
        ran = run(*arguments, "--steps", steps)
        assert ran.exit_code == 0, ran.output
    assert network.load(tmp_path / "run" / "landmarks.npz")[1] == LandmarkNetworkConfig.preset("tiny")
    ran = run(*arguments[:-1], tmp_path / "nothing-*.gz")
    assert ran.exit_code == 1
    assert "nothing-" in ran.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb):
    ran = run(verb, "--help")
    assert ran.exit_code == 0
    assert f"monoface train {verb}" in ran.output


def test_a_missing_folder_of_backgrounds_is_refused_before_any_work(tmp_path):
    ran = run("locator", "--out", tmp_path / "run", "--backgrounds", tmp_path / "nowhere")
    assert ran.exit_code == 2
    assert "nowhere" in ran.output
    assert not (tmp_path / "run").exists()
