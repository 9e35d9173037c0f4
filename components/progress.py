"""How far a long run is: a bar on a terminal, a line now and then in a log."""

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator

from apache_beam.io.filesystem import BeamIOError
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
    watch = _Watch(directory, total, label)
    watcher = threading.Thread(target=watch.show_bar if sys.stderr.isatty() else watch.write_log, daemon=True)
    watcher.start()
    try:
        yield
        watch.succeeded = True
    finally:
        watch.ended.set()
        watcher.join()


class _Watch:
    """Looks at the files until the work has ended; they are moved away when the last is there."""

    def __init__(self, directory: str, total: int, label: str):
        self._pattern = FileSystems.join(directory, "Split-*", "data-*-of-*.gz")
        self._total, self._label = total, label
        self.ended, self.succeeded = threading.Event(), False

    def show_bar(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("shards"))
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            task = bar.add_task(self._label, total=self._total)
            for finished in self._counts():
                bar.update(task, completed=finished)

    def write_log(self) -> None:
        step, reported = max(1, self._total // LOG_LINES), 0
        for finished in self._counts():
            if finished >= reported + step or finished == self._total > reported:
                _LOGGER.info("%s: %d of %d shards", self._label, finished, self._total)
                reported = finished

    def _counts(self) -> Iterator[int]:
        finished = 0
        while not self.ended.wait(_INTERVAL):
            with contextlib.suppress(BeamIOError):  # the next look may succeed; the work goes on either way
                finished = max(finished, len(FileSystems.match([self._pattern])[0].metadata_list))
            yield finished
        yield self._total if self.succeeded else finished
