import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_graphics.rendering import barycentrics as tfg_barycentrics

from trainer import contract
from trainer.rendering import camera as cameras
from trainer.rendering import geometry, visibility
from trainer.rendering.forward import render_image
from trainer.rendering.renderer import Renderer
from trainer.rendering.scene import Camera, Light

SIZE = 96


def batched(scene, *others):
    """Cameras or lights as one batch of tensors."""
    fields = {}
    for field in dataclasses.fields(scene):
        values = [getattr(one, field.name) for one in (scene, *others)]
        fields[field.name] = values[0] if isinstance(values[0], str | None) else tf.constant(np.stack(values))
    return type(scene)(**fields)


@pytest.fixture(scope="module")
def colors(head_mesh):
    return np.clip(0.5 + 0.4 * np.sin(head_mesh[0] / 15), 0, 1).astype(np.float32)


@pytest.mark.parametrize("lamps", [0, 2])
@pytest.mark.parametrize("backend", ["numba", "xla"])
def test_agrees_with_the_forward_renderer(head_mesh, colors, any_camera, light, backend, lamps):
    """Mean difference under 2e-3 in linear colour away from silhouettes; measured: 1e-7."""
    vertices, triangles = head_mesh
    if lamps:
        light = dataclasses.replace(
            light,
            lamp_positions=np.float32([[150, 60, 130], [-400, 300, 700]]),
            lamp_colors=np.float32([[0.4, 0.2, 0.1], [0.1, 0.2, 0.4]]),
            specular_complement=np.float32(0.8),
        )
    forward = render_image(vertices, colors, triangles, any_camera, light, (SIZE, SIZE), supersample=1)
    output = Renderer(triangles, SIZE, SIZE, backend)(vertices[None], colors[None], batched(any_camera), batched(light))
    same = forward.triangle_ids == output.triangle_ids[0].numpy()
    assert same.mean() > 0.999
    inside = same & (forward.triangle_ids >= 0)
    difference = np.abs(forward.color - output.color[0].numpy())[inside]
    assert difference.mean() < 1e-5
    assert difference.max() < 2e-3
    np.testing.assert_allclose(output.depth[0].numpy()[inside], forward.depth[inside], atol=1e-2)
    np.testing.assert_array_equal(output.mask[0].numpy()[same], forward.mask[same])


def test_supersampled_forward_is_the_mean_of_a_larger_render(head_mesh, colors, any_camera, light):
    vertices, triangles = head_mesh
    forward = render_image(vertices, colors, triangles, any_camera, light, (SIZE, SIZE), supersample=2)
    large = any_camera
    if large.kind == contract.SCALED_ORTHOGRAPHIC:
        large = dataclasses.replace(large, matrix=large.matrix * np.float32(2))
    output = Renderer(triangles, 2 * SIZE, 2 * SIZE)(vertices[None], colors[None], batched(large), batched(light))
    mean = output.color[0].numpy().reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
    assert np.abs(mean - forward.color).mean() < 1e-4


def test_outputs(head_mesh, colors, any_camera, light):
    vertices, triangles = head_mesh
    output = Renderer(triangles, SIZE, SIZE)(vertices[None], colors[None], batched(any_camera), batched(light))
    ids, mask = output.triangle_ids[0].numpy(), output.mask[0].numpy()
    np.testing.assert_array_equal(mask, ids >= 0)
    assert 0.2 < mask.mean() < 0.9
    outside, inside = ids < 0, ids >= 0
    assert np.isposinf(output.depth[0].numpy()[outside]).all()
    for image in (output.color, output.normals, output.barycentrics):
        assert (image[0].numpy()[outside] == 0).all()
    weights = output.barycentrics[0].numpy()[inside]
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert weights.min() > -1e-4
    normals = output.normals[0].numpy()[inside]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    assert normals[:, 2].mean() > 0.5
    # Barycentrics put each pixel's point of the surface back on the pixel's centre.
    points = (vertices[triangles[ids[inside]]] * weights[..., None]).sum(1)
    image = cameras.project(points, any_camera.matrix, any_camera.kind, any_camera.field_of_view, SIZE, SIZE)
    np.testing.assert_allclose(image[:, :2], np.argwhere(inside)[:, ::-1] + 0.5, atol=2e-3)
    np.testing.assert_allclose(image[:, 2], output.depth[0].numpy()[inside], atol=1e-2)


def test_texture_coordinates_are_those_of_the_point_that_is_seen(head_mesh, colors, any_camera, light):
    """With coordinates linear in x and y of the model, they are the seen point's, perspective or not."""
    vertices, triangles = head_mesh
    uv = vertices[:, :2] / 200 + 0.5
    output = Renderer(triangles, SIZE, SIZE, uv=uv)(vertices[None], colors[None], batched(any_camera), batched(light))
    ids, weights = output.triangle_ids[0].numpy(), output.barycentrics[0].numpy()
    inside = ids >= 0
    points = (vertices[triangles[ids[inside]]] * weights[inside][..., None]).sum(1)
    np.testing.assert_allclose(output.uv[0].numpy()[inside], points[:, :2] / 200 + 0.5, atol=1e-5)
    assert (output.uv[0].numpy()[~inside] == 0).all()


def by_the_equation(normal, view, albedo, light, place):
    """The equation of `lighting` in plain numbers, for one point and no environment."""
    sources = [(light.direction, light.color)]
    for position, color in zip(light.lamp_positions, light.lamp_colors, strict=True):
        offset = position - place
        sources.append(
            (offset / np.linalg.norm(offset), color * np.dot(position, position) / max(np.dot(offset, offset), 1))
        )
    total = np.zeros(3)
    mirrored = light.specular * (1 - light.specular_complement * albedo)
    for towards, color in sources:
        cosine = max(normal @ towards, 0)
        mirror = 2 * (normal @ towards) * normal - towards
        lobe = (light.shininess + 2) / 2 * max(mirror @ view, 0) ** light.shininess
        total += color * cosine * (albedo + mirrored * lobe)
    return total


@pytest.mark.parametrize("kind", [contract.SCALED_ORTHOGRAPHIC, contract.PERSPECTIVE])
def test_lamps_by_the_equation(kind):
    """A flat square 30 mm off the model's origin, seen turned, shifted, and at 2.5 pixels a millimetre."""
    square = np.float32([[-20, -20, 30], [20, -20, 30], [20, 20, 30], [-20, 20, 30]])
    euler = np.float32([20, -10, 5])
    if kind == contract.PERSPECTIVE:
        camera = Camera(kind, cameras.perspective_matrix(euler, np.float32([-9, 2, 300])), np.float32(15))
    else:
        camera = Camera(kind, cameras.scaled_orthographic_matrix(euler, np.float32(2.5), np.float32([23, 45, 9])))
    light = Light(
        harmonics=np.zeros((9, 3), np.float32),
        direction=np.float32([0.6, 0, 0.8]),
        color=np.float32([0.2, 0.1, 0.3]),
        specular=np.float32([0.3, 0.2, 0.1]),
        shininess=np.float32(5),
        lamp_positions=np.float32([[30, 60, 90], [0, -50, 80], [10, 10, -200]]),
        lamp_colors=np.float32([[0.5, 0.6, 0.7], [0.3, 0.1, 0.1], [9, 9, 9]]),
        specular_complement=np.float32(0.5),
    )
    albedo = np.float32([0.7, 0.5, 0.3])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    output = Renderer(triangles, 80, 80)(square[None], np.tile(albedo, (1, 4, 1)), batched(camera), batched(light))
    rotation = cameras.rotation_from_euler(euler)
    ids, weights, color = (part[0].numpy() for part in (output.triangle_ids, output.barycentrics, output.color))
    rows = np.argwhere(ids >= 0)
    assert len(rows) > 300
    for row, column in rows[:: len(rows) // 40]:
        place = rotation @ (weights[row, column] @ square[triangles[ids[row, column]]])
        view = np.array([0.0, 0, 1])
        if kind == contract.PERSPECTIVE:
            view = np.array([9, 2, 300]) - place
            view /= np.linalg.norm(view)
        expected = by_the_equation(rotation[:, 2], view, albedo, light, place)
        np.testing.assert_allclose(color[row, column], expected, rtol=2e-3)


def test_a_lamps_colour_is_what_it_gives_at_the_origin():
    square = np.float32([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]])
    camera = Camera(
        contract.SCALED_ORTHOGRAPHIC,
        cameras.scaled_orthographic_matrix(np.zeros(3, np.float32), np.float32(0.5), np.float32([4.5, 4.5, 0])),
    )
    zero = np.zeros(3, np.float32)
    for distance in (100, 2000):
        light = Light(
            np.zeros((9, 3), np.float32),
            np.float32([0, 0, 1]),
            zero,
            zero,
            np.float32(1),
            lamp_positions=np.float32([[0, 0, distance]]),
            lamp_colors=np.float32([[0.2, 0.4, 0.6]]),
        )
        output = Renderer(np.array([[0, 1, 2], [0, 2, 3]]), 9, 9)(
            square[None], np.ones((1, 4, 3)), batched(camera), batched(light)
        )
        np.testing.assert_allclose(output.color[0, 4, 4], [0.2, 0.4, 0.6], rtol=1e-4)


def test_samples_are_pixels_of_a_larger_image(head_mesh, colors, any_camera, light):
    vertices, triangles = head_mesh
    large = any_camera
    if large.kind == contract.SCALED_ORTHOGRAPHIC:
        large = dataclasses.replace(large, matrix=large.matrix * np.float32(3))
    lit, uv = batched(light), vertices[:, 1:] / 200
    fine = Renderer(triangles, 3 * 32, 3 * 40, uv=uv)(vertices[None], colors[None], batched(large), lit)
    output = Renderer(triangles, 32, 40, samples=3, uv=uv)(vertices[None], colors[None], batched(any_camera), lit)
    blocks = {
        name: value[0].numpy().reshape(32, 3, 40, 3, -1).swapaxes(1, 2).reshape(32, 40, 9, -1)
        for name, value in fine._asdict().items()
    }
    np.testing.assert_allclose(output.color[0], blocks["color"].mean(2), atol=1e-5)
    np.testing.assert_allclose(output.mask[0], blocks["mask"].mean(2)[..., 0], atol=1e-6)
    assert 0 < (output.mask[0].numpy() % 1 > 0).mean() < 0.2, "pixels on the silhouette are covered in part"
    nearest = blocks["depth"].argmin(2)[..., None]
    for name in ("normals", "triangle_ids", "barycentrics", "uv"):
        expected = np.take_along_axis(blocks[name], nearest, axis=2)[:, :, 0]
        np.testing.assert_allclose(getattr(output, name)[0].numpy().reshape(expected.shape), expected, atol=1e-4)
    np.testing.assert_allclose(output.depth[0], blocks["depth"].min(2)[..., 0] / 3, atol=1e-3)


def test_half_precision_is_cast(head_mesh, colors, any_camera, light):
    vertices, triangles = head_mesh
    render = Renderer(triangles, 24, 24)
    half = tf.cast(colors[None], tf.float16)
    output = render(tf.constant(vertices[None], tf.float64), half, batched(any_camera), batched(light))
    assert output.color.dtype == tf.float32
    expected = render(vertices[None], tf.cast(half, tf.float32), batched(any_camera), batched(light))
    np.testing.assert_allclose(output.color, expected.color, atol=1e-6)


def test_a_batch_is_its_images(head_mesh, colors, light):
    vertices, triangles = head_mesh
    euler = np.float32([[0, 0, 0], [60, 10, -5], [-40, -20, 30]])
    matrices = cameras.perspective_matrix(euler, np.float32([[0, 0, 400], [5, 5, 600], [-9, 4, 900]]))
    shots = [Camera(contract.PERSPECTIVE, matrix, np.float32(30 - 5 * index)) for index, matrix in enumerate(matrices)]
    lights = [dataclasses.replace(light, color=light.color * (index + 1)) for index in range(3)]
    meshes = np.stack([vertices, vertices * 0.9, vertices * np.float32([1, 0.8, 1])])
    albedo = np.stack([colors, colors**2, 1 - colors])
    render = Renderer(triangles, 48, 64, uv=vertices[:, :2])
    together = render(meshes, albedo, batched(*shots), batched(*lights))
    for index in range(3):
        alone = render(meshes[index][None], albedo[index][None], batched(shots[index]), batched(lights[index]))
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_allclose(whole[index], part[0], atol=1e-4)


def test_barycentrics_are_tensorflow_graphics_own(head_mesh):
    """The library's, in normalised coordinates, up to their rounding; on triangles of several pixels, where it is small."""
    vertices, triangles = head_mesh
    w = 1 - vertices[:, 2:] / 500
    pixels = np.concatenate([vertices[:, :1] * 0.4 + 48 * w, -vertices[:, 1:2] * 0.4 + 48 * w, w], axis=1)[None]
    screen = tf.constant(np.concatenate([pixels[..., :2] / pixels[..., 2:], 1 / -pixels[..., 2:]], axis=-1))
    ids = visibility.rasterize(screen, triangles, SIZE, SIZE)
    frame = geometry.pixel_framebuffer(tf.constant(pixels), tf.constant(triangles), ids)
    ndc = (pixels[..., :2] - pixels[..., 2:] * 48) / 48
    clip = tf.constant(np.concatenate([ndc, 0 * pixels[..., 2:], pixels[..., 2:]], axis=-1))
    reference = tfg_barycentrics.differentiable_barycentrics(frame, clip, triangles)
    difference = np.abs(frame.barycentrics.value - reference.barycentrics.value)
    assert difference.max() < 0.02
    assert difference.mean() < 1e-4


def test_gradient_stays_finite_with_vertices_behind_the_camera(head_mesh, colors, light):
    vertices, triangles = head_mesh
    matrix = cameras.perspective_matrix(np.float32([0, 0, 0]), np.float32([0, 0, 40]))
    camera = batched(Camera(contract.PERSPECTIVE, matrix, np.float32(60)))
    points = tf.constant(vertices[None])
    with tf.GradientTape() as tape:
        tape.watch(points)
        loss = tf.reduce_sum(Renderer(triangles, 32, 32)(points, colors[None], camera, batched(light)).color)
    assert np.isfinite(loss)
    assert np.isfinite(tape.gradient(loss, points)).all()


def test_gradient_descent_on_the_camera_finds_the_pose(head_mesh, colors, light):
    vertices, triangles = head_mesh
    render = Renderer(triangles, 48, 48)
    scale, shift = tf.constant([0.21]), tf.constant([[24.0, 24.0, 0.0]])
    lit = batched(light)

    @tf.function
    def image(euler):
        matrix = cameras.scaled_orthographic_matrix(euler, scale, shift)
        return render(vertices[None], colors[None], Camera(contract.SCALED_ORTHOGRAPHIC, matrix), lit)

    target = image(tf.constant([[10.0, 5.0, 3.0]]))
    euler = tf.Variable([[6.0, 8.0, 0.0]])
    optimizer = tf.keras.optimizers.Adam(0.5)
    for _ in range(60):
        with tf.GradientTape() as tape:
            output = image(euler)
            both = (output.mask * target.mask)[..., None]
            loss = tf.reduce_mean(both * tf.square(output.color - target.color))
        optimizer.apply_gradients([(tape.gradient(loss, euler), euler)])
    np.testing.assert_allclose(euler.numpy(), [[10, 5, 3]], atol=0.5)


def test_compiled_and_saved(head_mesh, colors, any_camera, light, tmp_path):
    """The XLA backend works under jit and in a SavedModel that takes any number of images."""
    vertices, triangles = head_mesh
    render = Renderer(triangles, 32, 32, "xla", samples=2, uv=vertices[:, :2] / 200 + 0.5)
    shrunk = any_camera
    if shrunk.kind == contract.SCALED_ORTHOGRAPHIC:
        shrunk = dataclasses.replace(shrunk, matrix=shrunk.matrix / np.float32(3))
    light = dataclasses.replace(
        light,
        lamp_positions=np.float32([[200, 100, 300]]),
        lamp_colors=np.float32([[0.3, 0.2, 0.2]]),
        specular_complement=np.float32(0.5),
    )
    lights = batched(light, light, light)
    matrix = tf.constant(np.stack([shrunk.matrix] * 3))
    view = tf.constant([27.0, 27.0, 27.0])
    meshes, albedo = np.stack([vertices, vertices * 0.8, vertices]), np.stack([colors, colors, colors**2])
    kind = any_camera.kind

    def draw(points, colors, matrix, view, *lit):
        return render(points, colors, Camera(kind, matrix, view), Light(*lit))._asdict()

    arguments = [meshes, albedo, matrix, view, *(getattr(lights, field.name) for field in dataclasses.fields(lights))]
    expected = draw(*arguments)
    signature = [tf.TensorSpec([None, *argument.shape[1:]], tf.float32) for argument in arguments]
    module = tf.Module()
    module.draw = tf.function(draw, input_signature=signature)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    compiled = tf.function(draw, jit_compile=True)
    for name, values in expected.items():
        np.testing.assert_allclose(compiled(*arguments)[name], values, atol=2e-4, err_msg=name)
        np.testing.assert_allclose(loaded.draw(*map(tf.constant, arguments))[name], values, atol=2e-4, err_msg=name)
    one = loaded.draw(*(tf.constant(argument)[:1] for argument in arguments))
    np.testing.assert_allclose(one["color"][0], expected["color"][0], atol=2e-4)


def test_wrong_arguments_are_named(head_mesh, colors, any_camera, light):
    vertices, triangles = head_mesh
    with pytest.raises(ValueError, match="opengl"):
        Renderer(triangles, 8, 8, "opengl")
    with pytest.raises(ValueError, match="height=0"):
        Renderer(triangles, 0, 8)
    with pytest.raises(ValueError, match="samples=0"):
        Renderer(triangles, 8, 8, samples=0)
    with pytest.raises(ValueError, match=r"`uv`.*3\)"):
        Renderer(triangles, 8, 8, uv=vertices)
    with pytest.raises(ValueError, match="triangles"):
        Renderer(triangles[:, :2], 8, 8)
    with pytest.raises(ValueError, match="vertices"):
        Renderer(triangles, 8, 8)(vertices, colors[None], batched(any_camera), batched(light))
