import hashlib
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from PIL import Image

from components import dead_letters, records
from components.photo_example_gen import transforms
from components.photo_example_gen.config import PhotoConfig
from trainer import contract, examples
from trainer.imaging import codecs

CONFIG = PhotoConfig(eval_fraction=0.4, shard_size=2, max_side=100)


def pipeline(*arguments: str) -> beam.Pipeline:
    runner = "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
    return beam.Pipeline(argv=[runner, *arguments])


def picture(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Five photos, each of another kind, and eight files that are none."""
    root = tmp_path / "album"
    for name in ("anna", "bo", "broken/deep"):
        (root / name).mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    good = {
        "anna/1.jpg": encoded(picture(1), "JPEG", exif=exif.tobytes()),
        "anna/2.png": encoded(picture(2).convert("RGBA"), "PNG"),
        "bo/large.jpg": encoded(picture(3, 400, 200).convert("CMYK"), "JPEG"),
        "bo/grey": encoded(picture(4).convert("L"), "PNG"),
        "alone, ünïcode.gif": encoded(picture(5), "GIF"),
    }
    bad = {
        "broken/empty.jpg": b"",
        "broken/text.jpg": b"these are words",
        "broken/cut.jpg": good["anna/1.jpg"][:1000],
        "broken/one.png": encoded(picture(6, 1, 1), "PNG"),
        "broken/huge.png": huge_png(),
        "broken/deep/zero.gif": b"GIF89a" + bytes(7) + b";",
        "broken/phone.heic": b"\0\0\0\x18ftypheic" + bytes(40),
        "broken/noise.png": good["anna/2.png"][:60] + bytes(300) + good["anna/2.png"][360:],
    }
    for name, data in {**good, **bad}.items():
        (root / name).write_bytes(data)
    return root


def generate(album: Path, out: Path, config: PhotoConfig = CONFIG, *arguments: str) -> tuple[dict[str, bytes], list]:
    """Runs the whole; every file of both artifacts with its bytes, and the letters."""
    uris = [str(out / name / "1") for name in ("examples", "letters")]
    transforms.generate(pipeline(*arguments), str(album), config, *uris)
    files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    return files, sorted(dead_letters.read(uris[1]))


def read(out: Path) -> dict[str, dict[str, Any]]:
    """Features by id, with the split they lie in."""
    found = {}
    for path in sorted((out / "examples/1").glob("Split-*/*")):
        for serialized in records.read_shard(str(path)):
            features = examples.decode(serialized)
            found[features[contract.IMAGE_ID]] = {**features, "split": path.parent.name}
    return found


def test_good_photos_become_examples_and_bad_ones_letters(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _, letters = generate(album, out)
    found = read(out)
    assert set(found) == {"anna/1.jpg", "anna/2.png", "bo/large.jpg", "bo/grey", "alone, ünïcode.gif"}
    assert {letter.id: letter.reason for letter in letters} == {
        "broken/empty.jpg": "empty",
        "broken/text.jpg": "not_an_image",
        "broken/cut.jpg": "truncated",
        "broken/one.png": "too_small",
        "broken/huge.png": "too_many_pixels",
        "broken/deep/zero.gif": "zero_size",
        "broken/phone.heic": "unsupported_format",
        "broken/noise.png": "damaged",
    }
    assert {letter.stage for letter in letters} == {"photo_example_gen"}
    assert all(letter.message.startswith(letter.id + ": ") for letter in letters)
    assert str(album) not in json.dumps([letter.message for letter in letters])
    # Both photos of a person lie in the same split.
    assert found["anna/1.jpg"]["split"] == found["anna/2.png"]["split"]
    assert found["bo/grey"]["split"] == found["bo/large.jpg"]["split"]


def test_an_example_tells_where_it_comes_from(album: Path, tmp_path: Path) -> None:
    generate(album, tmp_path / "out")
    found = read(tmp_path / "out")
    turned = found["anna/1.jpg"]
    assert (turned[contract.DOMAIN], turned[contract.IDENTITY], turned[contract.MOMENT]) == (
        "photo",
        "anna",
        "anna/1.jpg",
    )
    assert found["alone, ünïcode.gif"][contract.IDENTITY] == "alone, ünïcode.gif"
    provenance = json.loads(turned[contract.PROVENANCE])
    assert provenance["path"] == "anna/1.jpg"
    assert provenance["sha256"] == hashlib.sha256((album / "anna/1.jpg").read_bytes()).hexdigest()
    # Stored lying on its side, 64 × 48; upright it is 48 × 64.
    assert (turned[contract.IMAGE_WIDTH], turned[contract.IMAGE_HEIGHT]) == (48, 64)
    large = found["bo/large.jpg"]
    assert (large[contract.IMAGE_WIDTH], large[contract.IMAGE_HEIGHT]) == (100, 50)
    provenance = json.loads(large[contract.PROVENANCE])
    assert (provenance["original_width"], provenance["original_height"]) == (400, 200)


def test_the_pictures_are_upright_jpegs_without_metadata(album: Path, tmp_path: Path) -> None:
    generate(album, tmp_path / "out")
    for name, features in read(tmp_path / "out").items():
        image = Image.open(io.BytesIO(features[contract.IMAGE_ENCODED]))
        assert (image.format, image.mode) == ("JPEG", "RGB")
        assert not image.getexif()
        assert image.size == (features[contract.IMAGE_WIDTH], features[contract.IMAGE_HEIGHT])
        original = codecs.decode_photo(album / name, max_side=CONFIG.max_side).image
        assert np.abs(np.asarray(image).astype(int) - original).mean() < 4


def test_the_same_folder_gives_the_same_bytes(album: Path, tmp_path: Path) -> None:
    once, _ = generate(album, tmp_path / "a")
    again, _ = generate(album, tmp_path / "b")
    parallel, _ = generate(
        album, tmp_path / "c", CONFIG, "--direct_num_workers=2", "--direct_running_mode=multi_threading"
    )
    assert once == again == parallel
    assert len(once) > 3


def test_a_run_that_was_stopped_goes_on_where_it_was(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, letters = generate(album, tmp_path / "whole")
    decode, seen = codecs.decode_photo, []

    def stopping(source: Any, *arguments: Any, **options: Any) -> Any:
        if len(seen) == 9:
            raise RuntimeError("the power failed")
        seen.append(source)
        return decode(source, *arguments, **options)

    monkeypatch.setattr(codecs, "decode_photo", stopping)
    with pytest.raises(RuntimeError, match="the power failed"):
        generate(album, tmp_path / "stopped")
    assert not (tmp_path / "stopped/examples/1").exists()
    seen_first = list(seen)

    def counting(source: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(source)
        return decode(source, *arguments, **options)

    seen.clear()
    monkeypatch.setattr(codecs, "decode_photo", counting)
    assert generate(album, tmp_path / "stopped") == (expected, letters)
    # Files that were finished were not read again; the one under way was.
    assert 13 - len(seen_first) <= len(seen) <= 13 - len(seen_first) + CONFIG.shard_size


def test_changed_photos_are_not_taken_for_the_old_ones(album: Path, tmp_path: Path) -> None:
    generate(album, tmp_path / "out")
    (album / "bo/grey").write_bytes(encoded(picture(77, 80, 60), "PNG"))
    transforms.generate(
        pipeline(), str(album), CONFIG, str(tmp_path / "out/examples/2"), str(tmp_path / "out/letters/2")
    )
    sizes = [
        examples.decode(serialized)[contract.IMAGE_WIDTH]
        for path in sorted((tmp_path / "out/examples/2").glob("Split-*/*"))
        for serialized in records.read_shard(str(path))
        if examples.decode(serialized)[contract.IMAGE_ID] == "bo/grey"
    ]
    assert sizes == [80]


def test_a_folder_without_one_photo_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / "notes" / name).write_text("words" if name < "c" else "")
    message = r"None of the 3 photos of .* can be used: 2 × not_an_image, 1 × empty. The first: a.txt: Must be"
    with pytest.raises(RuntimeError, match=message):
        generate(tmp_path / "notes", tmp_path / "out")
    assert len(list(dead_letters.read(str(tmp_path / "out/letters/1")))) == 3


def test_names_that_are_no_utf8_do_not_stop_the_run(tmp_path: Path) -> None:
    root = tmp_path / "album"
    root.mkdir()
    (root / "fine.png").write_bytes(encoded(picture(1), "PNG"))
    path = bytes(root) + b"/caf\xe9.png"
    Path(path.decode("utf-8", "surrogateescape")).write_bytes(encoded(picture(2), "PNG"))
    generate(root, tmp_path / "out")
    assert set(read(tmp_path / "out")) == {"fine.png", "caf?.png"}
