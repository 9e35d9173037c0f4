import numpy as np
import pytest
import tensorflow as tf

from trainer import contract
from trainer.rendering import camera

ORTHOGRAPHIC, PERSPECTIVE = contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE
NOSE = np.array([[0.0, 0.0, 100.0]])


def orthographic(euler, scale=1.0, translation=(0.0, 0.0, 0.0)):
    return camera.scaled_orthographic_matrix(np.array(euler, float), scale, np.array(translation, float))


@pytest.mark.parametrize(
    ("point", "euler", "expected"),
    [
        # Model x, y, z: to the image's right, up, towards the camera.
        ((10, 0, 0), (0, 0, 0), (10, 0, 0)),
        ((0, 10, 0), (0, 0, 0), (0, -10, 0)),
        ((0, 0, 10), (0, 0, 0), (0, 0, -10)),
        # Yaw turns the nose to the image's right; at 90° the nose points there and the image-right ear away.
        ((0, 0, 10), (90, 0, 0), (10, 0, 0)),
        ((10, 0, 0), (90, 0, 0), (0, 0, 10)),
        # Pitch lowers the nose (image y grows) and brings the top of the head forward.
        ((0, 0, 10), (0, 90, 0), (0, 10, 0)),
        ((0, 10, 0), (0, 90, 0), (0, 0, -10)),
        # Roll is counter-clockwise in the image: the image-right ear rises, the top goes to the left.
        ((10, 0, 0), (0, 0, 90), (0, -10, 0)),
        ((0, 10, 0), (0, 0, 90), (-10, 0, 0)),
        # Pitch first, then yaw, then roll: nose down, unmoved by yaw about y, then to the image's right.
        ((0, 0, 10), (90, 90, 90), (10, 0, 0)),
        ((10, 0, 0), (90, 90, 90), (0, 0, 10)),
    ],
)
def test_conventions(point, euler, expected):
    image = camera.project(np.array([point], float), orthographic(euler), ORTHOGRAPHIC)
    np.testing.assert_allclose(image[0], expected, atol=1e-9)


def test_scaled_orthographic_scales_then_shifts():
    image = camera.project(np.array([[1.0, 2.0, 3.0]]), orthographic((0, 0, 0), 4.0, (100, 50, 7)), ORTHOGRAPHIC)
    np.testing.assert_allclose(image, [[104, 42, -5]])


def test_perspective_by_hand():
    # 90° on 200 rows: a focal length of 100 pixels. The camera is 400 mm away.
    matrix = camera.perspective_matrix(np.zeros(3), np.array([0.0, 0.0, 400.0]))
    points = np.array([[0.0, 0.0, 0.0], [40.0, 0.0, 0.0], [0.0, 40.0, 200.0], [0.0, 0.0, 400.0], [0.0, 0.0, 500.0]])
    image = camera.project(points, matrix, PERSPECTIVE, 90.0, height=200, width=300)
    np.testing.assert_allclose(image[:3], [[150, 100, 0], [160, 100, 0], [150, 80, -50]], atol=1e-9)
    assert np.isnan(image[3:]).all(), "at the camera and behind it there is no image"


def test_perspective_translation_is_in_the_cameras_frame():
    matrix = camera.perspective_matrix(np.array([90.0, 0.0, 0.0]), np.array([20.0, 40.0, 400.0]))
    image = camera.project(NOSE, matrix, PERSPECTIVE, 90.0, height=200, width=200)
    np.testing.assert_allclose(image, [[100 + 100 * 120 / 400, 100 + 100 * 40 / 400, 0]], atol=1e-9)


def test_a_far_camera_is_scaled_orthographic():
    rng = np.random.default_rng(0)
    points, euler = rng.normal(0, 50, (20, 3)), np.array([30.0, -10.0, 5.0])
    distance, view = 1e7, np.degrees(2 * np.arctan(100 / 1e7))
    far = camera.project(
        points, camera.perspective_matrix(euler, np.array([0, 0, distance])), PERSPECTIVE, view, 200, 200
    )
    near = camera.project(points, orthographic(euler, 1.0, (100, 100, 0)), ORTHOGRAPHIC)
    np.testing.assert_allclose(far, near, atol=1e-2)


def test_projection_names_what_is_missing():
    matrix = camera.perspective_matrix(np.zeros(3), np.array([0.0, 0.0, 400.0]))
    with pytest.raises(ValueError, match="field_of_view"):
        camera.project(NOSE, matrix, PERSPECTIVE, height=10, width=10)
    with pytest.raises(ValueError, match="fisheye"):
        camera.project(NOSE, matrix, "fisheye")


def test_rotations_are_proper():
    rotation = camera.rotation_from_euler(np.random.default_rng(0).uniform(-180, 180, (50, 3)))
    np.testing.assert_allclose(rotation @ rotation.swapaxes(-1, -2), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_euler_round_trip(dtype):
    yaw = np.array([-89, -60, -1, 0, 10, 45, 89], dtype)
    euler = np.stack(np.meshgrid(yaw, np.array([-80, 0, 30], dtype), np.array([-170, 0, 40], dtype)), -1).reshape(-1, 3)
    back = camera.euler_from_rotation(camera.rotation_from_euler(euler))
    assert back.dtype == dtype
    np.testing.assert_allclose(back, euler, atol=1e-9 if dtype == np.float64 else 2e-3)


@pytest.mark.parametrize("yaw", [90.0, -90.0])
def test_euler_at_the_pole_gives_the_same_rotation(yaw):
    rotation = camera.rotation_from_euler(np.array([yaw, 20.0, 35.0]))
    euler = camera.euler_from_rotation(rotation)
    assert euler[2] == 0
    np.testing.assert_allclose(camera.rotation_from_euler(euler), rotation, atol=1e-6)


def test_decompose_inverts_and_finds_the_nearest_camera():
    rng = np.random.default_rng(1)
    euler = rng.uniform(-80, 80, (10, 3))
    scale, translation = rng.uniform(0.1, 3, 10), rng.normal(0, 50, (10, 3))
    matrix = camera.scaled_orthographic_matrix(euler, scale, translation)
    for value, expected in zip(camera.decompose(matrix), (scale, euler, translation), strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-9)
    noisy = matrix + rng.normal(0, 0.05, matrix.shape)
    scale, euler, _ = camera.decompose(noisy)
    nearest = scale[:, None, None] * camera.rotation_from_euler(euler)
    error = np.linalg.norm(nearest - noisy[..., :3], axis=(1, 2))
    for _ in range(20):
        other = (scale * rng.normal(1, 0.01, 10))[:, None, None] * camera.rotation_from_euler(
            euler + rng.normal(0, 0.5, (10, 3))
        )
        assert (np.linalg.norm(other - noisy[..., :3], axis=(1, 2)) >= error - 1e-12).all()


def test_decompose_never_answers_with_a_reflection():
    _, euler, _ = camera.decompose(np.concatenate([np.diag([1.0, 1.0, -0.2]), np.zeros((3, 1))], axis=1))
    np.testing.assert_allclose(camera.rotation_from_euler(euler), np.eye(3), atol=1e-9)


def test_crop_camera_sees_the_crop():
    from trainer.imaging import alignment

    points = np.random.default_rng(2).normal(0, 60, (68, 3))
    matrix = orthographic((20, 5, -10), 1.7, (230, 180, 0))
    image = camera.project(points, matrix, ORTHOGRAPHIC)
    transform = alignment.crop_transform(alignment.landmark_box(image), 0.1, 120)
    seen = camera.project(points, camera.crop_matrix(matrix, transform), ORTHOGRAPHIC)
    np.testing.assert_allclose(seen, alignment.to_crop(image, transform), atol=1e-9)


def test_crop_camera_sees_a_turned_crop():
    from trainer.imaging import alignment

    points = np.random.default_rng(2).normal(0, 60, (68, 3))
    matrix = orthographic((20, 5, -10), 1.7, (230, 180, 3))
    image = camera.project(points, matrix, ORTHOGRAPHIC)
    transform = alignment.crop_transform(alignment.landmark_box(image), 0.1, 120, np.array(np.radians(35.0)))
    turned = camera.crop_matrix(matrix, transform)
    np.testing.assert_allclose(
        camera.project(points, turned, ORTHOGRAPHIC), alignment.to_crop(image, transform), atol=1e-9
    )
    np.testing.assert_allclose(camera.decompose(turned)[1], [20, 5, 25], atol=1e-6)
    tensors = camera.crop_matrix(tf.constant(matrix[None]), tf.constant(transform[None]))
    np.testing.assert_allclose(tensors[0], turned, atol=1e-9)


@pytest.mark.parametrize("axes", [2, 3])
def test_fit_recovers_a_camera(axes):
    points = np.random.default_rng(3).normal((5, 10, 15), 60, (68, 3))
    matrix = orthographic((-70, 12, 33), 0.8, (64, 70, 0 if axes == 2 else 9))
    image = camera.project(points, matrix, ORTHOGRAPHIC)[:, :axes]
    np.testing.assert_allclose(camera.fit_scaled_orthographic(points, image), matrix, atol=1e-6)


@pytest.mark.parametrize("axes", [2, 3])
def test_fit_is_a_least_squares_minimum(axes):
    rng = np.random.default_rng(4)
    points = rng.normal(0, 60, (30, 3))
    image = camera.project(points, orthographic((40, 0, 0), 0.8, (64, 70, 0)), ORTHOGRAPHIC)[:, :axes]
    image = image + rng.normal(0, 4, image.shape)

    def residual(matrix):
        return np.square(camera.project(points, matrix, ORTHOGRAPHIC)[:, :axes] - image).sum()

    fitted = camera.fit_scaled_orthographic(points, image)
    scale, euler, translation = camera.decompose(fitted)
    np.testing.assert_allclose(orthographic(euler, scale, translation), fitted, atol=1e-9)
    for _ in range(40):
        jitter = rng.normal(0, 1e-2, 7)
        other = orthographic(euler + jitter[:3], scale * (1 + 1e-2 * jitter[3]), translation + jitter[4:])
        assert residual(other) >= residual(fitted)


@pytest.mark.parametrize(
    ("points3d", "points2d", "message"),
    [
        (np.zeros((5, 2)), np.zeros((5, 2)), "points3d"),
        (np.ones((3, 3)), np.ones((3, 2)), "at least 4"),
        (np.full((5, 3), np.nan), np.ones((5, 2)), "finite"),
        (np.ones((5, 3)), np.ones((5, 2)), "plane"),
    ],
)
def test_fit_refuses_what_gives_no_camera(points3d, points2d, message):
    with pytest.raises(ValueError, match=message):
        camera.fit_scaled_orthographic(points3d, points2d)


def test_tensors_give_what_arrays_give():
    rng = np.random.default_rng(5)
    euler, points = rng.uniform(-80, 80, (4, 3)).astype(np.float32), rng.normal(0, 50, (4, 9, 3)).astype(np.float32)
    scale, shift = rng.uniform(0.5, 2, 4).astype(np.float32), rng.normal(0, 50, (4, 3)).astype(np.float32)
    view, far = np.full(4, 30, np.float32), shift + np.float32([0, 0, 800])
    transform = rng.uniform(0.5, 2, (4, 3)).astype(np.float32)

    def everything(euler, points, scale, shift, view, far, transform):
        matrix = camera.scaled_orthographic_matrix(euler, scale, shift)
        return (
            matrix,
            camera.project(points, matrix, ORTHOGRAPHIC),
            camera.project(points, camera.perspective_matrix(euler, far), PERSPECTIVE, view, 128, 96),
            camera.crop_matrix(matrix, transform),
            *camera.decompose(matrix),
        )

    inputs = (euler, points, scale, shift, view, far, transform)
    tensors = everything(*(tf.constant(value) for value in inputs))
    for array, tensor in zip(everything(*inputs), tensors, strict=True):
        assert isinstance(array, np.ndarray)
        assert tf.is_tensor(tensor)
        assert array.dtype == tensor.dtype.as_numpy_dtype == np.float32
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-4, atol=1e-3)
