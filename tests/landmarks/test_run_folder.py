"""The local folder of a run in an object store; TensorFlow's file system in memory stands for the store."""

import pytest
import tensorflow as tf

from trainer.landmarks.run_folder import local_run_folder


def everything(name):
    return True


def read(path):
    with tf.io.gfile.GFile(path) as stream:
        return stream.read()


def test_a_local_path_is_the_folder_itself(tmp_path):
    with local_run_folder(tmp_path / "new" / "run", everything) as (folder, update):
        assert folder == tmp_path / "new" / "run"
        assert folder.is_dir()
        update()


def test_what_is_kept_comes_back_and_what_is_gone_goes():
    home = "ram://runs/one"
    with local_run_folder(home, lambda name: not name.startswith("scratch/")) as (folder, update):
        (folder / "checkpoints").mkdir()
        (folder / "scratch").mkdir()
        (folder / "scratch" / "large").write_text("x")
        (folder / "checkpoints" / "ckpt-1.index").write_text("1")
        (folder / "log").write_text("one")
        update()
        assert read(f"{home}/checkpoints/ckpt-1.index") == "1"
        (folder / "checkpoints" / "ckpt-1.index").unlink()
        (folder / "checkpoints" / "ckpt-2.index").write_text("2")
        (folder / "log").write_text("two")
    assert tf.io.gfile.listdir(f"{home}/checkpoints") == ["ckpt-2.index"]
    assert not tf.io.gfile.exists(f"{home}/scratch")
    with local_run_folder(home, everything) as (folder, _):
        assert (folder / "log").read_text() == "two"
        assert (folder / "checkpoints" / "ckpt-2.index").read_text() == "2"


def test_a_failure_leaves_the_home_as_it_was_brought_up_to_date_last():
    home = "ram://runs/two"

    def fail():
        with local_run_folder(home, everything) as (folder, update):
            (folder / "log").write_text("one")
            update()
            (folder / "log").write_text("two")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert read(f"{home}/log") == "one"


def test_a_checkpoint_is_whole_before_it_is_named(monkeypatch):
    copied = []
    copy = tf.io.gfile.copy
    monkeypatch.setattr(tf.io.gfile, "copy", lambda a, b, **options: (copied.append(b), copy(a, b, **options)))
    with local_run_folder("ram://runs/three", everything) as (folder, _):
        for name in ("checkpoint", "ckpt-1.data", "ckpt-1.index"):
            (folder / name).write_text(name)
    names = [path.rsplit("/", 1)[1].removesuffix(".unfinished") for path in copied]
    assert names == ["ckpt-1.data", "ckpt-1.index", "checkpoint"]
