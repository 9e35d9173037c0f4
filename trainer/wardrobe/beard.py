"""Beards and moustaches: layers of strands over the lower face, which move with it."""

import dataclasses

import numpy as np
import scipy.ndimage

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, head_grid, solids
from trainer.wardrobe.beard_kernels import BEARDS, cover, smooth
from trainer.wardrobe.measures import Measures, measure

_ODDS = (0.28, 0.22, 0.12, 0.1, 0.13, 0.03, 0.05, 0.03, 0.04)
_LAST_ROW = 38
"""Rows of the grid `face` in which beards grow, counted from below."""
_FINE = 3
"""Texels per cell of the grid along each axis."""
_FIELDS: dict[str, "Fields"] = {}
_MODELS_KEPT = 8


@dataclasses.dataclass(frozen=True)
class Fields:
    """Where the texels of a beard lie on the mean of a model; all `[H, W]` float32, millimetres for a head of scale 1."""

    aside: np.ndarray
    """To the image's right of the nose's middle."""
    height: np.ndarray
    """Above the mouth's middle."""
    below_jaw: np.ndarray
    """Below the jaw line, along the skin."""
    cheek_line: np.ndarray
    """Above the usual upper border of a full beard: from the sideburns to the corners of the mouth."""
    under_nose: np.ndarray
    """Above the base of the nose."""
    skin: np.ndarray
    """1 where hair can grow, 0 on the lips, at the ears, and where the jaw hides what lies behind it."""
    mouth_half: float
    """Half the mouth's width."""

    def window(self, rows: slice, columns: slice) -> "Fields":
        """A part of the texels."""
        part = (rows, columns)
        return Fields(
            self.aside[part],
            self.height[part],
            self.below_jaw[part],
            self.cheek_line[part],
            self.under_nose[part],
            self.skin[part],
            self.mouth_half,
        )


@dataclasses.dataclass(frozen=True)
class Style:
    """What a beard looks like; millimetres for a head of scale 1."""

    kind: str
    """One of `BEARDS`."""
    length: float
    """How far it reaches, 2 to 40."""
    density: float
    """Share of the skin that it covers where it is thickest, 0.5 to 1."""
    curl: float
    """0 straight to 0.9."""
    cheek: float
    """Of the upper border above its usual place, -14 to 8."""
    neck: float
    """Of the lower border below the jaw, 8 to 40."""
    soft: float
    """Width of its borders, 3 to 9."""
    variant: int
    """Which strands."""


def sample_style(rng: np.random.Generator) -> Style:
    """Draws a beard."""
    kind = BEARDS[int(np.searchsorted(np.cumsum(_ODDS), rng.random()))]
    longest = {"full": 40.0, "short": 7.0, "moustache": 9.0, "soul patch": 9.0, "mutton chops": 16.0}.get(kind, 22.0)
    length = 2.5 + (longest - 2.5) * rng.random() ** (1.6 if kind == "full" else 1.0)
    return Style(
        kind,
        length,
        rng.uniform(0.7, 1.0) if kind != "short" else rng.uniform(0.5, 0.95),
        rng.choice([0.0, 0.2, 0.5]) + rng.uniform(0, 0.3),
        rng.uniform(-14, 6),
        rng.uniform(8, 30),
        rng.uniform(3, 9),
        int(rng.integers(4)),
    )


def sample_beard(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, hair_rgb: np.ndarray
) -> list[Surface]:
    """A beard on a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres: mouth and jaw as they are.
        rng: Draws it.
        hair_rgb: `[3]` linear RGB of the hair.

    Returns:
        Its layers, each a surface `beard`, the innermost first.
    """
    style = sample_style(rng)
    return beard(model, vertices, style, np.asarray(hair_rgb) * rng.uniform(0.75, 1.15))


def beard(model: MorphableModel, vertices: np.ndarray, style: Style, hair_rgb: np.ndarray) -> list[Surface]:
    """A beard of this style and colour (`[3]` linear RGB) on the head with these vertices `[V, 3]`."""
    head = measure(model, vertices)
    grid = head_grid.head_grid(model, "face")
    fields = _fields(model)
    coarse = coverage(fields.window(slice(None, None, _FINE), slice(None, None, _FINE)), style)
    grown = coarse > 0.02
    if not grown.any():
        return []
    rows, columns = (_span(grown.any(axis=axis)) for axis in (1, 0))
    mask = coverage(
        fields.window(*(slice(_FINE * low, _FINE * high - _FINE + 1) for low, high in (rows, columns))), style
    )
    step = 2 if style.kind in ("full", "short", "chin strap", "mutton chops") else 1
    chosen = np.unique(np.append(np.arange(columns[0], columns[1], step), columns[1] - 1))
    points = grid.points(vertices, head)[rows[0] : rows[1], chosen]
    normal = head_grid.normals(points)
    weight = coarse[rows[0] : rows[1], chosen]
    kept, triangles = _kept(weight)
    u = (chosen - columns[0]) / (columns[1] - 1 - columns[0])
    v = np.linspace(0, 1, rows[1] - rows[0])
    uv = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), -1).reshape(-1, 2)[kept].astype(np.float32)
    height = fields.height[::_FINE, ::_FINE][rows[0] : rows[1], chosen]
    hang = (weight * np.clip(1 - height / 10, 0, 1)).reshape(-1, 1)[kept]
    points, normal, weight = points.reshape(-1, 3)[kept], normal.reshape(-1, 3)[kept], weight.reshape(-1, 1)[kept]
    height_texels, width_texels = fields.skin.shape
    reach, shade = fabric.strands(height_texels, width_texels, 0.7, style.curl, style.variant)
    tint = np.random.default_rng(style.variant)
    layers = 2 if style.length < 5 or len(triangles) > 1900 else 3
    surfaces = []
    for layer in range(layers):
        share = (layer + 0.6) / (layers - 0.4)
        out = 0.6 + min(0.5 * style.length, 11.0) * share
        fall = max(style.length - 9.0, 0.0) * share**1.5
        mesh = points + normal * (out * (0.25 + 0.75 * weight) * head.scale)
        mesh = (mesh + hang * (fall * head.scale * np.array([0, -1, 0.12]))).astype(np.float32)
        colors = solids.tinted(hair_rgb, mesh, tint, 0.08)
        cover = style.density * (1.0 - 0.5 * layer / (layers - 1))
        base = 0.85 * style.density if layer == 0 else 0.0
        dark, bright = (0.5 + 0.5 * share) * 110, (0.5 + 0.5 * share) * 255
        texture = fabric.painted_strands(mask, reach, shade, cover, base, dark, bright)
        surfaces.append(Surface("beard", mesh, triangles, colors, uv, texture, gloss=0.4))
    return surfaces


def coverage(fields: Fields, style: Style) -> np.ndarray:
    """`[H, W]` how thick the beard grows on the texels, in [0, 1]."""
    mask = np.empty(fields.aside.shape, np.float32)
    cover(
        (fields.aside, fields.height, fields.below_jaw, fields.cheek_line, fields.under_nose, fields.skin),
        BEARDS.index(style.kind),
        (style.soft, style.cheek, style.neck, fields.mouth_half),
        mask,
    )
    return mask


def _span(used: np.ndarray) -> tuple[int, int]:
    """First and last but one of a run of at least two that holds all that is true in `[N]`, with one to spare where possible."""
    places = np.flatnonzero(used)
    return max(int(places[0]) - 1, 0), min(int(places[-1]) + 2, len(used))


def _kept(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of the cells that the mask `[R, C]` touches, and the cells' triangles among them."""
    rows, columns = weight.shape
    cells = np.maximum(np.maximum(weight[1:, 1:], weight[:-1, :-1]), np.maximum(weight[1:, :-1], weight[:-1, 1:]))
    triangles = solids.sheet_triangles(rows, columns)[np.repeat(cells.ravel() > 0.02, 2)]
    used = np.zeros(rows * columns, bool)
    used[triangles] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    return np.flatnonzero(used), number[triangles]


def _fields(model: MorphableModel) -> Fields:
    if model.sha256 not in _FIELDS:
        while len(_FIELDS) >= _MODELS_KEPT:
            _FIELDS.pop(next(iter(_FIELDS)))
        _FIELDS[model.sha256] = _measured(model)
    return _FIELDS[model.sha256]


def _measured(model: MorphableModel) -> Fields:
    head = measure(model, model.mean)
    grid = head_grid.head_grid(model, "face")
    directions = grid.directions
    fine_columns = _FINE * (len(directions.azimuths) - 1) + 1
    fine_rows = _FINE * (_LAST_ROW - 1) + 1
    azimuth = np.linspace(directions.azimuths[0], directions.azimuths[-1], fine_columns)[None, :]
    elevation = np.linspace(directions.elevations[0], directions.elevations[_LAST_ROW - 1], fine_rows)[:, None]
    points = head_grid.at(directions, grid.points(model.mean, head), azimuth, elevation).astype(np.float64)
    center = grid.origin(head)
    radius = np.linalg.norm(points - center, axis=-1)
    scale = head.scale
    mouth = head.mouth
    jaw_azimuth, jaw_elevation = _angles(head.jaw - center)
    below_jaw = np.radians(np.interp(azimuth, jaw_azimuth, jaw_elevation) - elevation) * radius
    ears = np.abs(jaw_azimuth[[0, -1]]).mean()
    mouth_half = float(np.linalg.norm(head.corners[1] - head.corners[0])) / 2
    nose_base = float(head.nose_base[:, 1].mean())
    border = _cheek_border(head, center, nose_base)
    cheek_line = points[..., 1] - np.interp(np.abs(azimuth), *border)
    ear = np.radians(np.abs(azimuth) - ears) * radius
    frontal = np.where(points[..., 2] > mouth[2] - 0.75 * mouth_half, _outside(head.lips[:, :2], points[..., :2]), 30.0)
    cliff = np.hypot(*np.gradient(radius)) > 7.0 * scale / _FINE
    skin = smooth(frontal / scale - 1.0, 2.0) * smooth(-3.0 - ear / scale, 4.0)
    skin = skin * ~scipy.ndimage.binary_dilation(cliff, iterations=_FINE)

    def scaled(field: np.ndarray) -> np.ndarray:
        return np.broadcast_to(field / scale, radius.shape).astype(np.float32)

    return Fields(
        scaled(points[..., 0] - head.nose_base[:, 0].mean()),
        scaled(points[..., 1] - mouth[1]),
        scaled(below_jaw),
        scaled(cheek_line),
        scaled(points[..., 1] - nose_base),
        skin.astype(np.float32),
        mouth_half / scale,
    )


def _cheek_border(head: Measures, center: np.ndarray, nose_base: float) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and heights of the upper border of a full beard."""
    jaw = head.jaw
    ear = float(np.abs(_angles(jaw[[0, -1]] - center)[0]).mean())
    corner = float(np.abs(_angles(head.corners - center)[0]).mean())
    mouth, scale = float(head.mouth[1]), head.scale
    sideburn = float(head.ears[:, 1].mean()) + 14 * scale
    azimuths = [0.0, corner, corner + 0.22 * (ear - corner), corner + 0.5 * (ear - corner), 0.8 * ear, 0.9 * ear]
    heights = [nose_base, nose_base - 1, mouth + 6 * scale, mouth + 16 * scale, mouth + 32 * scale, sideburn]
    return np.array(azimuths), np.array(heights)


def _angles(away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and elevations, degrees, of `[N, 3]` vectors."""
    return (
        np.degrees(np.arctan2(away[:, 0], away[:, 2])),
        np.degrees(np.arctan2(away[:, 1], np.hypot(away[:, 0], away[:, 2]))),
    )


def _outside(polygon: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distance of places `[..., 2]` from a closed polygon `[N, 2]`, negative inside."""
    start, edge = polygon, np.roll(polygon, -1, axis=0) - polygon
    away = places[..., None, :] - start
    share = np.clip((away * edge).sum(-1) / np.maximum((edge * edge).sum(-1), 1e-9), 0, 1)
    distance = np.linalg.norm(away - share[..., None] * edge, axis=-1).min(-1)
    low, high = start[:, 1] <= places[..., None, 1], (start + edge)[:, 1] <= places[..., None, 1]
    rise = np.where(edge[:, 1] == 0, 1e-9, edge[:, 1])
    crossing = start[:, 0] + (places[..., None, 1] - start[:, 1]) * edge[:, 0] / rise
    inside = ((low != high) & (places[..., None, 0] < crossing)).sum(-1) % 2 == 1
    return np.where(inside, -distance, distance)
