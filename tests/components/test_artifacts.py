import gzip
import logging

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf

from components import dead_letters, records
from components.dead_letters import DeadLetter

LETTERS = [
    DeadLetter("b.jpg", "reader", "truncated", "`b.jpg` ends after 12 bytes."),
    DeadLetter("a\udce9\u2028.jpg", "reader", "empty", "`a` is empty."),
]


class _Half(beam.DoFn):
    def process(self, number):
        if number % 2:
            yield dead_letters.tagged(DeadLetter(str(number), "halve", "odd", f"{number} is odd."))
        else:
            yield number // 2


def _run(numbers, uri, shard_count=1):
    with beam.Pipeline(argv=["--allow_unsafe_triggers"]) as pipeline:
        results = pipeline | beam.Create(numbers) | beam.ParDo(_Half()).with_outputs(dead_letters.TAG, main="halves")
        results[dead_letters.TAG] | dead_letters.WriteDeadLetters(uri, shard_count)
    return pipeline.result


def test_letters_are_written_and_counted_by_reason(tmp_path):
    result = _run(range(7), str(tmp_path / "letters"))
    assert [letter.id for letter in dead_letters.read(str(tmp_path / "letters"))] == ["1", "3", "5"]
    counters = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(dead_letters.TAG))["counters"]
    assert {counter.key.metric.name: counter.committed for counter in counters} == {"halve/odd": 3}


@pytest.mark.parametrize("shard_count", [1, 3])
def test_no_letters_still_make_files(tmp_path, shard_count):
    _run([2, 4], str(tmp_path / "letters"), shard_count)
    files = sorted((tmp_path / "letters").iterdir())
    assert len(files) == shard_count
    assert all(file.read_bytes() == b"" for file in files)


def test_letters_survive_json_with_awkward_file_names():
    for letter in LETTERS:
        assert "\n" not in letter.to_json()
        assert DeadLetter.from_json(letter.to_json()) == letter


def test_shard_is_a_tfrecord_file_with_the_same_bytes_each_time(tmp_path):
    shard = records.Shard("train", 0, 2)
    examples = [b"one", b"", b"three" * 1000]
    for name in ("first", "second"):
        assert records.write_shard(str(tmp_path / name), shard, iter(examples)) == 3
    first, second = (tmp_path / name / "Split-train" / "data-00000-of-00002.gz" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert [value.numpy() for value in tf.data.TFRecordDataset(str(first), compression_type="GZIP")] == examples
    assert list(records.read_shard(str(first))) == examples
    assert sorted(path.name for path in (tmp_path / "first").rglob("*")) == ["Split-train", first.name]


def test_failing_writer_leaves_no_shard(tmp_path):
    def failing():
        yield b"one"
        raise RuntimeError("stop")

    shard = records.Shard("train", 0, 1)
    with pytest.raises(RuntimeError, match="stop"):
        records.write_shard(str(tmp_path), shard, failing())
    assert not records.is_finished(str(tmp_path), shard)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_damaged_shard_is_refused(tmp_path):
    shard = records.Shard("train", 0, 1)
    records.write_shard(str(tmp_path), shard, [b"abcdef"])
    content = bytearray(gzip.decompress((tmp_path / "Split-train/data-00000-of-00001.gz").read_bytes()))
    content[14] ^= 1
    path = tmp_path / "bad.gz"
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(ValueError, match=r"bad\.gz.*damaged"):
        list(records.read_shard(str(path)))


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_cut_and_foreign_files_are_refused_by_name(tmp_path, part):
    shard = records.Shard("train", 0, 1)
    records.write_shard(str(tmp_path), shard, [np.random.default_rng(0).bytes(5000)])
    whole = (tmp_path / "Split-train/data-00000-of-00001.gz").read_bytes()
    for content in (whole[: int(part * len(whole))], b"words", gzip.decompress(whole)):
        path = tmp_path / "bad.gz"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"bad\.gz.*(not a GZIP file|damaged)"):
            list(records.read_shard(str(path)))


def test_a_disk_that_is_full_leaves_no_shard(tmp_path, monkeypatch):
    create = records.FileSystems.create

    def full(*arguments, **options):
        stream = create(*arguments, **options)
        close = stream.close

        def failing():
            close()
            raise OSError(28, "No space left on device")

        stream.close = failing
        return stream

    monkeypatch.setattr(records.FileSystems, "create", full)
    with pytest.raises(OSError, match="No space left"):
        records.write_file(str(tmp_path), str(tmp_path / "letters"), b"words")
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_share_a_folder_and_a_claim_ends_with_its_run(tmp_path):
    unfinished = str(tmp_path / "unfinished")
    with records.claimed(unfinished):
        with (
            pytest.raises(RuntimeError, match=r"Another run is at the same work, in .*unfinished"),
            records.claimed(unfinished),
        ):
            pass
        with records.claimed(str(tmp_path / "other")):
            pass
    with records.claimed(unfinished):
        pass


def test_the_slower_of_two_runs_is_told_what_happened(tmp_path):
    shards = [records.Shard("train", 0, 1)]
    with pytest.raises(FileNotFoundError, match="is gone: another run of the same work has published it"):
        records.publish(str(tmp_path / "unfinished"), str(tmp_path / "artifact"), shards)


def test_unfinished_folder_depends_on_the_work_and_lies_beside_the_artifact(tmp_path):
    first = records.unfinished_directory(str(tmp_path / "examples" / "3"), {"seed": 1, "count": 2})
    again = records.unfinished_directory(str(tmp_path / "examples" / "4") + "/", {"count": 2, "seed": 1})
    other = records.unfinished_directory(str(tmp_path / "examples" / "4"), {"count": 2, "seed": 2})
    assert first == again != other
    assert first.startswith(str(tmp_path / "examples" / records.UNFINISHED))


def test_publish_moves_all_shards_or_refuses(tmp_path):
    shards = [records.Shard("train", 0, 2), records.Shard("train", 1, 2), records.Shard("eval", 0, 1)]
    unfinished, uri = str(tmp_path / "unfinished"), str(tmp_path / "artifact")
    for shard in shards[:2]:
        records.write_shard(unfinished, shard, [shard.split.encode()])
    with pytest.raises(FileNotFoundError, match="1 of 3 shards are missing"):
        records.publish(unfinished, uri, shards)
    records.write_shard(unfinished, shards[2], [b"eval"])
    records.publish(unfinished, uri, shards)
    assert [list(records.read_shard(shard.path(uri))) for shard in shards] == [[b"train"], [b"train"], [b"eval"]]
    assert not (tmp_path / "unfinished").exists()


def test_artifact_types_are_known_by_their_names():
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from tfx.orchestration.kubeflow.v2 import compiler_utils
    from tfx.types import channel_utils
    from tfx.utils import import_utils

    import components
    from components import artifacts

    for kind in (artifacts.MorphableModelFile, artifacts.LandmarkNetworkFile, artifacts.DeadLetters):
        # What Kubeflow's compiler takes, and how its container finds the class again.
        compiler_utils.build_output_artifact_spec(channel_utils.as_channel([kind()]))
        assert import_utils.import_class_by_path(kind.TYPE_NAME) is kind
    with pytest.raises(AttributeError, match="'Nothing'"):
        components.Nothing  # noqa: B018
