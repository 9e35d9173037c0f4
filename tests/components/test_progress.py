import logging
import threading

import pytest
from apache_beam.io.filesystem import BeamIOError

from components import progress, records


def test_log_says_how_far_a_run_is(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.01)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)
    caplog.set_level(logging.INFO)
    shards = [records.Shard("train", index, 4) for index in range(4)]
    with progress.watch_shards(str(tmp_path), 4, "Rendering"):
        for shard in shards:
            records.write_shard(str(tmp_path), shard, [b"image"])
    assert caplog.messages[-1] == "Rendering: 4 of 4 shards"
    assert len(caplog.messages) <= 4


def test_failed_run_does_not_claim_to_be_complete(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.01)
    caplog.set_level(logging.INFO)
    with pytest.raises(RuntimeError), progress.watch_shards(str(tmp_path), 4, "Rendering"):
        raise RuntimeError
    assert "Rendering: 4 of 4 shards" not in caplog.messages


def test_bar_ends_full(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.01)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with progress.watch_shards(str(tmp_path), 3, "Rendering"):
        pass
    assert "3/3" in capsys.readouterr().err


def test_a_look_that_fails_does_not_end_the_watch(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.01)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False, raising=False)
    caplog.set_level(logging.INFO)
    looked = threading.Event()

    def failing(patterns):
        looked.set()
        raise BeamIOError("the network is away")

    monkeypatch.setattr(progress.FileSystems, "match", failing)
    with progress.watch_shards(str(tmp_path), 4, "Rendering"):
        assert looked.wait(5)
    assert caplog.messages == ["Rendering: 4 of 4 shards"]
