"""The harness: what it times, what it prints and what it leaves in the file."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import harness


def measurement(name: str, value: float, bar: float | None = None, higher_is_better: bool = False):
    return harness.Measurement(name, "ms", lambda: value, bar, higher_is_better)


def run(measurements: list[harness.Measurement], path: Path) -> str:
    console = Console(file=io.StringIO(), width=120)
    harness.run(measurements, path, console)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("value", "higher_is_better", "met"),
    [(2.0, False, True), (3.1, False, False), (3.1, True, True), (2.0, True, False)],
)
def test_a_bar_is_kept_on_its_own_side(value: float, higher_is_better: bool, met: bool) -> None:
    assert measurement("x", value, 3.0, higher_is_better).met(value) is met


def test_without_a_bar_nothing_is_met_or_missed() -> None:
    assert measurement("x", 1.0).met(1.0) is None


def test_median_counts_the_repeats_after_the_warm_up() -> None:
    # Milliseconds 100 and 100 warm up; 1, 5 and 3 count.
    ticks = iter([0.0, 0.001, 1.0, 1.005, 2.0, 2.003])
    calls = []
    result = harness.median_milliseconds(lambda: calls.append(1), repeats=3, warm_up=2, clock=lambda: next(ticks))
    assert result == pytest.approx(3.0)
    assert len(calls) == 5


def test_file_holds_value_unit_bar_and_machine(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "benchmarks.json"
    table = run([measurement("fast_ms", 2.5, 3.0), measurement("slow_ms", 9.0, 3.0)], path)
    stored = json.loads(path.read_text())
    assert stored["fast_ms"] == {"value": 2.5, "unit": "ms", "bar": 3.0, "machine": harness.machine()}
    assert "2.50" in table
    assert "no" in next(line for line in table.splitlines() if "slow_ms" in line)
    assert [p.name for p in path.parent.iterdir()] == ["benchmarks.json"]


def test_names_that_were_not_measured_stay(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    run([measurement("one_ms", 1.0), measurement("two_ms", 2.0)], path)
    run([measurement("two_ms", 3.0)], path)
    assert {name: row["value"] for name, row in json.loads(path.read_text()).items()} == {"one_ms": 1.0, "two_ms": 3.0}


def test_a_failing_measurement_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    run([measurement("one_ms", 1.0)], path)

    def fail() -> float:
        raise RuntimeError("no such device")

    with pytest.raises(RuntimeError, match="no such device"):
        run([harness.Measurement("two_ms", "ms", fail)], path)
    assert set(json.loads(path.read_text())) == {"one_ms"}


def test_a_file_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"benchmarks\.json"):
        run([measurement("one_ms", 1.0)], path)
    assert path.read_text() == "[1]"
