"""From files of every kind to results or named reasons."""

import io
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from click.testing import CliRunner  # noqa: E402

from monoface.reconstruct import command  # noqa: E402
from serving.face_model import FaceModel, ServerUnavailableError  # noqa: E402
from serving.photo_paths import DEAD_LETTERS_FILE, find_photos, output_directories  # noqa: E402
from serving.reconstruct import Outcome, reconstruct_photos  # noqa: E402
from serving.server import Server  # noqa: E402
from trainer import contract  # noqa: E402

CENTER = (200.0, 120.0)
FILES = {"overlay.png", "mesh.obj", "landmarks.json"}


@pytest.fixture(scope="module")
def disc(fake: ModuleType) -> np.ndarray:
    return fake.photo_of_disc(260, 340, CENTER)


def saved(image: np.ndarray, path: Path, mode: str = "RGB", **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).convert(mode).save(path, **options)
    return path


def expected(fake: ModuleType, center: tuple[float, float] = CENTER) -> np.ndarray:
    return np.array([*center, 0], np.float32) + fake.RADIUS * fake.face_template()


def test_one_photo_s_files_lie_in_the_directory_itself(
    fake_model: FaceModel, fake: ModuleType, disc: np.ndarray, tmp_path: Path
) -> None:
    photo, out = saved(disc, tmp_path / "photo.png"), tmp_path / "new" / "out"
    (outcome,) = reconstruct_photos([photo], fake_model, out)
    assert outcome == Outcome(photo, out)
    assert {path.name for path in out.iterdir()} == FILES
    written = json.loads((out / "landmarks.json").read_text())
    assert list(written) == ["image", "width", "height", "faces"]
    assert (written["image"], written["width"], written["height"]) == ("photo.png", 340, 260)
    (face,) = written["faces"]
    assert list(face) == ["box", "landmarks", "landmark_set", "pose", "confidence"]
    np.testing.assert_allclose(face["landmarks"], expected(fake), atol=0.6)
    np.testing.assert_allclose(face["box"][:2], expected(fake).min(axis=0)[:2], atol=0.6)
    assert face["landmark_set"] in contract.LANDMARK_SETS
    assert face["pose"] == {"yaw": 10.0, "pitch": -5.0, "roll": 2.5}
    assert face["confidence"] == 1.0
    with Image.open(out / "overlay.png") as overlay:
        assert overlay.size == (340 + 512, 512)
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.load(out / "mesh.obj", process=False)
    np.testing.assert_allclose(mesh.vertices[:, :2].mean(axis=0), [CENTER[0], -CENTER[1]], atol=1.5)
    assert mesh.volume > 0
    if os.name == "posix":
        umask = os.umask(0)
        os.umask(umask)
        assert (out / "mesh.obj").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotated_photos_come_out_upright(
    fake_model: FaceModel, fake: ModuleType, disc: np.ndarray, tmp_path: Path, orientation: int
) -> None:
    """The file's pixels are turned away from upright as the tag says; results are in the upright photo's pixels."""
    turned = {
        1: disc,
        2: disc[:, ::-1],
        3: disc[::-1, ::-1],
        4: disc[::-1],
        5: disc.transpose(1, 0, 2),
        6: np.rot90(disc, 1),
        7: np.rot90(disc, 2).transpose(1, 0, 2),
        8: np.rot90(disc, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = saved(np.ascontiguousarray(turned), tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    reconstruct_photos([photo], fake_model, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "landmarks.json").read_text())
    assert (written["width"], written["height"]) == (340, 260)
    np.testing.assert_allclose(written["faces"][0]["landmarks"], expected(fake), atol=1.0)


def test_every_kind_of_bad_photo_is_named_and_the_run_goes_on(
    fake_model: FaceModel, disc: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    good = saved(disc, folder / "good.jpg")
    whole = good.read_bytes()
    huge = io.BytesIO()
    Image.new("1", (10_001, 5_000)).save(huge, "PNG")
    zero = bytearray(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40))
    bad = {
        "empty.jpg": b"",
        "truncated.jpg": whole[: len(whole) // 2],
        "text.png": b"this is no image at all",
        "zero.png": bytes(zero),
        "huge.png": huge.getvalue(),
        "header.png": b"\x89PNG\r\n\x1a\n12345678",
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    saved(disc[:1, :1], folder / "one.png")
    fine = [
        saved(disc, folder / "cmyk.jpg", "CMYK"),
        saved(disc, folder / "alpha.png", "RGBA"),
        saved(disc, folder / "palette.gif", "P"),
    ]
    photos = [*sorted(folder.iterdir()), tmp_path / "missing.jpg", folder]
    out = tmp_path / "out"
    outcomes = {outcome.photo.name: outcome for outcome in reconstruct_photos(photos, fake_model, out)}
    assert {name: outcome.reason for name, outcome in outcomes.items() if outcome.failed} == {
        "empty.jpg": "empty",
        "truncated.jpg": "truncated",
        "text.png": "not_an_image",
        "zero.png": "zero_size",
        "huge.png": "too_many_pixels",
        "header.png": "truncated",
        "one.png": "too_small",
        "missing.jpg": "missing",
        "photos": "no_photos",
    }
    for photo in (good, *fine):
        assert {path.name for path in (out / photo.stem).iterdir()} == FILES
    letters = [json.loads(line) for line in (out / DEAD_LETTERS_FILE).read_text().splitlines()]
    assert [letter["id"] for letter in letters] == [str(o.photo) for o in outcomes.values() if o.failed]
    for letter in letters:
        assert set(letter) == {"id", "stage", "reason", "message"}
        assert Path(letter["id"]).name in letter["message"]
    assert not (out / "empty").exists()
    # Once nothing fails, the list is gone.
    reconstruct_photos([good, *fine], fake_model, out)
    assert not (out / DEAD_LETTERS_FILE).exists()


def test_a_photo_without_a_face_fails_where_confidence_is_asked_for(fake_model: FaceModel, tmp_path: Path) -> None:
    photo = saved(np.full((100, 100, 3), 90, np.uint8), tmp_path / "wall.png")
    (outcome,) = reconstruct_photos([photo], fake_model, tmp_path / "out", min_confidence=0.5)
    assert outcome.reason == "no_face"
    assert "wall.png" in outcome.message
    assert "0.50" in outcome.message


def test_a_model_s_nonsense_is_not_written(fake_model: FaceModel, disc: np.ndarray, tmp_path: Path) -> None:
    class Broken(FaceModel):
        def signatures(self) -> Any:
            return fake_model.signatures()

        def predict(self, signature: str, inputs: Any) -> dict[str, np.ndarray]:
            outputs = fake_model.predict(signature, inputs)
            outputs[contract.OUTPUT_LANDMARKS][0, 3, 1] = np.nan
            return outputs

    (outcome,) = reconstruct_photos([saved(disc, tmp_path / "a.png")], Broken(), tmp_path / "out")
    assert outcome.reason == "not_finite"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [DEAD_LETTERS_FILE]


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        (contract.OUTPUT_BOX, np.zeros((1, 2, 2), np.float32)),
        (contract.OUTPUT_POSE, np.zeros((1, 6), np.float32)),
        (contract.OUTPUT_LANDMARKS, np.zeros((1, 68, 2), np.float32)),
        (contract.OUTPUT_VERTICES, np.zeros((1, 9, 2), np.float32)),
        (contract.OUTPUT_TRIANGLES, np.full((1, 4, 3), 10**6, np.int32)),
    ],
)
def test_answers_of_another_shape_are_a_named_reason(
    fake_model: FaceModel, disc: np.ndarray, tmp_path: Path, output: str, answer: np.ndarray
) -> None:
    class Other(FaceModel):
        def signatures(self) -> Any:
            return fake_model.signatures()

        def predict(self, signature: str, inputs: Any) -> dict[str, np.ndarray]:
            return fake_model.predict(signature, inputs) | {output: answer}

    (outcome,) = reconstruct_photos([saved(disc, tmp_path / "a.png")], Other(), tmp_path / "out")
    assert outcome.reason == "wrong_answer"


def test_a_server_that_goes_away_is_a_reason_like_any_other(
    fake_model: FaceModel, disc: np.ndarray, tmp_path: Path
) -> None:
    class Gone(FaceModel):
        def signatures(self) -> Any:
            return fake_model.signatures()

        def predict(self, signature: str, inputs: Any) -> dict[str, np.ndarray]:
            raise ServerUnavailableError("nobody there")

    (outcome,) = reconstruct_photos([saved(disc, tmp_path / "a.png")], Gone(), tmp_path / "out")
    assert (outcome.reason, outcome.message) == ("server_unavailable", f"{tmp_path / 'a.png'}: nobody there")


def test_a_box_tells_which_face(fake_model: FaceModel, fake: ModuleType, tmp_path: Path) -> None:
    """The fake model takes all red for one face: with the box around one of two, it must see that one alone."""
    image = fake.photo_of_disc(300, 600, (120.0, 150.0))
    other = fake.photo_of_disc(300, 600, (450.0, 130.0))
    photo = saved(np.where(other == 90, image, other).astype(np.uint8), tmp_path / "two.png")
    reconstruct_photos([photo], fake_model, tmp_path / "out", box=(410, 90, 490, 170))
    written = json.loads((tmp_path / "out" / "landmarks.json").read_text())
    np.testing.assert_allclose(written["faces"][0]["landmarks"], expected(fake, (450.0, 130.0)), atol=0.6)
    assert (written["width"], written["height"]) == (600, 300)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (1, 2, 3), (float("nan"), 0, 1, 1)])
def test_what_is_no_box_is_refused(fake_model: FaceModel, tmp_path: Path, box: Any) -> None:
    with pytest.raises(ValueError, match="`box` must be"):
        reconstruct_photos([tmp_path / "a.png"], fake_model, tmp_path / "out", box=box)


def test_a_box_off_the_photo_is_a_named_reason(fake_model: FaceModel, disc: np.ndarray, tmp_path: Path) -> None:
    photo = saved(disc, tmp_path / "a.png")
    (outcome,) = reconstruct_photos([photo], fake_model, tmp_path / "out", box=(1000, 0, 1100, 100))
    assert outcome.reason == "box_outside"


def test_a_box_too_small_for_a_face_is_a_named_reason(fake_model: FaceModel, disc: np.ndarray, tmp_path: Path) -> None:
    photo = saved(disc, tmp_path / "a.png")
    (outcome,) = reconstruct_photos([photo], fake_model, tmp_path / "out", box=(100, 100, 100.5, 100.5))
    assert outcome.reason == "box_too_small"


def test_a_failure_leaves_no_earlier_result_behind(fake_model: FaceModel, disc: np.ndarray, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reconstruct_photos([saved(disc, tmp_path / "a.png")], fake_model, out)
    (out / "mine.txt").write_text("keep")
    (tmp_path / "b.png").write_bytes(b"")
    reconstruct_photos([tmp_path / "b.png"], fake_model, out)
    assert {path.name for path in out.iterdir()} == {"mine.txt", DEAD_LETTERS_FILE}


def test_results_that_cannot_be_written_do_not_stop_the_others(
    fake_model: FaceModel, disc: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    photos = [saved(disc, tmp_path / name) for name in ("blocked.png", "free.png")]
    out.mkdir()
    (out / "blocked").write_text("a file where a directory should be")
    blocked, free = reconstruct_photos(photos, fake_model, out)
    assert (blocked.reason, free.failed) == ("not_written", False)
    assert {path.name for path in (out / "free").iterdir()} == FILES
    assert "blocked.png" in (out / DEAD_LETTERS_FILE).read_text()


def test_a_directory_without_photos_is_a_named_reason(fake_model: FaceModel, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (outcome,) = reconstruct_photos(find_photos([tmp_path / "notes"]), fake_model, tmp_path / "out")
    assert outcome.reason == "no_photos"


def test_results_of_earlier_runs_are_no_photos(disc: np.ndarray, tmp_path: Path) -> None:
    photo = saved(disc, tmp_path / "photos" / "a.png")
    saved(disc, tmp_path / "photos" / "out" / "overlay.png")
    assert find_photos([tmp_path / "photos"], tmp_path / "photos" / "out") == [photo]
    assert len(find_photos([tmp_path / "photos"], tmp_path / "photos")) == 2
    assert len(find_photos([tmp_path / "photos"])) == 2


def test_photos_from_files_folders_and_patterns(disc: np.ndarray, tmp_path: Path) -> None:
    names = ["b.jpg", "a.PNG", "deep/er/c.webp", "notes.txt", "odd[1].png"]
    for name in names:
        saved(disc[:20, :20], (tmp_path / name).with_suffix(".png"))
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("b.png", "deep/er/c.png", "notes.png", "a.png"):
        (tmp_path / name).unlink()
    found = find_photos([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "a.PNG",
        "b.jpg",
        "deep/er/c.webp",
        "odd[1].png",
    ]
    assert find_photos([f"{tmp_path}/**/*.jpg", tmp_path / "b.jpg"]) == [tmp_path / "b.jpg"]
    assert find_photos([tmp_path / "odd[1].png"]) == [tmp_path / "odd[1].png"]
    assert find_photos([f"{tmp_path}/*.tif", "none.jpg"]) == [Path(f"{tmp_path}/*.tif"), Path("none.jpg")]


def test_directories_of_photos_never_collide() -> None:
    photos = [Path(p) for p in ("a/x.jpg", "b/x.png", "X.gif", "x-2.jpg", "..jpg", "dead_letters.jsonl.png")]
    directories = output_directories(photos, Path("out"))
    assert len({d.name.casefold() for d in directories}) == len(photos)
    assert all(d.parent == Path("out") for d in directories)
    assert directories[0].name == "x"
    assert "dead_letters.jsonl" not in {d.name for d in directories}


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_s_exit_status_says_what_happened(
    fake_base: Path, server: Server, disc: np.ndarray, tmp_path: Path
) -> None:
    good, out = saved(disc, tmp_path / "good.png"), tmp_path / "out"
    done = run(good, "--out", out, "--model", fake_base)
    assert done.exit_code == 0, done.output
    assert "1 of 1" in done.output
    here = (out / "landmarks.json").read_text()
    for url in (f"grpc://127.0.0.1:{server.port}", f"http://127.0.0.1:{server.rest_port}"):
        assert run(good, "--out", out, "--url", url).exit_code == 0
        assert (out / "landmarks.json").read_text() == here

    (tmp_path / "bad.png").write_bytes(b"")
    done = run(good, tmp_path / "bad.png", "--out", tmp_path / "both", "--model", fake_base)
    assert done.exit_code == 1
    assert f"empty: {tmp_path / 'bad.png'}" in done.output
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"good", DEAD_LETTERS_FILE}

    for arguments, says in (
        ((good, "--out", out, "--model", tmp_path / "absent"), "monoface run"),
        ((good, "--out", out, "--model", fake_base, "--url", "h:1"), "Only one of"),
        ((good, "--out", out, "--url", "ftp://h:1"), "`url` must"),
        ((good, "--out", out, "--url", "127.0.0.1:1"), "127.0.0.1:1"),
        ((good, "--out", out, "--box", "1,2,3"), "x0,y0,x1,y1"),
        ((good, "--out", out, "--box", "a,b,c,d"), "x0,y0,x1,y1"),
        ((good, "--out", out, "--box", "0,0,inf,inf"), "x0,y0,x1,y1"),
        ((good, good.with_name("bad.png"), "--out", out, "--box", "1,2,3,4"), "one photo"),
        ((good, "--out", good, "--model", fake_base), "is a file"),
        (("--out", out), "PHOTO"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2, (arguments, done.output)
        assert says in done.output
