import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from PIL import Image

from components import dead_letters, records
from components.morphable_model_gen import storage
from components.shard_writing import ShardWork, WriteShardDoFn
from components.synthetic_face_gen import sharding, transforms
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.example import image_id
from trainer import contract, examples
from trainer.morphable.default import default_head

CONFIG = SyntheticFaceConfig(
    count=24, image_size=48, views_per_identity=2, shard_size=5, eval_fraction=0.25, supersample=1
)
TWO_WORKERS = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")


@pytest.fixture(scope="module")
def model_uri(tmp_path_factory):
    uri = tmp_path_factory.mktemp("model")
    storage.save_model(default_head(), str(uri))
    return str(uri)


def _generate(config, model_uri, folder, *arguments):
    pipeline = beam.Pipeline(argv=[*transforms.IN_PROCESS, *arguments])
    transforms.generate(pipeline, config, model_uri, str(folder / "examples"), str(folder / "letters"))
    return pipeline.result


def _files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _counters(result):
    found = result.metrics().query(MetricsFilter().with_namespace(transforms.STAGE))["counters"]
    return {counter.key.metric.name: counter.committed for counter in found}


def _first_work(config):
    shard, indices = next(iter(sharding.contents(config).items()))
    return ShardWork(shard, tuple(indices))


@pytest.fixture(scope="module")
def rendered(model_uri, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    counters = _counters(_generate(CONFIG, model_uri, folder))
    return folder, counters


def test_artifacts_hold_every_image_once_and_nothing_else(rendered):
    folder, counters = rendered
    shards = sharding.contents(CONFIG)
    assert counters == {"examples": 24, "shards_written": len(shards)}
    assert set(_files(folder)) == {
        *(str(Path(shard.path("examples"))) for shard in shards),
        "letters/dead_letters-00000-of-00001.jsonl",
    }
    people, ids = {"train": set(), "eval": set()}, []
    for shard, indices in shards.items():
        decoded = [examples.decode(record) for record in records.read_shard(shard.path(str(folder / "examples")))]
        assert [record[contract.IMAGE_ID] for record in decoded] == [image_id(CONFIG, index) for index in indices]
        ids += [record[contract.IMAGE_ID] for record in decoded]
        people[shard.split] |= {record[contract.IDENTITY] for record in decoded}
    assert len(set(ids)) == len(ids) == 24
    assert people["train"]
    assert people["eval"]
    assert people["train"].isdisjoint(people["eval"])


@pytest.mark.e2e
def test_two_worker_processes_write_the_same_bytes(rendered, model_uri, tmp_path):
    _generate(CONFIG, model_uri, tmp_path, *TWO_WORKERS)
    assert _files(tmp_path) == _files(rendered[0])


def test_killed_run_goes_on_where_it_was(rendered, model_uri, tmp_path, monkeypatch):
    """The run dies in its third shard; the next one, with new artifact addresses, keeps the two that were finished."""
    render = transforms.render_example
    dying = iter(range(2 * CONFIG.shard_size + 1))

    def killed(config, model, index):
        if next(dying, None) is None:
            raise KeyboardInterrupt
        return render(config, model, index)

    monkeypatch.setattr(transforms, "render_example", killed)
    with pytest.raises(BaseException):  # noqa: B017, PT011  (which type is up to Beam)
        _generate(CONFIG, model_uri, tmp_path / "first")
    monkeypatch.setattr(transforms, "render_example", render)
    unfinished = next((tmp_path / "first").glob(f"{records.UNFINISHED}-*"))
    finished = sorted(unfinished.glob("Split-*/data-*"))
    assert len(finished) == 2
    (unfinished / f"{records.UNFINISHED}-0123").write_bytes(b"half a shard")
    times = {path.name: path.stat().st_mtime_ns for path in finished}
    pipeline = beam.Pipeline(argv=list(transforms.IN_PROCESS))
    second = tmp_path / "first" / "examples-of-the-second-run"
    transforms.generate(pipeline, CONFIG, model_uri, str(second), str(tmp_path / "letters"))
    assert _counters(pipeline.result)["shards_reused"] == 2
    assert _files(second) == {
        name.removeprefix("examples/"): content
        for name, content in _files(rendered[0]).items()
        if name.startswith("examples/")
    }
    assert {
        path.name: path.stat().st_mtime_ns for path in second.rglob("*") if path.name in times
    }.items() >= times.items()
    assert not unfinished.exists()


def test_other_work_does_not_take_over_unfinished_shards(model_uri, tmp_path):
    uris = {
        records.unfinished_directory(str(tmp_path / "examples"), transforms.work_of(config, default_head()))
        for config in (CONFIG, dataclasses.replace(CONFIG, seed=1))
    }
    assert len(uris) == 2


def test_other_photographs_behind_the_faces_are_other_work(tmp_path):
    config = dataclasses.replace(CONFIG, background=str(tmp_path))
    Image.new("RGB", (64, 64), (90, 120, 60)).save(tmp_path / "a.png")
    before = transforms.work_of(config, default_head())
    assert transforms.work_of(config, default_head()) == before
    Image.new("RGB", (64, 64), (90, 20, 60)).save(tmp_path / "b.png")
    assert transforms.work_of(config, default_head()) != before


def test_failing_images_are_dead_letters_and_the_others_are_there(model_uri, tmp_path):
    backgrounds = tmp_path / "backgrounds"
    backgrounds.mkdir()
    Image.new("RGB", (64, 64), (90, 120, 60)).save(backgrounds / "good.png")
    (backgrounds / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    config = dataclasses.replace(CONFIG, background=str(backgrounds))
    result = _generate(config, model_uri, tmp_path)
    letters = list(dead_letters.read(str(tmp_path / "letters")))
    assert 0 < len(letters) < 24
    for letter in letters:
        assert letter.stage == transforms.STAGE
        assert letter.reason.startswith("background_")
        assert "torn.jpg" in letter.message
    there = [
        examples.decode(record)[contract.IMAGE_ID]
        for shard in sharding.shards(config)
        for record in records.read_shard(shard.path(str(tmp_path / "examples")))
    ]
    assert sorted(there + [letter.id for letter in letters]) == [image_id(config, index) for index in range(24)]
    counted = result.metrics().query(MetricsFilter().with_namespace(dead_letters.TAG))["counters"]
    assert sum(counter.committed for counter in counted) == len(letters)


def test_letters_of_finished_shards_are_written_again_after_a_restart(model_uri, tmp_path):
    backgrounds = tmp_path / "backgrounds"
    backgrounds.mkdir()
    (backgrounds / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    config = dataclasses.replace(CONFIG, background=str(backgrounds), count=4)
    work = _first_work(config)
    render = WriteShardDoFn(transforms.RenderWorker(config, model_uri), str(tmp_path))
    render.setup()
    first, again = (
        [output.value for output in render.process(work) if isinstance(output, beam.pvalue.TaggedOutput)]
        for _ in range(2)
    )
    render.teardown()
    assert len(first) == 4
    assert again == first


def test_data_set_of_which_nothing_can_be_rendered_is_an_error_that_says_why(model_uri, tmp_path):
    (tmp_path / "backgrounds").mkdir()
    (tmp_path / "backgrounds" / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    config = dataclasses.replace(CONFIG, background=str(tmp_path / "backgrounds"))
    with pytest.raises(RuntimeError, match=r"None of 24 images could be rendered: 24 × background_.*torn\.jpg"):
        _generate(config, model_uri, tmp_path)


def test_model_that_does_not_fit_is_refused_before_any_work(tmp_path):
    outline = {"outline": default_head().landmarks["outline"]}
    storage.save_model(dataclasses.replace(default_head(), landmarks=outline), str(tmp_path / "model"))
    with pytest.raises(ValueError, match="landmark_set"):
        _generate(CONFIG, str(tmp_path / "model"), tmp_path)
    assert not (tmp_path / "examples").exists()


def test_empty_background_folder_stops_the_run_before_it_starts(model_uri, tmp_path):
    (tmp_path / "empty").mkdir()
    config = dataclasses.replace(CONFIG, background=str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="which has none"):
        _generate(config, model_uri, tmp_path)


def test_shards_are_rendered_one_image_at_a_time(model_uri, tmp_path, monkeypatch):
    """A shard's writer has taken an image before the next one is rendered: memory does not grow with the shard."""
    events = []
    monkeypatch.setattr(
        transforms, "render_example", lambda config, model, index: events.append(("render", index)) or b"image"
    )
    render = WriteShardDoFn(transforms.RenderWorker(CONFIG, model_uri), str(tmp_path))
    render.setup()
    for number, _ in enumerate(render._examples(_first_work(CONFIG))):
        assert len(events) == number + 1
    render.teardown()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_prism_and_one_and_two_workers_give_the_same_examples(model_uri, tmp_path):
    """Beam's portable runner, the same job as on Flink or Spark: 200 examples, byte for byte."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Prism is built with Go, which is not installed")
    built = subprocess.run(
        [go, "install", f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam.__version__}"],
        env={**os.environ, "GOBIN": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"Prism could not be built: {built.stderr.strip().splitlines()[-1]}")
    config = dataclasses.replace(CONFIG, count=200, shard_size=20)
    runs = {
        "one": (),
        "two": TWO_WORKERS,
        "prism": (
            "--runner=PrismRunner",
            f"--prism_location={tmp_path / 'bin' / 'prism'}",
            "--environment_type=LOOPBACK",
        ),
    }
    for name, arguments in runs.items():
        _generate(config, model_uri, tmp_path / name, *arguments)
    one, two, prism = (_files(tmp_path / name) for name in runs)
    assert len(one) == len(sharding.shards(config)) + 1
    assert one == two
    assert one == prism
