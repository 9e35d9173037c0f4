"""The report as one HTML page that needs nothing else: a table, and histograms drawn into it."""

import base64
import html
import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from components.photo_report import traits
from components.photo_report.shifts import DRIFT, SKEW, Shift
from components.photo_report.traits import TRAITS, Table

COLORS: Final = {"photos": "#1f77b4", "photos before": "#ff7f0e", "renders": "#2ca02c"}
COLUMNS: Final = 4
BINS: Final = 24

_STYLE: Final = """body{font:15px/1.5 sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}th,td{padding:.25em .8em;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}.far{background:#fde2dd;font-weight:bold}img{max-width:100%}
.note{color:#666}"""


def page(tables: dict[str, Table], shifts: Sequence[Shift]) -> str:
    """The report.

    Args:
        tables: Traits of each kind of faces, by a name of `COLORS`; `photos` is always there.
        shifts: What was found.

    Returns:
        An HTML document.
    """
    reported = [shift for shift in shifts if shift.reported]
    summary = "".join(f"<li>{html.escape(shift.sentence())}</li>" for shift in reported)
    verdict = f"<ul>{summary}</ul>" if reported else "<p>No shift beyond what is allowed.</p>"
    counts = ", ".join(f"{traits.count(table)} {name}" for name, table in tables.items())
    picture = base64.b64encode(histograms(tables)).decode()
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Photos</title>'
        f"<style>{_STYLE}</style><h1>Photos</h1><p>Faces looked at: {counts}.</p><h2>Shifts</h2>{verdict}"
        f'{_table(tables, shifts)}<p class="note">Median and, in brackets, the middle 80 %. Distances are Jensen-Shannon '
        "divergences: 0 the same, 1 nothing in common; those that are reported are marked. Renders are spread wider than photos "
        "on purpose, so what matters most is the share of photos beyond the middle 98 % of the renders.</p>"
        f'<img alt="Histograms of every trait" src="data:image/png;base64,{picture}"></html>\n'
    )


def histograms(tables: dict[str, Table]) -> bytes:
    """A PNG with one panel a trait: shares of the faces, all kinds over the same bins."""
    rows = -(-len(TRAITS) // COLUMNS)
    figure = Figure(figsize=(3.4 * COLUMNS, 2.6 * rows), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    for position, trait in enumerate(TRAITS):
        axes = figure.add_subplot(rows, COLUMNS, position + 1)
        values = {name: table[trait.name][np.isfinite(table[trait.name])] for name, table in tables.items()}
        values = {name: array for name, array in values.items() if len(array)}
        axes.set_title(f"{trait.name}{f', {trait.unit}' if trait.unit else ''}", fontsize=10)
        axes.tick_params(labelsize=8)
        axes.set_yticks([])
        if not values:
            continue
        every = np.concatenate(list(values.values()))
        low, high = np.percentile(every, [0.5, 99.5])
        edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
        for name, array in values.items():
            shares = np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0] / len(array)
            axes.stairs(
                shares, edges, color=COLORS[name], label=name, fill=name == "renders", alpha=0.75, linewidth=1.6
            )
        if not position:
            axes.legend(fontsize=8, frameon=False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _table(tables: dict[str, Table], shifts: Sequence[Shift]) -> str:
    by_place = {(shift.trait, shift.kind): shift for shift in shifts}
    kinds = [kind for kind in (DRIFT, SKEW) if any(shift.kind == kind for shift in shifts)]
    beyond = ("beyond renders",) if "renders" in tables else ()
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("", *tables, *kinds, *beyond))
    lines = [f"<tr>{head}</tr>"]
    for trait in TRAITS:
        cells = [f'<td title="{html.escape(trait.meaning)}">{trait.name}</td>']
        cells += [f"<td>{_spread(table[trait.name], trait.unit)}</td>" for table in tables.values()]
        for kind in kinds:
            shift = by_place.get((trait.name, kind))
            mark = ' class="far"' if shift is not None and shift.reported else ""
            cells.append(f"<td{mark}>{'' if shift is None else f'{shift.distance:.3f}'}</td>")
        cells += [f"<td>{_beyond(tables['photos'][trait.name], tables['renders'][trait.name])}</td>" for _ in beyond]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _beyond(photos: np.ndarray, renders: np.ndarray) -> str:
    """Share of the photos that lie outside the middle 98 % of the renders."""
    photos, renders = photos[np.isfinite(photos)], renders[np.isfinite(renders)]
    if not (len(photos) and len(renders)):
        return ""
    low, high = np.percentile(renders, [1, 99])
    return f"{((photos < low) | (photos > high)).mean():.0%}"


def _spread(values: np.ndarray, unit: str) -> str:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return ""
    low, middle, high = np.percentile(finite, [10, 50, 90])
    digits = 0 if unit else 2
    return f"{middle:.{digits}f}{unit} [{low:.{digits}f} … {high:.{digits}f}]"
