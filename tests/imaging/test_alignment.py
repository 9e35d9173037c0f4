import keras
import numpy as np
import pytest
import scipy.ndimage

from trainer.imaging import alignment

SIZE = 120


def points(count: int = 2, dimensions: int = 3) -> np.ndarray:
    return np.random.default_rng(0).uniform(-50, 4000, (count, 68, dimensions))


def boxes() -> np.ndarray:
    return np.array([[10.0, 20.0, 110.0, 80.0], [1000.0, 300.0, 1500.5, 1300.25]])


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("batched", [False, True])
def test_from_crop_is_the_exact_inverse_of_to_crop(dimensions: int, batched: bool) -> None:
    image, box = points(2, dimensions), boxes()
    if not batched:
        image, box = image[1], box[1]
    transform = alignment.crop_transform(box, 0.25, SIZE)
    crop = alignment.to_crop(image, transform)
    assert crop.shape == image.shape
    np.testing.assert_allclose(alignment.from_crop(crop, transform), image, atol=1e-9)
    if dimensions == 3:
        np.testing.assert_allclose(crop[..., 2], image[..., 2] * transform[..., None, 0])


def test_tensors_and_arrays_agree() -> None:
    image, box = points().astype(np.float32), boxes().astype(np.float32)
    transform = alignment.crop_transform(box, 0.1, SIZE)
    tensor = alignment.crop_transform(keras.ops.convert_to_tensor(box), 0.1, SIZE)
    np.testing.assert_allclose(tensor, transform, rtol=1e-5)
    crop = alignment.to_crop(keras.ops.convert_to_tensor(image), tensor)
    np.testing.assert_allclose(crop, alignment.to_crop(image, transform), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(alignment.from_crop(crop, tensor), image, atol=2e-3)
    np.testing.assert_allclose(
        alignment.landmark_box(keras.ops.convert_to_tensor(image)), alignment.landmark_box(image)
    )


def test_the_crop_is_a_centred_square_with_its_margin() -> None:
    # 100 × 60 box, a fifth of 100 on each side: the square from (-10, -20) to (130, 120) becomes 0 to 70.
    transform = alignment.crop_transform(np.array([10.0, 20.0, 110.0, 80.0]), 0.2, 70)
    corners = np.array([[-10.0, -20.0], [130.0, 120.0], [60.0, 50.0]])
    np.testing.assert_allclose(alignment.to_crop(corners, transform), [[0, 0], [70, 70], [35, 35]], atol=1e-9)


def test_landmark_box_is_tight_and_ignores_depth() -> None:
    box = alignment.landmark_box(np.array([[3.0, 4.0, -900.0], [1.0, 9.0, 900.0], [2.0, 2.0, 0.0]]))
    np.testing.assert_array_equal(box, [1, 2, 3, 9])


def test_a_point_like_box_gives_a_finite_transform() -> None:
    assert np.isfinite(alignment.crop_transform(np.array([5.0, 5.0, 5.0, 5.0]), 0.0, SIZE)).all()


def test_letterbox_shows_the_whole_image_centred() -> None:
    transform = np.asarray(alignment.letterbox_transform(50, 200, 100))
    corners = np.array([[0.0, 0.0], [200.0, 50.0]])
    np.testing.assert_allclose(alignment.to_crop(corners, transform), [[0, 37.5], [100, 62.5]], atol=1e-5)


@pytest.mark.parametrize("size", [30, 61, 240], ids=["reduced", "nearly the same", "enlarged"])
def test_crop_image_keeps_the_half_pixel_convention(size: int) -> None:
    # Each pixel holds the coordinates of its own centre, so a crop must hold those of its pixels' centres in the image.
    height, width = 90, 120
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    image = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
    transform = alignment.crop_transform(np.array([25.0, 20.0, 86.0, 70.0], np.float32), 0.0, size)
    crop = np.asarray(alignment.crop_image(keras.ops.convert_to_tensor(image), transform, size))
    centers = np.arange(size) + 0.5
    grid = np.stack(np.meshgrid(centers, centers), axis=-1).reshape(1, -1, 2)
    expected = alignment.from_crop(grid, transform).reshape(size, size, 2)
    # A convention that is off by half a pixel of either grid would be off by 0.12 or more.
    np.testing.assert_allclose(crop[..., :2], expected, atol=0.02)


def test_outside_of_the_image_is_black() -> None:
    image = keras.ops.ones((40, 40, 3))
    transform = alignment.crop_transform(np.array([20.0, 20.0, 60.0, 60.0], np.float32), 0.0, 40)
    crop = np.asarray(alignment.crop_image(image, transform, 40))
    np.testing.assert_allclose(crop[:19, :19], 1, atol=1e-6)
    np.testing.assert_allclose(crop[21:], 0, atol=1e-6)
    np.testing.assert_allclose(crop[:, 21:], 0, atol=1e-6)


def test_crops_of_a_known_number_of_boxes_compile() -> None:
    """TensorFlow's graph optimiser mistakes some ways of indexing where the batch size is known."""
    import tensorflow as tf

    given = points()

    @tf.function(input_signature=[tf.TensorSpec([2, 68, 3]), tf.TensorSpec([2, 4])])
    def there_and_back(there, around):
        transform = alignment.crop_transform(around, 0.25, 96)
        return alignment.from_crop(alignment.to_crop(there, transform), transform)

    around = np.stack([boxes().reshape(-1, 4)[0]] * 2).astype(np.float32)
    np.testing.assert_allclose(there_and_back(given.astype(np.float32), around), given, atol=1e-3)


# --- With a turn ------------------------------------------------------------------------------------------------------


def turned_transforms() -> np.ndarray:
    return alignment.crop_transform(boxes(), 0.25, SIZE, np.radians([25.0, -140.0]))


def test_a_quarter_turn_by_hand() -> None:
    # The box (10, 20)…(110, 80) around (60, 50), a tenth of a pixel a pixel; what is right of its middle comes above.
    transform = alignment.crop_transform(np.array([10.0, 20.0, 110.0, 80.0]), 0.0, 10, np.array(np.pi / 2))
    points = np.array([[60.0, 50.0, 7.0], [100.0, 50.0, 7.0], [60.0, 20.0, 7.0]])
    np.testing.assert_allclose(alignment.to_crop(points, transform), [[5, 5, 0.7], [5, 1, 0.7], [2, 5, 0.7]], atol=1e-9)


def everything_there_and_back(points, box, transform):
    """Points, box, and the same through `invert`, each mapped to the crop and back."""
    inverse = alignment.invert(transform)
    return (
        alignment.from_crop(alignment.to_crop(points, transform), transform),
        alignment.to_crop(alignment.to_crop(points, transform), inverse),
        alignment.box_from_crop(alignment.box_to_crop(box, transform), transform),
        alignment.box_to_crop(alignment.box_to_crop(box, transform), inverse),
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_there_and_back_is_exact_for_arrays_and_tensors(dimensions: int, turned: bool) -> None:
    image = points(2, dimensions)
    transform = turned_transforms() if turned else alignment.crop_transform(boxes(), 0.25, SIZE)
    first, second, box, box_again = everything_there_and_back(image, boxes(), transform)
    for found in (first, second):
        np.testing.assert_allclose(found, image, atol=1e-8)
    for found in (box, box_again):
        np.testing.assert_allclose(found, boxes(), atol=1e-8)
    near = np.random.default_rng(1).uniform(-50, 500, (2, 68, dimensions)).astype(np.float32)
    tensors = [keras.ops.convert_to_tensor(value.astype(np.float32)) for value in (near, boxes(), transform)]
    for found, wanted in zip(everything_there_and_back(*tensors), (near, near, boxes(), boxes()), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-3)


@pytest.mark.parametrize("turns", [(True, True), (True, False), (False, True), (False, False)])
def test_transforms_compose(turns: tuple[bool, bool]) -> None:
    plain = alignment.crop_transform(boxes(), 0.25, SIZE)
    first = turned_transforms() if turns[0] else plain
    second = alignment.crop_transform(boxes()[::-1] / 3, 0.1, 77, np.array([0.3, 2.0]) if turns[1] else None)
    both = alignment.compose(first, second)
    assert both.shape[-1] == 3 + any(turns)
    np.testing.assert_allclose(
        alignment.to_crop(points(), both), alignment.to_crop(alignment.to_crop(points(), first), second), atol=1e-8
    )


def face_with_roll(roll: float) -> np.ndarray:
    """68 points of which eye corners and mouth corners make an upright square of 60, turned by roll, degrees."""
    face = np.random.default_rng(3).uniform(-25, 25, (68, 2))
    for index, place in ((36, (-30, -30)), (45, (30, -30)), (48, (-20, 30)), (54, (20, 30))):
        face[index] = place
    cosine, sine = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return face @ np.array([[cosine, -sine], [sine, cosine]]) + (300, 200)  # counter-clockwise with y down


@pytest.mark.parametrize("roll", [0.0, 30.0, -100.0, 179.0])
def test_an_upright_crop_takes_out_the_roll(roll: float) -> None:
    tilted = face_with_roll(roll)
    assert np.degrees(alignment.upright_angle(tilted)) == pytest.approx(-roll, abs=1e-9)
    transform = alignment.upright_transform(tilted, 0.1, 120)
    crop = alignment.to_crop(tilted, transform)
    np.testing.assert_allclose(crop[[36, 45], 1], crop[36, 1], atol=1e-9)
    assert crop[45, 0] > crop[36, 0]
    # 60 pixels and a tenth on both sides fill the crop: the box reaches from 10 to 110, at any roll.
    np.testing.assert_allclose(alignment.landmark_box(crop), [10, 10, 110, 110], atol=1e-9)


def test_a_profile_is_set_upright_by_eyes_and_mouth() -> None:
    profile = face_with_roll(40.0)
    profile[36] = profile[45] + (0.5, -0.5)  # one corner lies behind the other, and is off
    profile[48] = profile[54]
    assert np.degrees(alignment.upright_angle(profile)) == pytest.approx(-40, abs=12)


@pytest.mark.parametrize("degrees", [30.0, -95.0, 180.0])
def test_a_turned_crop_keeps_the_half_pixel_convention_and_comes_back(degrees: float) -> None:
    """Pixels that hold the coordinates of their own centres, and a z: crop, and crop undone, hold those of the image."""
    height, width, size = 90, 120, 64
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    image = np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)
    box = np.array([45.0, 30.0, 75.0, 55.0], np.float32)
    transform = alignment.crop_transform(box, 0.0, size, np.float32(np.radians(degrees)))
    crop = np.asarray(alignment.crop_image(image, transform, size))
    centers = np.arange(size) + 0.5
    grid = np.stack(np.meshgrid(centers, centers), axis=-1).reshape(1, -1, 2)
    expected = alignment.from_crop(grid, transform).reshape(size, size, 2)
    np.testing.assert_allclose(crop[..., :2], expected, atol=0.02)
    back = np.asarray(alignment.uncrop_image(crop, transform, height, width))
    reached = back[..., 2] > 0.999
    assert 700 < reached.sum() < 1000  # the crop shows 30 × 30 pixels of the photo
    inside = scipy.ndimage.binary_erosion(reached, iterations=2)  # at its border, pixels are of the black outside, too
    np.testing.assert_allclose(back[inside][:, :2], image[inside][:, :2], atol=0.05)
    assert (back[:20] == 0).all()
