"""Runs named measurements, prints them as a table and writes them as JSON."""

import dataclasses
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Something to measure, and the value it is held to."""

    name: str
    """Key in the JSON file."""
    unit: str
    measure: Callable[[], float]
    bar: float | None = None
    """Bound that the value must keep, in its unit; None where it is only stated."""
    higher_is_better: bool = False

    def met(self, value: float) -> bool | None:
        """Whether a value keeps the bar; None where there is none."""
        if self.bar is None:
            return None
        return value >= self.bar if self.higher_is_better else value <= self.bar


def median_milliseconds(
    function: Callable[[], object], repeats: int, warm_up: int = 2, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median time of a call, after a few that do not count (compilation, caches).

    Args:
        function: What to time.
        repeats: Calls that count.
        warm_up: Calls before them.
        clock: Wall time; `time.process_time` for what runs on one thread: on an idle machine the same, and whatever else a
            machine does, not much more.
    """
    for _ in range(warm_up):
        function()
    times = []
    for _ in range(repeats):
        start = clock()
        function()
        times.append(1000 * (clock() - start))
    return statistics.median(times)


def machine() -> str:
    """The processor, its cores, and the system, in words."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def run(
    measurements: Iterable[Measurement], path: Path, console: Console | None = None
) -> dict[str, dict[str, object]]:
    """Runs measurements one after the other.

    Args:
        measurements: What to measure.
        path: JSON file, replaced as a whole: name to value, unit, bar, machine. Earlier values of names that were not measured
            this time stay.
        console: Where the table goes; standard output by default.

    Returns:
        What this run measured.

    Raises:
        ValueError: If the file holds something else than an earlier result.
    """
    console = console or Console()
    earlier = json.loads(path.read_text()) if path.is_file() else {}
    if not isinstance(earlier, dict):
        raise ValueError(f"{path} must hold a JSON object of earlier results. Received: {type(earlier).__name__}")
    table = Table("name", "value", "unit", "bar", "met", title="Benchmarks")
    for column in (1, 3):
        table.columns[column].justify = "right"
    results: dict[str, dict[str, object]] = {}
    description = machine()
    for measurement in measurements:
        with console.status(measurement.name):
            value = measurement.measure()
        results[measurement.name] = {
            "value": value,
            "unit": measurement.unit,
            "bar": measurement.bar,
            "machine": description,
        }
        bar = "" if measurement.bar is None else f"{'≥' if measurement.higher_is_better else '≤'} {measurement.bar:g}"
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}[measurement.met(value)]
        table.add_row(measurement.name, f"{value:.2f}", measurement.unit, bar, met)
    console.print(table)
    _replace(path, json.dumps({**earlier, **results}, indent=2, sort_keys=True) + "\n")
    return results


def _replace(path: Path, text: str) -> None:
    """Writes a file so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
