"""What a person sees of a local run: which step runs, how long it took, and the logs only when asked for."""

import contextlib
import dataclasses
import logging
import os
import time
import warnings
from collections.abc import Iterator
from typing import Any, Final

import absl.logging
from rich.console import Console

STARTED: Final = "Component %s is running."
FINISHED: Final = "Component %s is finished."
"""What LocalDagRunner logs before and after a step; nothing else tells."""
CACHED: Final = "A cached execution %d is used."
"""What TFX logs instead of running a step whose inputs and parameters are those of an earlier run."""
PROJECT_LOGGERS: Final = ("components", "trainer")
"""Their messages at INFO are shown beside the running step's name."""
_EMPTY_LINE: Final = "\r\x1b[2K"


def quieten(verbose: bool = False) -> None:
    """Keeps the logs of TensorFlow, Beam and their like out of sight. Call it before TensorFlow is imported.

    Args:
        verbose: Leave them all on.
    """
    level = "0" if verbose else "3"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = level
    os.environ.setdefault("GLOG_minloglevel", "0" if verbose else "2")
    if verbose:
        logging.basicConfig(level=logging.INFO)
        return
    warnings.simplefilter("ignore")
    logging.getLogger().setLevel(logging.ERROR)
    for name in ("apache_beam", "tensorflow", "py.warnings"):
        logging.getLogger(name).setLevel(logging.ERROR)


@dataclasses.dataclass(frozen=True)
class StepTime:
    """How long one step took."""

    name: str
    seconds: float
    cached: bool
    """Whether an earlier run's result was taken."""


class Narrator(logging.Handler):
    """Tells on the console which step runs; it hears LocalDagRunner through its log.

    On a terminal the running step has a line that its own progress bar, or its result, takes over; elsewhere, such as in
    the log of a CI job, every message is a line.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console
        self.steps: list[StepTime] = []
        """Finished steps in their order; empty if the runner never started."""
        self.running: str | None = None
        """The step that runs, or that failed."""
        self._began = 0.0
        self._cached = False

    def emit(self, record: logging.LogRecord) -> None:
        """Takes the runner's messages and, as detail of the running step, the project's own."""
        if record.msg == STARTED and record.args:
            self._start(str(_first(record.args)))
        elif record.msg == FINISHED and record.args:
            self._finish()
        elif record.msg == CACHED:
            self._cached = True
        elif self.running is not None and record.name.partition(".")[0] in PROJECT_LOGGERS:
            self._detail(record.getMessage())

    def _start(self, name: str) -> None:
        self.running, self._began, self._cached = name, time.monotonic(), False
        if self.console.is_terminal:
            self._transient(name)

    def _detail(self, message: str) -> None:
        if self.console.is_terminal:
            self._transient(f"{self.running}: {message}")
        else:
            self.console.print(f"  {self.running}: {message}", highlight=False, markup=False, soft_wrap=True)

    def _finish(self) -> None:
        step = StepTime(str(self.running), time.monotonic() - self._began, self._cached)
        self.steps.append(step)
        self.running = None
        self.clear()
        note = "  [dim]unchanged, from an earlier run[/dim]" if step.cached else ""
        self.console.print(f"[green]✓[/green] {step.name:<28} {step.seconds:6.1f} s{note}", highlight=False)

    def clear(self) -> None:
        """Empties the running step's line."""
        if self.console.is_terminal:
            self.console.file.write(_EMPTY_LINE)
            self.console.file.flush()

    def _transient(self, text: str) -> None:
        """Writes a line and leaves the cursor at its start, so that whatever comes next takes its place."""
        room = max(self.console.width - 3, 1)
        self.console.file.write(f"{_EMPTY_LINE}… {text[:room]}\r")
        self.console.file.flush()


@contextlib.contextmanager
def narrated(console: Console, verbose: bool = False) -> Iterator[Narrator]:
    """Shows the steps of a LocalDagRunner that runs inside the block.

    Args:
        console: Where to.
        verbose: Let the runner's log through as well.
    """
    narrator = Narrator(console)
    listened = [logging.getLogger(name) for name in ("absl", *PROJECT_LOGGERS)]
    before = [(logger, logger.level, logger.propagate) for logger in listened]
    verbosity = absl.logging.get_verbosity()
    for logger in listened:
        logger.addHandler(narrator)
        logger.setLevel(logging.INFO)
        logger.propagate = verbose
    absl.logging.set_verbosity(absl.logging.INFO)  # Saving a SavedModel resets absl's logger to what this says.
    try:
        yield narrator
    finally:
        narrator.clear()
        absl.logging.set_verbosity(verbosity)
        for logger, level, propagate in before:
            logger.removeHandler(narrator)
            logger.setLevel(level)
            logger.propagate = propagate


def _first(arguments: Any) -> Any:
    return next(iter(arguments.values())) if isinstance(arguments, dict) else arguments[0]
