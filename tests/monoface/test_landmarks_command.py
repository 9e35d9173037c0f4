"""`monoface landmarks train`: renders, trains, and goes on where it stopped."""

from click.testing import CliRunner

from monoface.landmarks import command
from trainer.landmarks import network
from trainer.landmarks.config import LandmarkNetworkConfig


def test_it_renders_trains_and_resumes(tmp_path):
    arguments = ["train", "--out", str(tmp_path / "run"), "--preset", "tiny", "--count", "4"]
    for steps in ("1", "2"):
        ran = CliRunner().invoke(command, [*arguments, "--steps", steps], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
    _, config = network.load(tmp_path / "run" / "landmarks.npz")
    assert config == LandmarkNetworkConfig.preset("tiny")
    assert len(list((tmp_path / "run" / "cutouts").glob("*.tfrecord"))) == 4
    ran = CliRunner().invoke(command, [*arguments, "--steps", "2", "--seed", "9"])
    assert ran.exit_code == 1
    assert "seed" in ran.output


def test_a_missing_folder_of_backgrounds_is_refused_before_any_work(tmp_path):
    ran = CliRunner().invoke(
        command, ["train", "--out", str(tmp_path / "run"), "--backgrounds", str(tmp_path / "nowhere")]
    )
    assert ran.exit_code == 2
    assert "nowhere" in ran.output
    assert not (tmp_path / "run").exists()
