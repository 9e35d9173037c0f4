"""How far a long run is: a bar on a terminal, a line now and then in a log."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator

from apache_beam.io.filesystems import FileSystems
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LOG_LINES = 10
"""Lines in the log of a whole run."""

_INTERVAL = 1.0
"""Seconds between two looks."""

_LOGGER = logging.getLogger(__name__)


@contextlib.contextmanager
def watch_shards(directory: str, total: int, label: str) -> Iterator[None]:
    """Reports, while the block runs, how many shards are finished.

    Looks at the files, because the workers may be threads, processes or machines.

    Args:
        directory: Where the shards appear.
        total: How many there will be.
        label: What is being made, such as `Rendering faces`.
    """
    ended = threading.Event()
    target = _show_bar if sys.stderr.isatty() else _write_log
    watcher = threading.Thread(target=target, args=(directory, total, label, ended), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _finished(directory: str) -> int:
    pattern = FileSystems.join(directory, "Split-*", "data-*-of-*.gz")
    return len(FileSystems.match([pattern])[0].metadata_list)


def _show_bar(directory: str, total: int, label: str, ended: threading.Event) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("shards"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        while not ended.wait(_INTERVAL):
            bar.update(task, completed=_finished(directory))
        bar.update(task, completed=_finished(directory))


def _write_log(directory: str, total: int, label: str, ended: threading.Event) -> None:
    step, reported = max(1, total // LOG_LINES), 0
    while True:
        last = ended.wait(_INTERVAL)
        finished = _finished(directory)
        if finished >= reported + step or (last and finished > reported):
            _LOGGER.info("%s: %d of %d shards", label, finished, total)
            reported = finished
        if last:
            return
