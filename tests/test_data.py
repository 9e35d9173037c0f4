import numpy as np
import pytest
import tensorflow as tf
import training_parts as parts

from trainer import contract, data
from trainer.imaging.augmentation import AugmentationConfig
from trainer.rendering import camera as cameras

FACE = parts.face_model()
BASIS = FACE.landmark_basis()
STRONG = AugmentationConfig(**{**vars(AugmentationConfig.none()), "shift": 0.1, "scale": 0.2, "rotation": 30.0})


def options(**changes) -> data.InputOptions:
    values = {"image_size": 64, "batch_size": 8, "shape_count": 3, "expression_count": 2, "augmentation": STRONG}
    return data.InputOptions(**{**values, **changes})


def shard(folder, count=8, kind=contract.SCALED_ORTHOGRAPHIC):
    return [parts.write(folder / f"{kind}-{count}.gz", [parts.features(FACE, index, kind) for index in range(count)])]


def bright_spot(image: np.ndarray) -> np.ndarray:
    weights = image.mean(axis=-1)
    grid = np.arange(len(weights)) + 0.5
    return np.array([(weights.sum(0) * grid).sum(), (weights.sum(1) * grid).sum()]) / weights.sum()


def test_labels_stay_on_the_pixels_under_augmentation(tmp_path):
    """Each image shows one landmark as a dot: wherever the dot goes, the label must be."""
    inputs, labels = next(iter(data.training_batches(shard(tmp_path), [], options(), BASIS)))
    seen = 0
    for image, points in zip(inputs["image"].numpy(), labels["landmarks"].numpy(), strict=True):
        if image.sum() < 5:
            continue  # the dot was moved out of the crop
        distances = np.linalg.norm(points[:, :2] - bright_spot(image), axis=-1)
        assert distances.min() < 0.5
        seen += 1
    assert seen >= 6
    np.testing.assert_array_equal(inputs["landmarks"], labels["landmarks"][..., :2])


def test_dot_and_its_own_landmark_agree_without_shuffling(tmp_path):
    files = shard(tmp_path)
    inputs, labels = next(iter(data.evaluation_batches(files, options(), BASIS)))
    for index in range(8):
        spot = bright_spot(inputs["image"][index].numpy())
        np.testing.assert_allclose(spot, labels["landmarks"][index, index, :2], atol=0.35)


@pytest.mark.parametrize(("kind", "tolerance"), [(contract.SCALED_ORTHOGRAPHIC, 1e-3), (contract.PERSPECTIVE, 0.5)])
def test_camera_projects_the_model_onto_the_labels(tmp_path, kind, tolerance):
    """Perspective from 5 m is nearly orthographic: the fitted camera must be within half a pixel, depth included."""
    _, labels = next(iter(data.training_batches(shard(tmp_path, kind=kind), [], options(), BASIS)))
    points = BASIS[0] + np.einsum("bk,knd->bnd", labels["shape"], BASIS[1])
    points += np.einsum("bk,knd->bnd", labels["expression"], BASIS[2])
    projected = cameras.project(points, labels["camera"].numpy(), contract.SCALED_ORTHOGRAPHIC)
    np.testing.assert_allclose(projected, labels["landmarks"], atol=tolerance)
    linear = labels["camera"].numpy()[:, :, :3]
    gram = linear @ linear.transpose(0, 2, 1)
    np.testing.assert_allclose(gram, gram[:, :1, :1] * np.eye(3), atol=1e-4)
    assert (np.linalg.det(linear) > 0).all()


def test_turning_the_crop_turns_roll_and_nothing_else():
    config = AugmentationConfig(**{**vars(AugmentationConfig.none()), "rotation": 45.0})
    record = parts.features(FACE, 3)
    matrix = tf.constant(record[contract.CAMERA_MATRIX], tf.float32)
    turned = data.augmentation.rotate_camera(matrix, tf.constant(np.radians(20.0), tf.float32), 64).numpy()
    scale, euler, _ = cameras.decompose(turned.astype(np.float64))
    before_scale, before, _ = cameras.decompose(np.asarray(record[contract.CAMERA_MATRIX]))
    np.testing.assert_allclose(euler - before, [0, 0, 20], atol=1e-3)
    assert scale == pytest.approx(before_scale, rel=1e-5)
    assert data.augmentation.padded_size(config, 64) >= 64 * 2**0.5


def test_same_seed_same_batches_and_a_later_start_continues(tmp_path):
    everything = options(augmentation=AugmentationConfig(), landmark_noise=0.02, landmark_dropout=0.5)
    files = shard(tmp_path, 12)
    whole = list(data.training_batches(files, [], everything, BASIS).take(4).as_numpy_iterator())
    again = list(data.training_batches(files, [], everything, BASIS, first_step=2).take(2).as_numpy_iterator())
    for expected, found in zip(whole[2:], again, strict=True):
        tf.nest.map_structure(np.testing.assert_array_equal, expected, found)
    assert not np.array_equal(whole[0][0]["image"], whole[1][0]["image"])
    other = next(data.training_batches(files, [], options(seed=1), BASIS).as_numpy_iterator())
    assert not np.array_equal(other[1]["camera"], whole[0][1]["camera"])


def test_photos_fill_their_share_and_have_no_parameters(tmp_path):
    photos = [parts.write(tmp_path / "photos.gz", [parts.photo(FACE, index) for index in range(5)])]
    inputs, labels = next(iter(data.training_batches(shard(tmp_path), photos, options(photo_fraction=0.25), BASIS)))
    assert inputs["image"].shape == (8, 64, 64, 3)
    np.testing.assert_array_equal(labels["has_parameters"], [1] * 6 + [0] * 2)
    assert (labels["camera"].numpy()[6:] == 0).all()
    jaw = list(contract.LANDMARK_GROUPS["jaw"])
    assert labels["landmark_weights"].numpy()[:6].min() == 1
    assert labels["landmark_weights"].numpy()[6:, jaw].max() == 0
    assert labels["landmark_weights"].numpy()[6:].sum() == 2 * (68 - len(jaw))


def test_photos_are_mirrored_and_faces_with_parameters_are_not(tmp_path):
    """Each image shows one landmark as a dot: where a photo is mirrored it is its partner's label that the dot lies on."""
    none = AugmentationConfig.none()
    batches = []
    for flip in (0.0, 1.0):
        wanted = options(augmentation=AugmentationConfig(**{**vars(none), "flip": flip}), photo_fraction=0.5)
        photos = [parts.write(tmp_path / "photos.gz", [parts.photo(FACE, index) for index in range(4)])]
        batches.append(next(iter(data.training_batches(shard(tmp_path, 4), photos, wanted, BASIS))))
    (inputs, labels), (mirrored_inputs, mirrored) = batches
    for key, value in labels.items():
        np.testing.assert_array_equal(value[:4], mirrored[key][:4], err_msg=key)
    np.testing.assert_array_equal(inputs["image"][:4], mirrored_inputs["image"][:4])
    for index in range(4, 8):
        points, flipped = labels["landmarks"][index].numpy(), mirrored["landmarks"][index].numpy()
        np.testing.assert_allclose(flipped[:, 0], 64 - points[list(contract.LANDMARK_FLIP), 0], atol=1e-4)
        spot = bright_spot(mirrored_inputs["image"][index].numpy())
        np.testing.assert_allclose(spot, bright_spot(inputs["image"][index].numpy()) * (-1, 1) + (64, 0), atol=1e-3)
        assert np.linalg.norm(flipped[:, :2] - spot, axis=-1).min() < 0.5


def test_evaluation_sees_every_face_once_and_not_augmented(tmp_path):
    batches = list(data.evaluation_batches(shard(tmp_path, 11), options(margin=0.5), BASIS))
    assert [len(inputs["image"]) for inputs, _ in batches] == [8, 3]
    points = batches[0][1]["landmarks"].numpy()[..., :2]
    extent = (points.max(axis=1) - points.min(axis=1)).max(axis=-1)
    np.testing.assert_allclose(extent, 32, atol=1e-3)  # margin 0.5 on both sides: the face takes half of 64
    np.testing.assert_allclose((points.max(axis=1) + points.min(axis=1)) / 2, 32, atol=1e-3)


def test_given_landmarks_have_the_error_of_a_detector():
    points = tf.random.stateless_uniform([400, 68, 2], [1, 2], 20, 100)
    error = data.detector_error(points, 2.0, [3, 4]).numpy()
    assert 2.0 < error.std() < 4.5
    shared = error.mean(axis=1)
    assert 0.5 < shared.std() < 2.0  # errors do not average out over a face


def test_parameters_without_images_are_those_of_training(tmp_path):
    files = shard(tmp_path, 6)
    rows = np.concatenate(list(data.parameter_batches(files, options(), BASIS).as_numpy_iterator()))
    assert rows.shape == (6, 12 + 3 + 2)
    shapes = np.stack([parts.features(FACE, index)[contract.MORPHABLE_SHAPE] for index in range(6)])
    np.testing.assert_allclose(rows[:, 12:15], shapes, rtol=1e-5)
    np.testing.assert_allclose(rows[:, 11], 0, atol=1e-6)


def test_shorter_and_longer_coefficients_are_padded_and_cut(tmp_path):
    wide = options(shape_count=5, expression_count=1)
    _, labels = next(iter(data.training_batches(shard(tmp_path), [], wide, BASIS)))
    assert labels["shape"].shape == (8, 5)
    assert (labels["shape"].numpy()[:, 3:] == 0).all()
    assert labels["expression"].shape == (8, 1)


def test_missing_files_and_damaged_records_are_named(tmp_path):
    with pytest.raises(ValueError, match="nothing-here"):
        data.find_files(str(tmp_path / "nothing-here*"))
    record = parts.features(FACE, 0)
    del record[contract.LANDMARKS_XY]
    files = [parts.write(tmp_path / "bad.gz", [record])]
    with pytest.raises(tf.errors.InvalidArgumentError, match=contract.LANDMARKS_XY):
        next(iter(data.training_batches(files, [], options(batch_size=1), BASIS)))
