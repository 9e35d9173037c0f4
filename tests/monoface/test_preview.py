"""`monoface preview`: sheets and turntables on disk, and errors that say what is wrong."""

import pytest
from click.testing import CliRunner
from PIL import Image

from monoface.preview import command
from trainer.morphable import io
from trainer.morphable.default import default_head


def run(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments)])


def test_a_sheet_with_labels_of_another_model(tmp_path):
    io.save(default_head(), tmp_path / "head.npz")
    out = tmp_path / "new" / "sheet.png"
    result = run("--preset", "tiny", "--count", 3, "--landmarks", "--out", out, "--model", tmp_path / "head.npz")
    assert result.exit_code == 0, result.output
    with Image.open(out) as sheet:
        assert sheet.size == (512, 512)


def test_a_turntable_as_a_strip_and_moving(tmp_path):
    strip, moving = tmp_path / "strip.png", tmp_path / "turn.gif"
    arguments = ("--preset", "tiny", "--turntable", "--count", 3, "--set", "image_size=48")
    assert run(*arguments, "--out", strip).exit_code == 0
    with Image.open(strip) as picture:
        assert picture.size == (144, 48)
    assert run(*arguments, "--out", moving).exit_code == 0
    with Image.open(moving) as picture:
        assert (picture.n_frames, picture.size) == (4, (48, 48))


def test_settings_reach_the_data_set(tmp_path):
    out = tmp_path / "sheet.png"
    changes = ("--set", "image_size=40", "--set", "pose.yaw=[0, 0]", "--set", "surroundings.black=1")
    assert run("--preset", "tiny", "--count", 1, *changes, "--out", out).exit_code == 0
    with Image.open(out) as picture:
        assert picture.size == (40, 40)
        assert max(picture.getpixel((1, 1))) < 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "none"), "`preset` must be one of"),
        (("--set", "image_size"), "`--set` must be FIELD=VALUE"),
        (("--set", "image_size=[1"), "the value is no YAML"),
        (("--set", "pose=1", "--set", "pose.yaw=[0, 0]"), "`pose` was set to a value before"),
        (("--set", "pose.jaw=[0, 0]"), "Did you mean `yaw`?"),
        (("--out", "sheet.gif"), "a .gif is for --turntable"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    result = run(*arguments)
    assert result.exit_code != 0
    assert message in result.output


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no model")
    result = run("--model", tmp_path / "bad.npz", "--out", tmp_path / "sheet.png")
    assert result.exit_code == 1
    assert "bad.npz" in result.output
