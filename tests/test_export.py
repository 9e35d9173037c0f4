"""The servable: names and shapes, geometry against hand-computed points, batches, and what it says of broken input."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from servable_parts import VERTEX_COUNT, FixedRegressor, color_patch_networks, encoded, photo, tiny_model

from trainer import contract, examples
from trainer.export import export
from trainer.servable import WARMUP_FILE

PORTRAIT = (200, 320), (60, 180, 130, 280)
LANDSCAPE = (400, 220), (250, 40, 330, 100)
COMMON = {contract.OUTPUT_BOX, contract.OUTPUT_LANDMARKS, contract.OUTPUT_POSE, contract.OUTPUT_CONFIDENCE}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return export(FixedRegressor(), color_patch_networks(), tiny_model(), tmp_path_factory.mktemp("export") / "1")


@pytest.fixture(scope="module")
def servable(directory):
    return tf.saved_model.load(directory)


@pytest.fixture(scope="module")
def signatures(servable):
    return servable.signatures


def call(signatures, name, *photos, **inputs):
    if photos:
        inputs[contract.INPUT_IMAGE_BYTES] = tf.constant(list(photos))
    return {key: value.numpy() for key, value in signatures[name](**inputs).items()}


def red(size_and_patch, kind="PNG", **options):
    (width, height), patch = size_and_patch
    return encoded(photo(width, height, patch), kind, **options)


def by_hand(patch):
    """Landmarks and vertices of the fixed regressor for a face in this box, in the photo's pixels."""
    model, regressor = tiny_model(), FixedRegressor()
    x0, y0, x1, y1 = patch
    scale = regressor.image_size / (max(x1 - x0, y1 - y0) * (1 + 2 * regressor.margin))
    points = model.vertices(regressor.shape, regressor.expression).astype(np.float64)
    x = 0.5 * points[:, 0] + 63.0 - regressor.image_size / 2
    y = -0.5 * points[:, 1] + 58.0 - regressor.image_size / 2
    z = -0.5 * points[:, 2]
    vertices = np.stack([x / scale + (x0 + x1) / 2, y / scale + (y0 + y1) / 2, z / scale], axis=-1)
    return vertices[: contract.LANDMARK_COUNT], vertices


def test_signatures_have_the_contracts_names_types_and_shapes(signatures):
    inputs = {
        contract.SIGNATURE_DEFAULT: {contract.INPUT_IMAGE_BYTES: (tf.string, [None])},
        contract.SIGNATURE_WITH_BOX: {
            contract.INPUT_IMAGE_BYTES: (tf.string, [None]),
            contract.INPUT_BOX: (tf.float32, [None, 4]),
        },
        contract.SIGNATURE_FACES: {contract.INPUT_IMAGE_BYTES: (tf.string, [None])},
        contract.SIGNATURE_MESH: {contract.INPUT_IMAGE_BYTES: (tf.string, [None])},
        contract.SIGNATURE_EXAMPLES: {contract.INPUT_EXAMPLES: (tf.string, [None])},
    }
    outputs = {
        contract.OUTPUT_BOX: (tf.float32, [None, 4]),
        contract.OUTPUT_LANDMARKS: (tf.float32, [None, 68, 3]),
        contract.OUTPUT_POSE: (tf.float32, [None, 3]),
        contract.OUTPUT_CONFIDENCE: (tf.float32, [None]),
    }
    mesh = {
        contract.OUTPUT_VERTICES: (tf.float32, [None, VERTEX_COUNT, 3]),
        contract.OUTPUT_TRIANGLES: (tf.int32, [None, VERTEX_COUNT, 3]),
    }
    index = {contract.OUTPUT_IMAGE_INDEX: (tf.int32, [None])}
    assert set(signatures) == set(inputs)
    for name, expected in inputs.items():
        described = signatures[name].structured_input_signature[1]
        assert {key: (spec.dtype, spec.shape.as_list()) for key, spec in described.items()} == expected
        described = signatures[name].structured_outputs
        expected = outputs | {contract.SIGNATURE_MESH: mesh, contract.SIGNATURE_FACES: index}.get(name, {})
        assert {key: (spec.dtype, spec.shape.as_list()) for key, spec in described.items()} == expected


@pytest.mark.parametrize("case", [PORTRAIT, LANDSCAPE])
def test_a_face_is_found_and_lands_where_computed_by_hand(signatures, case):
    answer = call(signatures, contract.SIGNATURE_MESH, red(case))
    landmarks, vertices = by_hand(case[1])
    np.testing.assert_allclose(answer[contract.OUTPUT_LANDMARKS][0], landmarks, atol=0.5)
    np.testing.assert_allclose(answer[contract.OUTPUT_VERTICES][0], vertices, atol=0.5)
    np.testing.assert_array_equal(answer[contract.OUTPUT_TRIANGLES][0], tiny_model().triangles)
    np.testing.assert_allclose(answer[contract.OUTPUT_POSE][0], [0, 0, 0], atol=1e-3)
    found = answer[contract.OUTPUT_LANDMARKS][0, :, :2]
    np.testing.assert_allclose(answer[contract.OUTPUT_BOX][0], [*found.min(0), *found.max(0)], atol=1e-3)
    assert 0 <= answer[contract.OUTPUT_CONFIDENCE][0] <= 1


@pytest.mark.parametrize("case", [PORTRAIT, LANDSCAPE])
def test_a_given_box_is_exactly_what_the_regressor_sees(signatures, case):
    box = np.array([[20.0, 30.0, 150.0, 90.0]], np.float32)  # not where the patch is
    answer = call(signatures, contract.SIGNATURE_WITH_BOX, red(case), box=tf.constant(box))
    np.testing.assert_allclose(answer[contract.OUTPUT_LANDMARKS][0], by_hand(box[0])[0], atol=1e-3)


def test_all_faces_of_all_photos_say_whose_they_are(signatures):
    """A photo with two faces, one without, one with one: each face is where it would be alone."""
    (width, height), patch = LANDSCAPE
    green = (30, 60, 100, 160)
    both, none = encoded(photo(width, height, patch, green)), encoded(photo(90, 60, None))
    answer = call(signatures, contract.SIGNATURE_FACES, both, none, red(PORTRAIT))
    np.testing.assert_array_equal(answer[contract.OUTPUT_IMAGE_INDEX], [0, 0, 2])
    found = sorted(answer[contract.OUTPUT_LANDMARKS][:2], key=lambda landmarks: landmarks[:, 0].mean())
    for landmarks, box in zip([*found, answer[contract.OUTPUT_LANDMARKS][2]], (green, patch, PORTRAIT[1]), strict=True):
        np.testing.assert_allclose(landmarks, by_hand(box)[0], atol=0.5)
    nothing = call(signatures, contract.SIGNATURE_FACES, none)
    assert {key: value.shape for key, value in nothing.items()} == {
        contract.OUTPUT_IMAGE_INDEX: (0,),
        contract.OUTPUT_BOX: (0, 4),
        contract.OUTPUT_LANDMARKS: (0, 68, 3),
        contract.OUTPUT_POSE: (0, 3),
        contract.OUTPUT_CONFIDENCE: (0,),
    }


def test_z_is_zero_at_the_origin_of_the_model_frame(signatures):
    landmarks = call(signatures, contract.SIGNATURE_DEFAULT, red(PORTRAIT))[contract.OUTPUT_LANDMARKS][0]
    points = tiny_model().landmark_points(tiny_model().vertices(FixedRegressor.shape, FixedRegressor.expression))
    ratio = landmarks[:, 2] / points[:, 2]  # a shift of z would make the ratios differ
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    assert ratio[0] < 0


def test_a_batch_of_different_sizes_equals_one_by_one(signatures):
    photos = [red(PORTRAIT), red(LANDSCAPE), red(((64, 64), (20, 20, 40, 44))), red(LANDSCAPE, "JPEG", quality=95)]
    together = call(signatures, contract.SIGNATURE_MESH, *photos)
    for index, single in enumerate(photos):
        alone = call(signatures, contract.SIGNATURE_MESH, single)
        for key, value in together.items():
            np.testing.assert_allclose(value[index], alone[key][0], atol=2e-3, err_msg=key)


def test_examples_answer_as_with_box(signatures):
    cases = (PORTRAIT, LANDSCAPE)
    boxes = np.array([case[1] for case in cases], np.float32) + np.float32(3)
    records = [
        examples.encode({contract.IMAGE_ENCODED: red(case), contract.FACE_BOX: box, contract.IMAGE_ID: "x"})
        for case, box in zip(cases, boxes, strict=True)
    ]
    expected = call(signatures, contract.SIGNATURE_WITH_BOX, *map(red, cases), box=tf.constant(boxes))
    answer = call(signatures, contract.SIGNATURE_EXAMPLES, examples=tf.constant(records))
    assert set(answer) == COMMON
    for key, value in answer.items():
        np.testing.assert_array_equal(value, expected[key])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"", "it is empty"),
        (b"a letter, not a photo", "it is not one of JPEG, PNG, GIF, BMP"),
        (red(PORTRAIT)[:200], "truncated or damaged"),
        (red(PORTRAIT, "JPEG")[:-300], "truncated or damaged"),
        (red(((15, 40), (2, 2, 9, 9))), "at least 16 pixels wide and high, is 15 x 40"),
    ],
)
def test_a_broken_photo_is_named_by_its_index(signatures, broken, reason):
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        call(signatures, contract.SIGNATURE_DEFAULT, red(PORTRAIT), red(LANDSCAPE), broken)
    assert "image_bytes[2] could not be decoded: " in str(raised.value)
    assert reason in str(raised.value)


def test_every_broken_photo_of_a_batch_is_named(signatures):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"image_bytes\[0\] .*empty.* image_bytes\[2\] .*empty"):
        call(signatures, contract.SIGNATURE_DEFAULT, b"", red(PORTRAIT), b"")


def test_a_broken_example_is_named_by_its_index(signatures):
    records = [
        examples.encode({contract.IMAGE_ENCODED: content, contract.FACE_BOX: [0, 0, 9, 9]})
        for content in (red(PORTRAIT), b"?")
    ]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"examples\[1\] could not be decoded"):
        call(signatures, contract.SIGNATURE_EXAMPLES, examples=tf.constant(records))


@pytest.mark.parametrize("box", [[10, 10, 10, 50], [10, 60, 50, 20], [10, float("nan"), 50, 60]])
def test_a_senseless_box_is_named_by_its_index(signatures, box):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"box\[1\] must have a finite box"):
        call(
            signatures,
            contract.SIGNATURE_WITH_BOX,
            red(PORTRAIT),
            red(PORTRAIT),
            box=tf.constant([[1.0, 2.0, 30.0, 40.0], box]),
        )


def test_warm_up_requests_are_answered(directory, signatures):
    from tensorflow_serving.apis import prediction_log_pb2

    records = list(tf.data.TFRecordDataset(f"{directory}/{WARMUP_FILE}").as_numpy_iterator())
    assert records
    for record in records:
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        assert signatures[request.model_spec.signature_name](**inputs)


def test_an_export_replaces_a_saved_model_but_nothing_else(directory, tmp_path):
    parts = FixedRegressor(), color_patch_networks(), tiny_model()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "note.txt").write_text("keep me")
    with pytest.raises(FileExistsError, match="theirs"):
        export(*parts, tmp_path / "theirs")
    shutil.copytree(directory, tmp_path / "ours")
    (tmp_path / "ours" / "stale").write_text("")
    export(*parts, tmp_path / "ours", warmup=False)
    assert (tmp_path / "ours" / "saved_model.pb").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "theirs"]
    assert not (tmp_path / "ours" / "stale").exists()


def test_a_regressor_that_does_not_fit_the_model_leaves_nothing(tmp_path):
    class Greedy(FixedRegressor):
        shape = np.zeros(5, np.float32)

    with pytest.raises(ValueError, match=r"at most 4 shape coefficients\. Received: 5"):
        export(Greedy(), color_patch_networks(), tiny_model(), tmp_path / "1")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_it_answers_in_a_process_that_knows_only_tensorflow(directory, tmp_path):
    (tmp_path / "photo.png").write_bytes(red(PORTRAIT))
    program = f"""
import sys
import tensorflow as tf
model = tf.saved_model.load({str(directory)!r})
photo = tf.io.read_file({str(tmp_path / "photo.png")!r})
answer = model.signatures["serving_default"](image_bytes=photo[None])
assert not [name for name in sys.modules if name.split(".")[0] in ("trainer", "monoface")]
print(*answer["box"][0].numpy())
try:
    model.signatures["serving_default"](image_bytes=tf.constant([b"?"]))
except tf.errors.InvalidArgumentError as error:
    assert "image_bytes[0]" in str(error)
else:
    raise SystemExit("a broken photo went through")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr[-2000:]
    landmarks = by_hand(PORTRAIT[1])[0][:, :2]
    expected = [*landmarks.min(0), *landmarks.max(0)]
    np.testing.assert_allclose([float(value) for value in ran.stdout.split()], expected, atol=0.5)
