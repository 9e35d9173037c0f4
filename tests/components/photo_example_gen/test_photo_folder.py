import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from components.photo_example_gen import splits
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.photo_file import PhotoFile, Problem
from components.photo_example_gen.readers import folder
from components.photo_example_gen.readers.folder import FolderReader
from components.photo_example_gen.readers.open_reader import kind_of, open_reader
from components.records import EVAL, SPLITS
from trainer import configuration


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())


def find(source: str) -> list[PhotoFile]:
    return FolderReader(source).find()


def state(source: str) -> str:
    reader = FolderReader(source)
    return reader.state(reader.find())


def people(count: int, photos: int = 1) -> list[PhotoFile]:
    return [PhotoFile(f"{name}/{photo}", str(name)) for name in range(count) for photo in range(photos)]


def split_of_identities(config: PhotoConfig, files: list[PhotoFile]) -> dict[str, str]:
    return {file.identity: work.shard.split for work in splits.shard_works(files, config) for file in work.items}


def test_sub_folders_are_identities_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b/2.jpg",
        "b/1.png",
        "a/2020/x",
        "alone.jpg",
        ".DS_Store",
        ".git/y.jpg",
        "a/.thumbs/z.jpg",
        "b/.hidden",
    )
    assert find(str(tmp_path)) == [
        PhotoFile("a/2020/x", "a"),
        PhotoFile("alone.jpg", "alone.jpg"),
        PhotoFile("b/1.png", "b"),
        PhotoFile("b/2.jpg", "b"),
    ]


def test_no_folder_no_work(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"`source` must be a folder of photos or a manifest. There is none at '.*nowhere'"
    ):
        find(str(tmp_path / "nowhere"))
    touch(tmp_path, "file.jpg", "hidden/.only")
    with pytest.raises(NotADirectoryError, match=r"Received a file: '.*file.jpg'"):
        find(str(tmp_path / "file.jpg"))
    with pytest.raises(FileNotFoundError, match="`source` must hold photos"):
        find(str(tmp_path / "hidden"))


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.jpg", "b/1.jpg")
    scan = folder.os.scandir

    def refusing(path: str) -> Any:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(folder.os, "scandir", refusing)
    with pytest.raises(PermissionError, match=r"/b'"):
        find(str(tmp_path))


def test_the_fingerprint_changes_with_the_photos(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/2.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "gone.jpg")
    first = state(str(tmp_path))
    assert state(str(tmp_path)) == first
    touch(tmp_path, ".hidden")
    assert state(str(tmp_path)) == first
    (tmp_path / "a/2.jpg").write_bytes(b"another, longer content")
    changed = state(str(tmp_path))
    assert changed != first
    (tmp_path / "a/2.jpg").rename(tmp_path / "a/3.jpg")
    assert state(str(tmp_path)) not in (first, changed)


def test_an_identity_is_in_one_split_whatever_else_is_there() -> None:
    config = PhotoConfig(eval_fraction=0.3, shard_size=7)
    small, large = split_of_identities(config, people(200, 2)), split_of_identities(config, people(400, 3))
    assert all(large[identity] == split for identity, split in small.items())
    assert 0.22 < sum(split == EVAL for split in large.values()) / 400 < 0.38
    for work in splits.shard_works(people(200, 2), config):
        assert all(small[file.identity] == work.shard.split for file in work.items)


def test_the_seed_chooses_the_people() -> None:
    chosen = [split_of_identities(PhotoConfig(eval_fraction=0.5, seed=seed), people(60)) for seed in (0, 1)]
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_neither_split_is_empty_where_there_are_two_people(count: int) -> None:
    for fraction in (0.01, 0.99):
        for seed in range(20):
            chosen = split_of_identities(PhotoConfig(eval_fraction=fraction, seed=seed), people(count)).values()
            assert set(chosen) == set(SPLITS)


def test_one_person_or_no_evaluation_leaves_an_empty_file() -> None:
    for config, files in ((PhotoConfig(eval_fraction=0.0), people(9)), (PhotoConfig(eval_fraction=0.01), people(1))):
        works = splits.shard_works(files, config)
        assert [(work.shard.split, len(work.items)) for work in works] == [("train", len(files)), ("eval", 0)]


def test_files_hold_every_photo_once_in_order() -> None:
    files = people(30, 3)
    shuffled = random.Random(0).sample(files, len(files))
    config = PhotoConfig(eval_fraction=0.2, shard_size=8)
    works = splits.shard_works(shuffled, config)
    assert works == splits.shard_works(files, config)
    assert {file for work in works for file in work.items} == set(files)
    for work in works:
        assert len(work.items) <= 8
        assert list(work.items) == sorted(work.items, key=lambda photo: photo.order)
        assert work.shard.count == sum(other.shard.split == work.shard.split for other in works)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"eval_fraction": 1.0}, r"`eval_fraction` must be in \[0, 1\). Received: eval_fraction=1.0"),
        ({"eval_fraction": -0.1}, "`eval_fraction` must be"),
        ({"max_side": 3}, "`max_side` must be at least 16. Received: max_side=3"),
        ({"max_pixels": 0}, "`max_pixels` must be at least 1"),
        ({"shard_size": -1}, "`shard_size` must be at least 1. Received: shard_size=-1"),
        ({"jpeg_quality": 101}, r"`jpeg_quality` must be in \[1, 100\]. Received: jpeg_quality=101"),
        ({"seed": -1}, "`seed` must be at least 0"),
        (
            {"reader": "csv"},
            "`reader` must be one of auto, folder, manifest, pts, aflw2000, multiview. Received: 'csv'",
        ),
        ({"labels_of": "file"}, "`labels_of` must be one of stored, upright"),
        ({"first_pixel_center": 99.0}, r"`first_pixel_center` must be in \[-10, 10\]"),
        ({"evalfraction": 0.1}, "no field `evalfraction`. Did you mean `eval_fraction`"),
    ],
)
def test_mistakes_in_the_configuration_are_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configuration.from_mapping(PhotoConfig, values)


def test_views_of_one_instant_share_a_moment(tmp_path: Path) -> None:
    touch(
        tmp_path, "anna/smile/0.jpg", "anna/smile/1.jpg", "anna/frown/0.jpg", "bo/smile/0.jpg", "stray.jpg", "bo/x.jpg"
    )
    touch(tmp_path, "bo/smile/left/0.jpg")
    photos = open_reader(str(tmp_path), PhotoConfig(reader="multiview")).find()
    assert {photo.path: (photo.identity, photo.moment) for photo in photos if photo.problem is None} == {
        "anna/smile/0.jpg": ("anna", "anna/smile"),
        "anna/smile/1.jpg": ("anna", "anna/smile"),
        "anna/frown/0.jpg": ("anna", "anna/frown"),
        "bo/smile/0.jpg": ("bo", "bo/smile"),
    }
    refused = {photo.path: photo.problem.reason for photo in photos if photo.problem is not None}
    assert refused == {"stray.jpg": "not_a_view", "bo/x.jpg": "not_a_view", "bo/smile/left/0.jpg": "not_a_view"}


def test_a_folder_is_what_most_of_it_is(tmp_path: Path) -> None:
    touch(tmp_path, "album/anna/2020/1.jpg", "album/anna/2020/2.jpg", "album/stray.pts", "album/notes.mat")
    assert kind_of(str(tmp_path / "album")) == "folder", "an album by years is no set of simultaneous views"
    touch(tmp_path, "half/1.jpg", "half/1.pts", "half/2.JPG", "half/readme")
    assert kind_of(str(tmp_path / "half")) == "pts"
    touch(tmp_path, "third/1.jpg", "third/1.mat", "third/2.jpg", "third/3.jpg")
    assert kind_of(str(tmp_path / "third")) == "folder"
    touch(tmp_path, "words/readme", "words/1.pts")
    assert kind_of(str(tmp_path / "words")) == "folder"
    touch(tmp_path, "list.csv")
    assert kind_of(str(tmp_path / "list.csv")) == "manifest"
    with pytest.raises(FileNotFoundError, match="must be a folder of photos or a manifest"):
        kind_of(str(tmp_path / "nowhere"))


def test_what_is_no_photo_takes_no_split_from_the_people() -> None:
    refused = [dataclasses.replace(photo, problem=Problem("broken", "It is.")) for photo in people(1)]
    works = splits.shard_works([PhotoFile("a", "a"), PhotoFile("b", "b"), *refused], PhotoConfig(eval_fraction=0.01))
    assert [(work.shard.split, sum(photo.problem is None for photo in work.items)) for work in works] == [
        ("train", 1),
        ("eval", 1),
    ]
