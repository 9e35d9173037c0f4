"""`.mat` files made by the formulas of 300W-LP's MATLAB code, and the 28 real ones where they are there."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import photo_files
import pytest
import source_files

from components.dead_letters import DeadLetter
from components.photo_example_gen.config import PhotoConfig
from components.photo_example_gen.readers import open_reader as open_readers
from components.photo_example_gen.readers.aflw2000 import Aflw2000Reader
from components.photo_example_gen.readers.basel_scale import BaselScale, basel_scale
from components.photo_example_gen.readers.open_reader import kind_of, open_reader
from components.photo_example_gen.transforms import PhotoWorker
from trainer import contract, examples
from trainer.morphable.default import DEFAULT_HEAD_PATH
from trainer.morphable.model import MorphableModel
from trainer.morphable.readers.open_model import open_model
from trainer.rendering import camera as cameras

ANGLES = np.radians((-12.0, 35.0, 8.0))
SHAPE, EXPRESSION = np.array([[5.0], [-2.0], [1.0]]), np.array([[0.3], [-1.5]])


def vertices() -> np.ndarray:
    """`[68, 3]` micrometres, by 300W-LP's formula: mu_shape + mu_exp + w · Shape_Para + w_exp · Exp_Para."""
    shape, expression = source_files.trimmed_shape(), source_files.expressions()
    whole = shape["mu_shape"] + expression["mu_exp"] + shape["w"] @ SHAPE + expression["w_exp"] @ EXPRESSION
    return whole.reshape(-1, 3)[source_files.landmark_vertices()].astype(np.float64)


def variables(**changes: Any) -> dict[str, Any]:
    angles = tuple(float(angle) for angle in ANGLES)
    made = photo_files.aflw2000(vertices(), angles, 4e-4, (80.0, 70.0, -30.0), photo_files.HEIGHT)
    made |= {"Shape_Para": SHAPE, "Exp_Para": EXPRESSION, **changes}
    return {name: value for name, value in made.items() if value is not None}


def write(folder: Path, name: str = "image00001", **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(photo_files.noise(1))
    photo_files.save_mat(folder / f"{name}.mat", variables(**changes))
    return folder


def results(folder: Path, scale: BaselScale | None = None, **config: Any) -> list[Any]:
    reader = Aflw2000Reader(str(folder), scale)
    worker = PhotoWorker(reader, PhotoConfig(**config))
    made = [result for photo in reader.find() for result in worker.results(photo)]
    return [result if isinstance(result, DeadLetter) else examples.decode(result) for result in made]


@pytest.fixture(scope="module")
def basel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bfm")
    source_files.save_mat(folder / "Model_Shape.mat", source_files.trimmed_shape())
    source_files.save_mat(folder / "Model_Exp.mat", source_files.expressions())
    return folder


@pytest.fixture(scope="module")
def model(basel: Path) -> MorphableModel:
    return open_model(basel)


@pytest.fixture(scope="module")
def scale(basel: Path, model: MorphableModel) -> BaselScale:
    with pytest.MonkeyPatch.context() as patch:  # to read it takes seconds
        patch.setattr("components.photo_example_gen.readers.basel_scale.open_model", lambda path, sha256: model)
        found = basel_scale(basel)
    assert found is not None
    return found


def test_pose_and_points_are_the_contracts(tmp_path: Path) -> None:
    """The same points of the same face under our camera convention, pose fitted, give the same angles."""
    (found,) = results(write(tmp_path / "set"))
    points = found[contract.LANDMARKS_XY].reshape(68, 2)
    depths = found[contract.LANDMARKS_Z]
    fitted = cameras.fit_scaled_orthographic(vertices() / 1000, np.column_stack([points, depths]))
    scale, euler, _ = cameras.decompose(fitted)
    np.testing.assert_allclose(found[contract.POSE_EULER], euler, atol=1e-3)
    assert scale == pytest.approx(0.4, abs=1e-5)
    assert found[contract.POSE_EULER][0] < -30, "MATLAB's positive yaw turns the nose to the image's left"
    assert points[30, 0] < points[[36, 45], 0].mean()
    assert depths[30] < depths[[0, 16]].min(), "the tip of the nose is nearest to the camera"
    assert found[contract.POSE_YAW_BIN] == "30-60"
    assert found[contract.LANDMARKS_SET] == "basel"
    # Without the face model its coefficients mean nothing.
    assert not {contract.MORPHABLE_SHAPE, contract.MORPHABLE_EXPRESSION, contract.CAMERA_MATRIX} & set(found)


@pytest.mark.parametrize("max_side", [80, 1280])
def test_coefficients_and_camera_of_the_configured_model_give_the_landmarks(
    tmp_path: Path, model: MorphableModel, scale: BaselScale, max_side: int
) -> None:
    (found,) = results(write(tmp_path / "set"), scale, max_side=max_side)
    face = model.vertices(found[contract.MORPHABLE_SHAPE], found[contract.MORPHABLE_EXPRESSION])
    points = cameras.project(
        model.landmark_points(face).astype(np.float64),
        found[contract.CAMERA_MATRIX].reshape(3, 4).astype(np.float64),
        found[contract.CAMERA_KIND],
    )
    np.testing.assert_allclose(points[:, :2].ravel(), found[contract.LANDMARKS_XY], atol=0.01)
    np.testing.assert_allclose(points[:, 2], found[contract.LANDMARKS_Z], atol=0.01)
    np.testing.assert_allclose(found[contract.MORPHABLE_SHAPE], (SHAPE / source_files.IDENTITY_SD[:, None]).ravel())


def test_only_basels_model_of_2009_has_such_coefficients(
    tmp_path: Path, model: MorphableModel, scale: BaselScale, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert basel_scale(DEFAULT_HEAD_PATH) is None
    assert open_reader(str(write(tmp_path / "set")), PhotoConfig(), str(DEFAULT_HEAD_PATH)).face_model is None
    asked = []
    monkeypatch.setattr(open_readers, "basel_scale", lambda *arguments: asked.append(arguments) or scale)
    reader = open_reader(str(tmp_path / "set"), PhotoConfig(), "bfm", "5" * 64)
    assert reader.face_model == model.sha256
    assert asked == [("bfm", "5" * 64)]
    # A model with another number of modes is another model.
    (letter,) = results(write(tmp_path / "other", Shape_Para=np.zeros((199, 1))), scale)
    assert letter.reason == "other_face_model"


def test_300w_lp_has_points_of_the_visible_contour(tmp_path: Path) -> None:
    points = photo_files.face_points()
    (found,) = results(write(tmp_path / "set", pt3d_68=None, pt2d=points.T + 0.5))
    np.testing.assert_allclose(found[contract.LANDMARKS_XY].reshape(68, 2), points, atol=1e-4)
    assert found[contract.LANDMARKS_SET] == "outline"
    assert contract.LANDMARKS_Z not in found


def test_views_of_one_photo_are_one_person(tmp_path: Path) -> None:
    names = (
        "AFW/AFW_134212_1_0",
        "AFW/AFW_134212_1_17",
        "AFW_Flip/AFW_134212_1_0",
        "AFW/AFW_134212_2_0",
        "image00050_1",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.jpg").write_bytes(b"")
    identities = [
        photo.identity for photo in sorted(Aflw2000Reader(str(tmp_path)).find(), key=lambda photo: photo.path)
    ]
    assert identities == [
        "AFW/AFW_134212_1",
        "AFW/AFW_134212_1",
        "AFW/AFW_134212_2",
        "AFW/AFW_134212_1",
        "image00050_1.jpg",
    ]


def bomb() -> bytes:
    """A file of kilobytes that unpacks to 300 MB of zeros."""
    packer = zlib.compressobj(9)
    packed = packer.compress(struct.pack("<II", 14, 300 << 20))
    packed += b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed


def claiming(rows: int, columns: int) -> bytes:
    """A matrix `pt3d_68` that claims more than the file holds."""
    body = struct.pack("<II", 6, 8) + struct.pack("<II", 6, 0) + struct.pack("<II", 5, 8)
    body += (
        struct.pack("<ii", rows, columns)
        + struct.pack("<II", 1, 7)
        + b"pt3d_68\0"
        + struct.pack("<II", 9, 8)
        + bytes(8)
    )
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 14, len(body)) + body


OBJECTS = np.array([[{"a": 1}, "text"]], dtype=object)
BROKEN: dict[str, tuple[Any, str]] = {
    "empty": (b"", "bad_mat"),
    "garbage": (bytes(range(256)) * 20, "bad_mat"),
    "cut": (0.6, "bad_mat"),
    "bomb": (bomb(), "bad_mat"),
    "claims": (claiming(3, 2**30), "bad_mat"),
    "negative": (claiming(-3, -68), "bad_mat"),
    "cells": ({"pt3d_68": OBJECTS}, "bad_mat"),
    "struct": ({"Pose_Para": {"yaw": 1.0}}, "bad_mat"),
    "text": ({"Pose_Para": "0 0 0 0 0 0 0"}, "bad_mat"),
    "complex": ({"Pose_Para": np.ones((1, 7)) * 1j}, "bad_mat"),
    "transposed": ({"pt3d_68": np.zeros((68, 3))}, "wrong_shape"),
    "few": ({"pt3d_68": np.zeros((3, 67))}, "wrong_shape"),
    "short_pose": ({"Pose_Para": np.zeros((1, 6))}, "wrong_shape"),
    "square_pose": ({"Pose_Para": np.zeros((7, 7))}, "wrong_shape"),
    "empty_array": ({"Pose_Para": np.zeros((0, 0))}, "wrong_shape"),
    "no_scale": ({"Pose_Para": np.zeros((1, 7))}, "bad_pose"),
    "no_points": ({"pt3d_68": None}, "missing_variable"),
    "no_pose": ({"Pose_Para": None}, "missing_variable"),
    "nan": ({"pt3d_68": np.full((3, 68), np.nan)}, "not_finite"),
    "infinite_pose": ({"Pose_Para": np.full((1, 7), np.inf)}, "not_finite"),
    "huge": ({"pt3d_68": np.full((3, 68), 1e300)}, "out_of_range"),
    "one_place": ({"pt3d_68": np.full((3, 68), 30.0)}, "degenerate_landmarks"),
    "elsewhere": ({"pt3d_68": photo_files.face_points()[:, [0, 1, 1]].T + 4000}, "outside_photo"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_such_file_has_a_reason(case: str, tmp_path: Path) -> None:
    content, reason = BROKEN[case]
    folder = write(tmp_path / "set", **(content if isinstance(content, dict) else {}))
    path = folder / "image00001.mat"
    if isinstance(content, float):
        path.write_bytes(path.read_bytes()[: int(content * path.stat().st_size)])
    elif isinstance(content, bytes):
        path.write_bytes(content)
    (letter,) = results(folder)
    assert (letter.reason, letter.id) == (reason, "image00001.jpg"), letter.message
    assert str(tmp_path) not in letter.message


def test_the_real_fixtures(development_data: Path) -> None:
    """Points decoded with Basel's own 68 vertices and our pose lie on `pt3d_68`, up to the modes that `bfm68` lacks."""
    folder = development_data / "aflw2000_fixtures"
    if not folder.is_dir():
        pytest.skip(f"no photos in {folder}")
    assert kind_of(str(folder)) == "aflw2000"
    bases = {
        name: np.loadtxt(development_data / "bfm68" / f"{name}.txt") for name in ("u_base", "w_shp_base", "w_exp_base")
    }
    reader = Aflw2000Reader(str(folder))
    photos = reader.find()
    assert len(photos) == 28
    errors = []
    for photo in photos:
        labels = reader.labels(photo, 450)
        parameters = photo_files.scipy.io.loadmat(folder / photo.path.replace(".jpg", ".mat"))
        face = bases["u_base"] + bases["w_shp_base"] @ parameters["Shape_Para"][:40, 0]
        face = (face + bases["w_exp_base"] @ parameters["Exp_Para"][:10, 0]).reshape(68, 3) / 1000
        turned = face @ cameras.rotation_from_euler(labels.euler).T * [1, -1, -1]
        turned -= turned.mean(axis=0)
        there = np.column_stack([labels.points, labels.depths])
        there -= there.mean(axis=0)
        fitted = turned * (turned * there).sum() / (turned * turned).sum()
        side = np.sqrt(np.prod(np.ptp(labels.points, axis=0)))
        errors.append(np.linalg.norm(fitted - there, axis=1).mean() / side)
        # Same magnitude of yaw, other sign, up to the order of the turns.
        theirs = np.degrees(parameters["Pose_Para"][0, 1])
        assert abs(labels.euler[0] + theirs) < 6
    assert np.mean(errors) < 0.01
    assert max(errors) < 0.02
