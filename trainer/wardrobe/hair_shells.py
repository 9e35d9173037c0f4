"""Procedural hair: layers of strands over the skull, fringes, and curtains that fall past the cheeks."""

import dataclasses

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, shells, solids
from trainer.wardrobe.shells import Wrapped

STYLES = ("buzz", "cropped", "combed", "curly", "bob", "long", "tied", "fringed")
"""What `sample_hair_shells` draws."""
_ODDS = (0.14, 0.2, 0.14, 0.14, 0.12, 0.12, 0.06, 0.08)
_COLUMNS, _ROWS = 72, 13
_AZIMUTH = np.arange(_COLUMNS) * (360.0 / _COLUMNS)
_SIGNED = (_AZIMUTH + 180) % 360 - 180
_TEXELS = (96, 160)
"""Height and width of the textures, which go around half the head."""


@dataclasses.dataclass(frozen=True)
class Style:
    """What hair looks like; millimetres for a head of scale 1."""

    kind: str
    """One of `STYLES`."""
    thickness: float
    """How far it stands off the skull, 2 to 70."""
    density: float
    """Share of the skull that it covers, 0.6 to 1."""
    curl: float
    """0 straight to 0.9."""
    hairline: float
    """Of the front, degrees above the brows, 15 to 45."""
    recession: float
    """Of the temples, further degrees, 0 to 25."""
    bald_top: float
    """Share of the crown without hair, 0 to 0.75."""
    parting: float
    """Azimuth of the parting, degrees, -50 to 50."""
    length: float
    """Of what falls: below the ears' middle, 0 to 230."""
    fringe: float
    """Of the hair on the forehead: share of the way from the hairline to the brows, 0 for none."""
    opening: float
    """Azimuth at which a curtain starts, 45 to 100 degrees."""
    variant: int
    """Which strands."""


def sample_style(rng: np.random.Generator, kind: str | None = None) -> Style:
    """Draws hair; of a kind of `STYLES`, or of any."""
    kind = STYLES[int(np.searchsorted(np.cumsum(_ODDS), rng.random()))] if kind is None else kind
    thick = {"buzz": (1.5, 3.5), "cropped": (4, 14), "curly": (14, 65), "tied": (3, 7)}.get(kind, (7, 20))
    curl = rng.uniform(0.85, 1.0) if kind == "curly" else rng.choice([0.0, 0.2, 0.4]) + rng.uniform(0, 0.1)
    falls = {"bob": (25, 90), "long": (90, 230), "fringed": (0, 60)}.get(kind)
    receding = kind in ("buzz", "cropped", "combed")
    bald = rng.uniform(0.35, 0.75) if kind in ("buzz", "cropped") and rng.random() < 0.14 else 0.0
    has_fringe = kind == "fringed" or (kind in ("bob", "cropped", "long") and rng.random() < 0.3)
    return Style(
        kind,
        rng.uniform(*thick),
        rng.uniform(0.75, 1.0) if kind != "buzz" else rng.uniform(0.6, 0.95),
        curl,
        rng.uniform(22, 34),
        rng.uniform(0, 22) * (rng.random() < 0.6) if receding else rng.uniform(0, 6),
        bald,
        rng.choice([-1, 1]) * rng.uniform(8, 45) * (rng.random() < 0.7),
        rng.uniform(*falls) if falls else 0.0,
        rng.uniform(0.45, 1.05) if has_fringe else 0.0,
        rng.uniform(52, 95),
        int(rng.integers(4)),
    )


def sample_hair_shells(
    model: MorphableModel,
    vertices: np.ndarray,
    rng: np.random.Generator,
    hair_rgb: np.ndarray,
    kind: str | None = None,
) -> list[Surface]:
    """Hair on a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        hair_rgb: `[3]` linear RGB of the hair.
        kind: One of `STYLES`; `buzz` fits under every hat. None draws one.

    Returns:
        Its layers, each a surface `hair`.

    Raises:
        ValueError: If the kind is unknown.
    """
    if kind is not None and kind not in STYLES:
        raise ValueError(f"`kind` must be one of {STYLES}. Received: {kind!r}")
    style = sample_style(rng, kind)
    return hair_shells(model, vertices, style, np.asarray(hair_rgb), rng)


def hair_shells(
    model: MorphableModel, vertices: np.ndarray, style: Style, hair_rgb: np.ndarray, rng: np.random.Generator
) -> list[Surface]:
    """Hair of this style and colour (`[3]` linear RGB) on the head with these vertices `[V, 3]`; chance makes it uneven."""
    head = shells.wrapped(model, vertices, "skull", 2)
    worn = _cap(head, style, hair_rgb, rng)
    if style.length > 0:
        worn += _curtain(head, style, hair_rgb, rng)
    if style.fringe > 0:
        worn += _fringe(head, style, hair_rgb, rng)
    if style.kind == "tied":
        worn.append(_bun(head, hair_rgb, rng))
    return worn


def hairline(head: Wrapped, style: Style) -> np.ndarray:
    """`[_COLUMNS]` elevation of the hair's lower border, degrees: forehead, temples, sideburns, over the ears, nape."""
    brow = head.elevation(head.head.brows)
    ear = head.head.ears - head.center
    beside = float(np.degrees(np.arctan2(np.abs(ear[:, 0]), ear[:, 2])).mean())
    front = brow + style.hairline
    temple = front - 3 + style.recession
    azimuths = [0, 24, 38, 56, beside - 22, beside - 12, beside - 4, beside + 3, beside + 16, beside + 26, 150, 180]
    levels = [front, front + 1, temple, front - 12 + 0.4 * style.recession, 8, -6, -6, 15, 15, -8, -27, -30]
    line = np.interp(np.abs(_SIGNED), azimuths, levels)
    return 0.5 * line + 0.25 * (np.roll(line, 1) + np.roll(line, -1))


def _cap(head: Wrapped, style: Style, hair_rgb: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """Layers from the hairline to the crown."""
    line = hairline(head, style) + 1.5 * _lumps(rng, _AZIMUTH[None], np.zeros((1, 1)))[0]
    share = np.linspace(0, 1, _ROWS)[:, None]
    top = 86.0
    elevation = line + (top - line) * share
    azimuth = np.broadcast_to(_AZIMUTH, elevation.shape)
    # Thin at the border; thicker above the forehead and on top than at the nape.
    profile = np.clip(share / 0.3, 0.1, 1) ** 0.7 * (0.7 + 0.3 * np.sin(np.radians(np.clip(elevation, 0, 90))))
    profile = profile + (_lumps(rng, _AZIMUTH[None], share) * (0.22 if style.kind == "curly" else 0.1)) * np.clip(
        share / 0.2, 0, 1
    )
    if style.kind == "curly":
        profile = profile + 0.12 * np.sin(7 * np.radians(_AZIMUTH) + 16 * share) * np.sin(14 * share + 3) * (
            share > 0.1
        )
    if style.parting:
        valley = np.exp(-((((_SIGNED - style.parting + 180) % 360 - 180) / 9) ** 2)) * (share < 0.95)
        profile = profile * (1 - 0.45 * valley)
    thickness = style.thickness * head.head.scale * np.clip(profile, 0.03, 1.4)
    grows = _TEXELS[0] * np.linspace(0, 1, _TEXELS[0]) / (7.0 if style.kind != "buzz" else 14.0)
    grows = np.clip(grows, 0, 1)
    mask = np.repeat(grows[:, None], _TEXELS[1], axis=1).astype(np.float32)
    if style.bald_top:
        # Bald from the forehead over the crown: what is left runs from temple to temple around the back.
        back = np.clip((np.linspace(0, 1, _TEXELS[1]) - 0.3) / 0.12, 0, 1)
        crown = np.clip((1 - style.bald_top - np.linspace(0, 1, _TEXELS[0])) / 0.12, 0, 1)
        mask *= (crown[:, None] * back).astype(np.float32)
    reach, shade = fabric.strands(*_TEXELS, 0.9, style.curl, style.variant)
    uv = shells.folded_uv(_ROWS, _COLUMNS, 2, 1)
    skin = head.on(azimuth, elevation, 0.0)
    outward = solids.unit(skin - head.center)
    layers = 2 if style.thickness < 5 or style.length > 0 else 3
    worn = []
    for layer in range(layers):
        share_out = (layer + 0.4) / (layers - 0.6)
        if style.kind == "curly":
            share_out = 0.7 + 0.3 * share_out
        mesh, triangles = shells.dome(skin + outward * (1.6 + thickness * share_out)[..., None])
        base = style.density if layer == 0 else 0.6 * style.density if layer < layers - 1 else 0.0
        dark, bright = (0.55 + 0.45 * share_out) * np.array([105, 255])
        cover = style.density * (1.1 - 0.35 * layer / (layers - 1))
        texture = fabric.painted_strands(mask, reach, shade, cover, base, dark, bright)
        colors = solids.tinted(hair_rgb, mesh, rng, 0.08)
        worn.append(Surface("hair", mesh, triangles, colors, uv, texture, gloss=0.4 - 0.3 * style.curl))
    return worn


def _curtain(head: Wrapped, style: Style, hair_rgb: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """Hair that lies on the skull down to the ears and falls from there, around the back from cheek to cheek."""
    columns, rows = 49, 10
    scale = head.head.scale
    azimuth = np.linspace(style.opening, 360 - style.opening, columns)
    lie = np.array([58.0, 42.0, 26.0, 8.0])[:, None]
    place = head.on(
        np.broadcast_to(azimuth, (4, columns)), np.broadcast_to(lie, (4, columns)), np.full((4, columns), 1.0)
    )
    outward = solids.unit((place - head.center) * np.array([1, 0.3, 1]))
    stand = style.thickness * np.array([0.9, 1.0, 1.05, 1.0])[:, None] + 2.5
    place = place + outward * (stand * scale)[..., None]
    ends = -style.length + 14 * _lumps(rng, azimuth[None], np.zeros((1, 1)))[0]
    bottom = head.head.ears[:, 1].mean() + ends * scale
    fall = np.linspace(0, 1, rows - 3)[1:, None]
    start = place[-1]
    inward = rng.uniform(-0.25, 0.2)
    hanging = np.empty((rows - 4, columns, 3))
    hanging[..., 1] = start[:, 1] + np.minimum(bottom - start[:, 1], -8.0) * fall
    flat = solids.unit((start - head.center) * np.array([1, 0, 1]))
    sway = inward * style.length * 0.35 * fall * fall + 4 * _lumps(rng, azimuth[None], 0.6 * fall)
    hanging[..., ::2] = start[:, ::2] + flat[:, ::2] * (sway * scale)[..., None]
    # Towards the face the strands hang a little forward.
    hanging = np.concatenate([place, hanging])
    falls = hanging[::-1]
    mesh, triangles = shells.sheet(falls)
    edge = np.linspace(0, 1, _TEXELS[1])
    sides = np.clip(np.minimum(edge, 1 - edge) / 0.035, 0.25, 1)
    tips = np.clip(np.linspace(0, 1, _TEXELS[0]) / 0.14, 0, 1)[:, None]
    mask = (tips * sides).astype(np.float32)
    reach, shade = fabric.strands(*_TEXELS, 0.9, style.curl, style.variant)
    u = np.broadcast_to(np.linspace(0, 1, columns), (rows, columns))
    v = np.broadcast_to(np.linspace(0, 1, rows)[:, None], (rows, columns))
    uv = np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)
    worn = []
    for layer, (out, cover, base) in enumerate(((0.0, 1.1, 0.95 * style.density), (5.0 * scale, 0.75, 0.0))):
        dark, bright = (0.75 + 0.25 * layer) * np.array([105, 255])
        texture = fabric.painted_strands(mask, reach, shade, cover, base, dark, bright)
        moved = (mesh + np.tile(flat, (rows, 1)) * out).astype(np.float32)
        colors = solids.tinted(hair_rgb, moved, rng, 0.1)
        worn.append(Surface("hair", moved, triangles, colors, uv, texture, gloss=0.4 - 0.3 * style.curl))
    return worn


def _fringe(head: Wrapped, style: Style, hair_rgb: np.ndarray, rng: np.random.Generator) -> list[Surface]:
    """Hair combed onto the forehead."""
    columns, rows = 25, 6
    scale = head.head.scale
    brow = head.elevation(head.head.brows)
    high = brow + style.hairline + 22
    half = rng.uniform(42, 62)
    azimuth = np.linspace(-half, half, columns)
    low = (
        brow
        + style.hairline * (1 - style.fringe)
        + rng.uniform(-8, 8) * np.sin(np.radians(azimuth) + rng.uniform(-1, 1))
    )
    low = low + 3 * _lumps(rng, azimuth[None], np.zeros((1, 1)))[0]
    step = np.linspace(0, 1, rows)[:, None]
    elevation = low + (high - low) * step
    swept = azimuth + style.parting * 0.5 * (1 - step)
    stand = (3.0 + style.thickness * np.array([0.25, 0.55, 0.85, 1.0, 0.95, 0.6])[:, None]) * scale
    place = head.on(swept, elevation, np.broadcast_to(stand, elevation.shape))
    mesh, triangles = shells.sheet(place)
    edge = np.linspace(0, 1, _TEXELS[1])
    sides = np.clip(np.minimum(edge, 1 - edge) / 0.12, 0.1, 1)
    tips = np.clip(0.15 + np.linspace(0, 1, _TEXELS[0])[:, None] / 0.45, 0, 1)
    mask = (tips * sides).astype(np.float32)
    reach, shade = fabric.strands(*_TEXELS, 1.6, style.curl, style.variant)
    texture = fabric.painted_strands(mask, reach, shade, 1.05, 0.55 * style.density, 105.0, 255.0)
    u = np.broadcast_to(np.linspace(0, 1, columns), (rows, columns))
    uv = np.stack([u, np.broadcast_to(step, (rows, columns))], -1).reshape(-1, 2).astype(np.float32)
    colors = solids.tinted(hair_rgb, mesh, rng, 0.08)
    return [Surface("hair", mesh, triangles, colors, uv, texture, gloss=0.4)]


def _bun(head: Wrapped, hair_rgb: np.ndarray, rng: np.random.Generator) -> Surface:
    """A knot of hair on the crown or at the back."""
    size = rng.uniform(20, 38) * head.head.scale
    middle = head.on(np.array([180.0]), np.array([rng.uniform(0, 75)]), np.array([0.7 * size]))[0]
    mesh, triangles = solids.ellipsoid(middle, np.full(3, size) * rng.uniform(0.8, 1.1, 3))
    mesh = (mesh + rng.normal(size=mesh.shape) * 0.05 * size).astype(np.float32)
    return Surface("hair", mesh, triangles, solids.tinted(hair_rgb, mesh, rng, 0.15), gloss=0.3)


def _lumps(rng: np.random.Generator, azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Smooth unevenness around the head and along `height`, about -1 to 1; both broadcast."""
    angle = np.radians(azimuth)
    waves = [
        np.sin(count * angle + rng.uniform(0, 6.3)) * np.sin(rng.uniform(2, 9) * height + rng.uniform(0, 6.3))
        for count in (2, 5, 9, 13)
    ]
    return 0.6 * sum(waves[1:], waves[0])
