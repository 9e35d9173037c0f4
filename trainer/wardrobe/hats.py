"""Hats, hoods and headscarves: shells around the skull of the given head."""

import numpy as np

from trainer.morphable.model import MorphableModel
from trainer.rendering.scene import Surface
from trainer.wardrobe import fabric, hoods, shells, solids
from trainer.wardrobe.shells import Wrapped

HATS = ("cap", "beanie", "woollen", "brimmed", "helmet", "headband", "turban", "hood", "headscarf")
"""What `sample_hats` draws."""
_ODDS = (0.24, 0.18, 0.08, 0.12, 0.06, 0.1, 0.06, 0.08, 0.08)
COVERS_HAIR = frozenset({"beanie", "woollen", "helmet", "turban", "hood", "headscarf"})
"""Hats that leave no room for hair that stands off the skull."""

_COLUMNS, _ROWS = 72, 12
_SHARE = np.concatenate([[0.0], np.linspace(0, 1, _ROWS - 1)])[:, None]
"""Way of each row from the brim to the crown; the first closes the brim towards the skin."""
_AZIMUTH = np.arange(_COLUMNS) * (360.0 / _COLUMNS)
_FOLDS = 6


def sample_hats(
    model: MorphableModel, vertices: np.ndarray, rng: np.random.Generator, kind: str | None = None
) -> list[Surface]:
    """A hat on a head.

    Args:
        model: Face model.
        vertices: `[V, 3]` the head, model frame, millimetres.
        rng: Draws it.
        kind: One of `HATS`; None draws one.

    Returns:
        One surface `hat`, with more for its parts.

    Raises:
        ValueError: If the kind is unknown.
    """
    kind = str(rng.choice(HATS, p=_ODDS)) if kind is None else kind
    if kind not in HATS:
        raise ValueError(f"`kind` must be one of {HATS}. Received: {kind!r}")
    over_ears = kind in COVERS_HAIR and kind != "turban"
    head = shells.wrapped(model, vertices, "head" if over_ears else "skull", 8 if over_ears else 4)
    maker = {
        "cap": _cap,
        "brimmed": _brimmed,
        "helmet": _helmet,
        "headband": _headband,
        "hood": hoods.hood,
        "headscarf": hoods.headscarf,
    }.get(kind)
    return maker(head, rng) if maker else _knitted(head, rng, kind)


def _front(head: Wrapped, rng: np.random.Generator, least: float, most: float) -> float:
    """Elevation of the brim over the brows: degrees above them."""
    return head.elevation(head.head.brows) + rng.uniform(least, most)


def _rows(head: Wrapped, brim: np.ndarray, thickness: np.ndarray, top: float = 84.0) -> np.ndarray:
    """`[_ROWS, _COLUMNS, 3]` from the brim line `[_COLUMNS]` (degrees) to the crown; thickness broadcasts to rows and columns."""
    elevation = brim + (top - brim) * _SHARE
    azimuth = np.broadcast_to(_AZIMUTH, elevation.shape)
    thickness = np.array(np.broadcast_to(thickness, elevation.shape))
    thickness[0] = 0.3
    return head.on(azimuth, elevation, thickness)


def _surface(
    name: str,
    mesh: solids.Mesh,
    color: np.ndarray,
    rng: np.random.Generator,
    cloth: np.ndarray | None,
    rows: int,
    columns: int = _COLUMNS,
    folds: int = _FOLDS,
    gloss: float = 0.15,
) -> Surface:
    vertices, triangles = mesh
    uv = shells.folded_uv(rows, columns, folds, len(vertices) - rows * columns) if cloth is not None else None
    return Surface(name, vertices, triangles, solids.tinted(color, vertices, rng, 0.05), uv, cloth, gloss=gloss)


def _knitted(head: Wrapped, rng: np.random.Generator, kind: str) -> list[Surface]:
    """A beanie, a woollen hat with flaps and bobble, or a turban."""
    scale = head.head.scale
    share = _SHARE
    front = _front(head, rng, 1.5, 24)
    side, back = rng.uniform(-8, 12), rng.uniform(-30, -5)
    if kind == "woollen":
        side = rng.uniform(-38, -20)
    elif kind == "turban":
        side, back = rng.uniform(12, 18), rng.uniform(-15, 5)
    brim = shells.brim_line(_AZIMUTH, front, side, back)
    cloth, color = fabric.cloth("knit", int(rng.integers(fabric.VARIANTS))), fabric.sample_dye(rng)
    thick = rng.uniform(3.5, 7) * scale
    if kind == "turban":
        turns = rng.integers(4, 7)
        slant = 0.25 * np.cos(np.radians(_AZIMUTH))
        folds = np.abs(np.sin(np.pi * turns * (share + slant)))
        shape = np.sin(np.pi * (0.2 + 0.55 * share))
        thickness = thick + (rng.uniform(14, 30) * shape + 5 * folds) * scale
        cloth = fabric.cloth("plain", int(rng.integers(fabric.VARIANTS)))
    else:
        slouch = rng.uniform(0, 28) * (rng.random() < 0.6) * scale
        behind = 0.6 - 0.4 * np.cos(np.radians(_AZIMUTH))
        thickness = thick + slouch * share**2 * behind
    rows = _rows(head, brim, thickness)
    rows += shells.ripples(rng, rows) * 1.2
    worn = [_surface("hat", shells.dome(rows), color, rng, cloth, _ROWS)]
    if kind != "turban" and rng.random() < 0.65:
        height = rng.uniform(9, 16)
        steps = np.array([0.0, 0.1, 0.5, 0.9, 1.0])[:, None]
        azimuth = np.broadcast_to(_AZIMUTH, (5, _COLUMNS))
        bulge = np.broadcast_to(thick + np.array([-2, 3, 4, 3, -1])[:, None] * scale, azimuth.shape)
        cuff = head.on(azimuth, brim - 0.5 + height * steps, bulge)
        other = color if rng.random() < 0.6 else fabric.sample_dye(rng)
        worn.append(_surface("hat", shells.ring(cuff), other, rng, cloth, 5))
    if kind == "woollen" or rng.random() < 0.15:
        size = rng.uniform(16, 26) * scale
        ball, triangles = solids.ellipsoid(rows[-1].mean(0) + np.array([0, 0.7 * size, 0]), np.full(3, size))
        ball = ball + rng.normal(size=ball.shape).astype(np.float32) * 0.07 * size
        worn.append(Surface("hat", ball, triangles, solids.tinted(fabric.sample_dye(rng), ball, rng, 0.1), gloss=0.0))
    return worn


def _cap(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """A crown of cloth and a peak."""
    scale = head.head.scale
    share = _SHARE
    front = _front(head, rng, 9, 24)
    brim = shells.brim_line(_AZIMUTH, front, rng.uniform(14, 22), rng.uniform(-12, 8))
    stiff = rng.uniform(3, 16) * np.clip(np.cos(np.radians(_AZIMUTH)), 0, 1)
    thickness = (rng.uniform(3, 6) + (stiff + 8) * np.sin(np.pi * np.clip(share, 0, 1) * 0.8)) * scale
    rows = _rows(head, brim, thickness)
    rows += shells.ripples(rng, rows) * 0.6
    cloth, color = fabric.sample_cloth(rng), fabric.sample_dye(rng)
    worn = [_surface("hat", shells.dome(rows), color, rng, cloth, _ROWS, gloss=0.1)]
    turned = 180.0 if rng.random() < 0.08 else rng.normal() * 6
    peak_color = color if rng.random() < 0.65 else fabric.sample_dye(rng)
    peak = _peak(head, rng, brim, float(np.min(thickness)), turned)
    worn.append(
        Surface("hat", *shells.sheet(peak), solids.tinted(peak_color, peak.reshape(-1, 3), rng, 0.04), gloss=0.15)
    )
    return worn


def _peak(head: Wrapped, rng: np.random.Generator, brim: np.ndarray, thickness: float, turned: float) -> np.ndarray:
    """`[8, 17, 3]` a peak of two leaves: under side from the brow outwards, upper side back."""
    scale = head.head.scale
    half = rng.uniform(48, 62)
    around = np.linspace(-half, half, 17)
    azimuth = around + turned
    elevation = np.interp(np.mod(azimuth, 360), np.append(_AZIMUTH, 360), np.append(brim, brim[0]))
    base = head.on(azimuth, elevation, np.full(17, thickness - 1.0))
    length = rng.uniform(48, 78) * scale * np.sqrt(np.clip(1.02 - (around / half) ** 2, 0, 1))
    angle = np.radians(turned + 0.35 * around)
    drop = np.radians(rng.uniform(2, 20))
    outward = np.stack([np.sin(angle) * np.cos(drop), np.full(17, -np.sin(drop)), np.cos(angle) * np.cos(drop)], -1)
    step = np.linspace(0, 1, 4)[:, None, None]
    leaf = base + step * length[None, :, None] * outward
    bend = rng.uniform(4, 16) * scale
    leaf[..., 1] -= bend * (step[..., 0] * (around / half) ** 2) + 5 * scale * step[..., 0] ** 2
    upper = leaf[::-1] + np.array([0, 2.2 * scale, 0])
    return np.concatenate([leaf, upper])


def _brimmed(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """A crown with straight walls and a brim: straw hat, felt hat, bucket hat."""
    scale = head.head.scale
    front = _front(head, rng, 6, 22)
    brim = shells.brim_line(_AZIMUTH, front, rng.uniform(13, 20), rng.uniform(-8, 8))
    base = head.on(_AZIMUTH, brim, np.full(_COLUMNS, 4.0 * scale))
    top = float(head.points[..., 1].max()) + rng.uniform(-2, 10) * scale
    middle = base.mean(0)
    taper, dent = rng.uniform(0.05, 0.25), rng.uniform(6, 18) * (rng.random() < 0.5) * scale
    height = np.concatenate([np.linspace(0, 0.93, _ROWS - 4), [0.985, 1.0, 1.0, 1.0]])
    inwards = np.concatenate([taper * np.linspace(0, 1, _ROWS - 4), taper + np.array([0.05, 0.14, 0.5, 0.85])])
    rows = np.empty((_ROWS, _COLUMNS, 3))
    rows[..., 1] = base[:, 1] + (top - base[:, 1]) * height[:, None]
    rows[..., ::2] = middle[::2] + (base[:, ::2] - middle[::2]) * (1 - inwards)[:, None, None]
    rows[-3:, :, 1] -= dent * np.array([0.1, 0.8, 1.0])[:, None]
    rows = head.lifted(rows, 5.0 * scale)
    cloth = fabric.cloth("weave" if rng.random() < 0.5 else "plain", int(rng.integers(fabric.VARIANTS)))
    color = np.array([0.55, 0.4, 0.2]) * rng.uniform(0.6, 1.3) if rng.random() < 0.35 else fabric.sample_dye(rng)
    color = np.clip(color, 0, 1)
    worn = [_surface("hat", shells.dome(rows), color, rng, cloth, _ROWS)]
    width, slope = rng.uniform(35, 110) * scale, rng.uniform(-0.45, 0.12)
    outward = base - middle
    outward[:, 1] = 0
    outward = solids.unit(outward)
    waves = rng.normal(size=2) @ np.cos(np.radians(_AZIMUTH) * [[2], [3]] + rng.uniform(0, 6.3, (2, 1)))
    step = np.array([1.0, 0.66, 0.33, 0.0])[:, None]
    leaf = base + (outward * width)[None] * step[..., None]
    leaf[..., 1] += (slope * width * step + 0.06 * width * waves * step**2) + 1.0
    worn.append(_surface("hat", shells.ring(leaf), color, rng, cloth, 4))
    if rng.random() < 0.6:
        band = rows[:4].copy()
        band[:, :, ::2] = middle[::2] + (band[:, :, ::2] - middle[::2]) * 1.012
        worn.append(_surface("hat", shells.ring(band), fabric.sample_dye(rng), rng, None, 4))
    return worn


def _helmet(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """A hard shell, glossy, often with a strap under the chin."""
    scale = head.head.scale
    share = _SHARE
    front = _front(head, rng, 6, 20)
    brim = shells.brim_line(_AZIMUTH, front, rng.uniform(2, 16), rng.uniform(-25, -5))
    thickness = (rng.uniform(14, 22) + 9 * np.sin(np.pi * share * 0.7)) * scale
    ribs = 3 * np.abs(np.sin(np.radians(_AZIMUTH) * rng.integers(2, 5))) * scale * (rng.random() < 0.5)
    rows = _rows(head, brim, thickness + ribs * share * (1 - share) * 4)
    color = fabric.sample_dye(rng) if rng.random() < 0.7 else np.full(3, 0.45)
    worn = [_surface("hat", shells.dome(rows), color, rng, None, _ROWS, gloss=3.0)]
    if rng.random() < 0.7:
        jaw = head.head.jaw
        ends = head.on(np.array([-82.0, 82.0]), brim[[56, 16]], np.full(2, 3.0))
        under = jaw[len(jaw) // 4 : len(jaw) - len(jaw) // 4]
        under = under + solids.unit(under - head.center) * 4.0 - np.array([0, 2.5, 3.0])
        step = np.array([[0.0], [0.33], [0.67]])
        down = ends[0] + step * (under[0] - ends[0]), under[-1] + (1 - step[::-1]) * (ends[1] - under[-1])
        path = np.concatenate([down[0], under, down[1]])
        short = np.clip(2.0 - head.grid.clearance(head.points, head.head, path), 0, 7 * scale)
        path = path + solids.unit((path - head.center) * [1, 0.3, 0.3]) * short[:, None]
        strap = solids.tube(path, np.array([[7.0 * scale, 1.2]]), path - head.center, 6)
        worn.append(Surface("hat", *strap, solids.tinted(np.full(3, 0.02), strap[0], rng), gloss=0.3))
    return worn


def _headband(head: Wrapped, rng: np.random.Generator) -> list[Surface]:
    """A band around the head."""
    front = _front(head, rng, 9, 30)
    brim = shells.brim_line(_AZIMUTH, front, rng.uniform(13, 30), rng.uniform(-20, 25))
    step = np.array([0.0, 0.08, 0.36, 0.64, 0.92, 1.0])[:, None]
    bulge = rng.uniform(2, 5) * np.array([0.1, 0.9, 1.1, 1.1, 0.9, 0.1])[:, None] * head.head.scale + 0.8
    azimuth = np.broadcast_to(_AZIMUTH, (6, _COLUMNS))
    rows = head.on(azimuth, brim + rng.uniform(8, 22) * step, np.broadcast_to(bulge, azimuth.shape))
    color = fabric.sample_dye(rng)
    return [_surface("hat", shells.ring(rows), color, rng, fabric.sample_cloth(rng), 6)]
