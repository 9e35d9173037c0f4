"""What is told at the end of a run: the NME table, the gate's decision, and where everything lies."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from components.photo_report.report import PAGE
from pipeline.config import METRICS, PipelineConfig
from pipeline.outcome import Outcome, metric_table, read_outcome, refusals


def tell(metadata_path: str, config: PipelineConfig, console: Console) -> bool:
    """Reports the latest run.

    Args:
        metadata_path: The local runner's SQLite file.
        config: What it ran on.
        console: Where to tell.

    Returns:
        Whether a model was pushed.
    """
    outcome = read_outcome(metadata_path, config.name)
    if outcome.evaluation is not None:
        console.print(error_table(metric_table(outcome.evaluation)))
        console.print(f"Evaluation    {_short(outcome.evaluation)}", highlight=False, soft_wrap=True)
    _tell_dead_letters(outcome, console)
    _tell_photo_report(outcome, console)
    if outcome.model is not None:
        console.print(f"Trained model {_short(outcome.model)}", highlight=False, soft_wrap=True)
    if outcome.pushed_to is not None:
        console.print(f"Pushed model  {_short(outcome.pushed_to)}", highlight=False, soft_wrap=True)
        return True
    console.print("[red]The gate refused the model; nothing was pushed.[/red]")
    for sentence in refusals(outcome.evaluation) if outcome.evaluation is not None else []:
        console.print(f"  {sentence}", highlight=False, soft_wrap=True)
    return False


def error_table(values: dict[str, dict[str, float]]) -> Table:
    """Normalised mean errors in per cent: one row a slice, one column a metric."""
    table = Table(title="Normalised mean error, %", title_justify="left")
    table.add_column("|yaw|")
    for name in METRICS:
        table.add_column(name.removeprefix("nme_"), justify="right", no_wrap=True)
    for place, row in values.items():
        table.add_row(place, *(f"{100 * row[name]:.2f}" if name in row else "" for name in METRICS))
    return table


def _tell_dead_letters(outcome: Outcome, console: Console) -> None:
    """How many there are, the first few with their reasons, and where."""
    lines = [line for path in outcome.dead_letter_files() for line in path.read_text().splitlines()]
    if not lines:
        return
    console.print(f"Dead letters  {len(lines)}: what could not be used, and why", highlight=False)
    for line in lines[:5]:
        letter = json.loads(line)
        text = letter["message"] if letter["id"] in letter["message"] else f"{letter['id']}: {letter['message']}"
        console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)
    for folder in sorted({str(path.parent) for path in outcome.dead_letter_files()}):
        console.print(f"  {_short(folder)}", highlight=False, soft_wrap=True)


def _tell_photo_report(outcome: Outcome, console: Console) -> None:
    """Which shifts of the photographs are reported, and where the page lies."""
    if outcome.photo_report is None:
        return
    console.print(f"Photo report  {_short(outcome.photo_report)}/{PAGE}", highlight=False, soft_wrap=True)
    for shift in outcome.photo_shifts():
        if shift.reported:
            console.print(f"  {shift.kind} of {shift.sentence()}", highlight=False, soft_wrap=True)


def _short(path: str) -> str:
    """A path relative to the working folder where it lies below it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path
