"""Several surfaces: textures, alpha, what hides what, lamps and shadows, by presets computed by hand."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from trainer import contract
from trainer.rendering import camera, lighting
from trainer.rendering.color import srgb_to_linear
from trainer.rendering.forward import render_image, render_scene
from trainer.rendering.scene import Camera, Light, Surface

SIZE = (16, 16)
FRONTAL = Camera(
    contract.SCALED_ORTHOGRAPHIC,
    camera.scaled_orthographic_matrix(np.zeros(3, np.float32), np.float32(1), np.array([8, 8, 0], np.float32)),
)
NEAR = Camera(
    contract.PERSPECTIVE,
    camera.perspective_matrix(np.zeros(3, np.float32), np.array([0, 0, 100], np.float32)),
    np.float32(2 * np.degrees(np.arctan(0.08))),
)
SHADINGS = ("sample", "vertex")


def light(environment=1.0, color=0.0, direction=(0, 0, 1), lamps=None, specular=0.0):
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = environment * lighting.UNIT_L00
    positions, colors = (None, None) if lamps is None else (np.float32(part) for part in lamps)
    direction = np.float32(direction) / np.float32(np.linalg.norm(direction))
    return Light(
        harmonics, direction, np.full(3, color, np.float32), np.full(3, specular, np.float32), 8.0, positions, colors
    )


def square(name, z=0.0, side=8.0, color=(1, 1, 1), center=(0, 0), **fields):
    """A square that faces the camera; its texture's top left is its own."""
    x, y = center
    half = side / 2
    corners = np.float32(
        [[x - half, y - half, z], [x + half, y - half, z], [x + half, y + half, z], [x - half, y + half, z]]
    )
    return Surface(
        name,
        corners,
        np.int32([[0, 1, 2], [0, 2, 3]]),
        np.tile(np.float32(color), (4, 1)),
        np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]),
        **fields,
    )


def texture(colors, alpha=255):
    pixels = np.full((*np.shape(colors)[:2], 4), 255, np.uint8)
    pixels[..., :3], pixels[..., 3] = colors, alpha
    return pixels


HEAD = square("head", color=(0.2, 0.4, 0.6), side=16)


@pytest.mark.parametrize("shading", SHADINGS)
@pytest.mark.parametrize("view", [FRONTAL, NEAR], ids=["orthographic", "perspective"])
def test_a_texel_lands_at_its_pixel(view, shading):
    """Eight by eight texels on eight by eight pixels: each pixel shows the mean of the samples around its texel's centre."""
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (8, 8, 3))
    surface = square("picture", color=(0.5, 1, 1), texture=texture(colors))
    image = render_scene([surface], view, light(), SIZE, supersample=1, shading=shading)
    expected = srgb_to_linear(colors / 255) * (0.5, 1, 1)
    np.testing.assert_allclose(image.color[4:12, 4:12], expected, atol=2e-3)
    assert (image.color[:4] == 0).all()


def test_what_is_clear_has_no_color():
    """A clear texel beside a red one does not darken it, whatever its hidden colour is."""
    colors = np.zeros((1, 2, 3), np.uint8)
    colors[0, 1] = (255, 0, 0)
    surface = square("edge", texture=texture(colors, alpha=np.uint8([[0, 255]])))
    image = render_scene([surface], FRONTAL, light(), SIZE)
    np.testing.assert_allclose(image.color, image.mask[..., None] * (1, 0, 0), atol=1e-5)
    assert 0.4 < image.mask.sum() / 64 < 0.6


@pytest.mark.parametrize("many", [False, True], ids=["few triangles", "sorted by holes"])
def test_alpha_hides_and_reveals(many):
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:] = 255
    cover = square("cover", z=5, color=(1, 0, 0), texture=texture(np.full((8, 8, 3), 255), alpha))
    if many:
        cover = subdivided(cover, 20)
    image = render_scene([HEAD, cover], FRONTAL, light(), SIZE)
    np.testing.assert_array_equal(image.surface_ids[4:12, 4:7], 0)
    np.testing.assert_array_equal(image.surface_ids[4:12, 9:12], 1)
    np.testing.assert_allclose(image.color[8, 5], (0.2, 0.4, 0.6), atol=1e-5)
    np.testing.assert_allclose(image.color[8, 10], (1, 0, 0), atol=1e-5)
    np.testing.assert_array_equal(image.mask, 1)
    corners = cover.vertices[cover.triangles[image.triangle_ids[4:12, 9:12]]]
    seen = np.stack(np.meshgrid(np.arange(9, 12) - 7.5, 7.5 - np.arange(4, 12)), axis=-1)
    assert (corners[..., :2].min(axis=2) <= seen + 0.5).all()
    assert (corners[..., :2].max(axis=2) >= seen - 0.5).all()


def subdivided(surface, count):
    """The square as `count`² squares."""
    steps = np.linspace(0, 1, count + 1, dtype=np.float32)
    u, v = (part.reshape(-1, 1) for part in np.meshgrid(steps, steps))
    corners = surface.vertices
    vertices = corners[0] + u * (corners[1] - corners[0]) + v * (corners[3] - corners[0])
    first = (np.arange(count)[:, None] * (count + 1) + np.arange(count)).reshape(-1)
    a, b, c, d = first, first + 1, first + count + 2, first + count + 1
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).astype(np.int32)
    colors = np.tile(surface.colors[:1], (len(vertices), 1))
    return dataclasses.replace(
        surface, vertices=vertices, triangles=triangles, colors=colors, uv=np.concatenate([u, v], axis=1)
    )


@pytest.mark.parametrize("supersample", [2, 3, 4])
@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_opacity_is_the_share_of_samples(opacity, supersample):
    glass = square("glass", z=5, color=(0, 0, 0), side=16, opacity=opacity)
    image = render_scene([HEAD, glass], FRONTAL, light(), SIZE, supersample)
    share = 1 - image.color[..., 0] / 0.2
    assert share.mean() == pytest.approx(opacity, abs=0.01)
    # Strata: no pixel is off by a whole sample.
    assert np.abs(share - opacity).max() < 1 / supersample**2
    if opacity in (0, 1) or (opacity * supersample**2).is_integer():
        np.testing.assert_allclose(share, opacity, atol=1e-5)


def test_glass_is_smooth_over_pixels():
    glass = square("glass", z=5, color=(0, 0, 0), side=64, opacity=0.3)
    back = square("head", side=64)
    view = dataclasses.replace(FRONTAL, matrix=np.float32([[1, 0, 0, 32], [0, 1, 0, 32], [0, 0, 1, 0]]))
    share = render_scene([back, glass], view, light(), (64, 64)).color[..., 0]
    blocks = share.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert share.mean() == pytest.approx(0.7, abs=0.005)
    # Independent draws would give 0.027.
    assert blocks.std() < 0.018


def test_two_panes_cover_independently():
    panes = [square(name, z=z, color=(0, 0, 0), side=16, opacity=0.5) for name, z in (("a", 5), ("b", 6))]
    image = render_scene([HEAD, *panes], FRONTAL, light(), SIZE)
    assert image.color[..., 0].mean() / 0.2 == pytest.approx(0.25, abs=0.04)


def test_order_does_not_matter(head_mesh, any_camera, light):
    vertices, triangles = head_mesh
    rng = np.random.default_rng(0)
    head = Surface("head", vertices, triangles, np.full_like(vertices, 0.5))
    uv = rng.uniform(0, 1, (len(vertices), 2)).astype(np.float32)
    noise = rng.integers(0, 256, (32, 32, 4)).astype(np.uint8)
    others = [
        dataclasses.replace(head, name="shell", vertices=vertices * 1.03, uv=uv, texture=noise),
        dataclasses.replace(head, name="lens", vertices=vertices * 0.4 + np.float32([0, 0, 80]), opacity=0.4),
        dataclasses.replace(head, name="ear", vertices=vertices * 0.3 + np.float32([-85, 0, 0])),
    ]
    first = render_scene([head, *others], any_camera, light, (96, 96))
    second = render_scene([head, *others[::-1]], any_camera, light, (96, 96))
    assert set(np.unique(first.surface_ids)) == {-1, 0, 1, 2, 3}
    np.testing.assert_array_equal(first.surface_ids > 0, second.surface_ids > 0)
    np.testing.assert_array_equal(first.triangle_ids, second.triangle_ids)
    np.testing.assert_allclose(first.color, second.color, atol=1e-5)
    np.testing.assert_array_equal(first.head_depth, second.head_depth)


@pytest.mark.parametrize("view", [FRONTAL, NEAR], ids=["orthographic", "perspective"])
def test_depth_of_the_head_ignores_what_is_in_front(view):
    alone = render_scene([HEAD], view, light(), SIZE)
    covered = render_scene([HEAD, square("phone", z=3, side=6)], view, light(), SIZE)
    np.testing.assert_array_equal(covered.head_depth, alone.depth)
    np.testing.assert_array_equal(alone.head_depth, alone.depth)
    assert covered.depth[8, 8] < covered.head_depth[8, 8] == pytest.approx(0, abs=1e-4)
    assert covered.surface_ids[8, 8] == 1
    assert covered.surface_ids[2, 2] == 0


def test_one_sided_surfaces_are_not_seen_from_behind():
    turned = np.ascontiguousarray(HEAD.triangles[:, ::-1])
    for two_sided, triangles, seen in ((False, HEAD.triangles, 1), (False, turned, 0), (True, turned, 1)):
        for opacity in (1.0, 0.99):
            surface = dataclasses.replace(HEAD, triangles=triangles, two_sided=two_sided, opacity=opacity)
            assert (render_scene([surface], FRONTAL, light(), SIZE).mask > 0).all() == seen


@pytest.mark.parametrize("shading", SHADINGS)
@pytest.mark.parametrize("view", [FRONTAL, NEAR], ids=["orthographic", "perspective"])
def test_a_lamp_falls_off_with_the_square_of_the_distance(view, shading):
    """At the origin the lamp's own colour; 3 mm nearer, (10 / 7)²; to the side, also the cosine."""
    lit = light(0, lamps=([[0, 0, 10]], [[1, 0.5, 0.25]]))
    white = square("head", side=2)
    for z, center, share in ((0, (0, 0), 1), (3, (0, 0), (10 / 7) ** 2), (0, (10, 0), 0.5 * np.sqrt(0.5))):
        moved = dataclasses.replace(view, matrix=view.matrix - np.float32([[0, 0, 0, center[0]]] + [[0] * 4] * 2))
        image = render_scene([square("head", z=z, side=0.25, center=center)], moved, lit, (64, 64), 8, shading=shading)
        color = image.color.sum(axis=(0, 1)) / image.mask.sum()
        np.testing.assert_allclose(color, share * np.float32([1, 0.5, 0.25]), rtol=0.01)
    behind = light(0, lamps=([[0, 0, -10]], [[1, 1, 1]]))
    assert (render_scene([white], view, behind, SIZE, shading=shading).color == 0).all()


@pytest.mark.parametrize("shading", SHADINGS)
def test_the_wall_throws_its_shadow_away_from_the_light(shading):
    """Light from the right at 45°: a wall 20 mm high shadows the 20 mm left of it, and nothing else."""
    view = dataclasses.replace(FRONTAL, matrix=np.float32([[1, 0, 0, 50], [0, 1, 0, 50], [0, 0, 1, 0]]))
    ground = subdivided(square("head", side=100), 100)
    wall = dataclasses.replace(
        square("wall"), vertices=np.float32([[0, -40, 0], [0, 40, 0], [0, 40, 20], [0, -40, 20]]), uv=None
    )
    lit = light(0.25, 1.0, direction=(1, 0, 1))
    plain, shadowed = (
        render_scene([ground, wall], view, lit, (100, 100), shadow=shadow, shading=shading).color[..., 0]
        for shadow in (False, True)
    )
    share = (shadowed - 0.25) / (plain - 0.25)
    np.testing.assert_allclose(share[20:80, 35:48], 0, atol=0.02)
    np.testing.assert_allclose(share[20:80, 52:97], 1, atol=0.02)
    np.testing.assert_allclose(share[20:80, 3:24], 1, atol=0.02)
    np.testing.assert_allclose(share[:5, 3:97], 1, atol=0.02)
    # The edge is soft.
    edge = share[50, 24:36]
    assert ((edge > 0.1) & (edge < 0.9)).sum() >= 2


@pytest.mark.parametrize("shading", SHADINGS)
def test_a_round_surface_does_not_shadow_itself(head_mesh, shading):
    vertices, triangles = head_mesh
    view = dataclasses.replace(FRONTAL, matrix=np.float32([[0.4, 0, 0, 48], [0, 0.4, 0, 48], [0, 0, 0.4, 0]]))
    smooth = vertices / np.linalg.norm(vertices, axis=1, keepdims=True) * 90
    head = Surface("head", smooth.astype(np.float32), triangles, np.ones_like(vertices))
    for direction in ((0, 0, 1), (1, 0.3, 0.5), (-1, 0, 0.1)):
        lit = light(0, 1.0, direction=direction)
        plain, shadowed = (
            render_scene([head], view, lit, (96, 96), shadow=on, shading=shading).color[..., 0] for on in (False, True)
        )
        bright = plain > 0.25
        assert bright.sum() > 200
        np.testing.assert_allclose(shadowed[bright], plain[bright], atol=0.02)


def test_light_at_vertices_is_that_of_samples_on_a_fine_mesh(dense_mesh, any_camera, light):
    vertices, triangles = dense_mesh
    colors = np.clip(0.5 + 0.4 * np.sin(vertices / 15), 0, 1).astype(np.float32)
    lamps = np.float32([[150, 50, 200]]), np.float32([[0.5, 0.4, 0.3]])
    lit = dataclasses.replace(light, lamp_positions=lamps[0], lamp_colors=lamps[1], specular_complement=0.5)
    surface = Surface("head", vertices, triangles, colors)
    by_sample, by_vertex = (
        render_scene([surface], any_camera, lit, (96, 96), shading=shading, shadow=True) for shading in SHADINGS
    )
    difference = np.abs(by_sample.color - by_vertex.color)
    assert difference.mean() < 1e-3
    assert np.percentile(difference, 99.5) < 0.02
    for field in ("mask", "depth", "triangle_ids", "surface_ids"):
        np.testing.assert_array_equal(getattr(by_sample, field), getattr(by_vertex, field))


@pytest.mark.parametrize("shading", SHADINGS)
def test_the_back_of_a_surface_is_lit_from_the_viewers_side(shading):
    turned = dataclasses.replace(HEAD, triangles=np.ascontiguousarray(HEAD.triangles[:, ::-1]))
    lit = light(0.2, 0.8, direction=(0.3, 0.2, 0.9), specular=0.1)
    front, back = (render_scene([surface], FRONTAL, lit, SIZE, shading=shading) for surface in (HEAD, turned))
    np.testing.assert_allclose(front.color, back.color, atol=1e-5)


def test_gloss_scales_the_highlight():
    lit = light(0, 1, specular=0.1)
    dull, plain, glossy = (
        render_scene([dataclasses.replace(HEAD, gloss=gloss)], FRONTAL, lit, SIZE).color[8, 8] for gloss in (0, 1, 2)
    )
    np.testing.assert_allclose(glossy - dull, 2 * (plain - dull), rtol=1e-5)
    np.testing.assert_allclose(plain - dull, 0.1 * 5, rtol=1e-4)


def test_the_mirrored_share_gives_way_to_the_albedo():
    lit = dataclasses.replace(light(0, 1, specular=0.1), specular_complement=1.0)
    matt = render_scene([dataclasses.replace(HEAD, gloss=0)], FRONTAL, lit, SIZE).color[8, 8]
    for shading in SHADINGS:
        image = render_scene([HEAD], FRONTAL, lit, SIZE, shading=shading)
        np.testing.assert_allclose(image.color[8, 8] - matt, 0.5 * np.float32([0.8, 0.6, 0.4]), rtol=1e-4)


def test_one_surface_is_the_scene_of_it(head_mesh, any_camera, light):
    vertices, triangles = head_mesh
    colors = np.full_like(vertices, 0.5)
    one = render_image(vertices, colors, triangles, any_camera, light, (96, 96))
    scene = render_scene([Surface("any", vertices, triangles, colors)], any_camera, light, (96, 96))
    for first, second in zip(one, scene, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(one.surface_ids, np.where(one.triangle_ids >= 0, 0, -1))


def test_repeatable_whatever_was_rendered_before_and_in_whatever_thread(head_mesh, any_camera, light):
    vertices, triangles = head_mesh
    head = Surface("head", vertices, triangles, np.full_like(vertices, 0.5))
    uv = np.float32(vertices[:, :2] / 300 + 0.5)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 4)).astype(np.uint8)
    hair = dataclasses.replace(head, name="hair", vertices=vertices * 1.05, uv=uv, texture=noise)

    def render(index):
        if index % 2:
            render_scene([hair, head, hair], any_camera, light, (64 + index, 50), 3)
        shading = SHADINGS[index // 2 % 2]
        image = render_scene([head, hair], any_camera, light, (96, 96), shadow=True, shading=shading)
        return shading, b"".join(np.ascontiguousarray(part).tobytes() for part in image)

    alone = {render(0), render(2)}
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(render, range(16))) == alone


@pytest.mark.parametrize(
    ("surfaces", "changes", "message"),
    [
        ([], {}, "surfaces"),
        ([HEAD, dataclasses.replace(HEAD, name="hat", triangles=np.int32([[0, 1, 4]]))], {}, "hat.*0 to 4"),
        ([HEAD, dataclasses.replace(HEAD, name="hat", triangles=np.int32([[0, 1, -1]]))], {}, "hat.*-1 to 1"),
        ([HEAD, dataclasses.replace(HEAD, name="hat", colors=np.zeros((3, 3)))], {}, "colors.*hat"),
        ([HEAD, dataclasses.replace(HEAD, name="hat", uv=np.zeros((4, 3)))], {}, "uv.*hat"),
        ([HEAD, dataclasses.replace(HEAD, name="hat", texture=np.zeros((4, 4, 3), np.uint8))], {}, "texture.*hat"),
        ([HEAD], {"shading": "cel"}, "shading.*cel"),
        ([HEAD], {"size": (9000, 9000)}, "18000"),
    ],
)
def test_wrong_arguments_are_named(surfaces, changes, message):
    with pytest.raises(ValueError, match=message):
        render_scene(**{"surfaces": surfaces, "camera": FRONTAL, "light": light(), "size": SIZE, **changes})
