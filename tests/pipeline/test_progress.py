import io
import logging

import absl.logging
import pytest
from rich.console import Console

from pipeline import progress


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def step(name: str, cached: bool = False) -> None:
    """What LocalDagRunner and its launcher log around a step."""
    absl.logging.info(progress.STARTED, name)
    if cached:
        absl.logging.info(progress.CACHED, 7)
    absl.logging.info(progress.FINISHED, name)


def test_steps_are_told_with_their_time_and_whether_they_ran(lines: io.StringIO) -> None:
    with progress.narrated(Console(file=lines, width=100)) as narrator:
        step("Renderer")
        step("Trainer", cached=True)
        absl.logging.info("Something else of TFX")
        absl.logging.info(progress.STARTED, "Evaluator")
    told = lines.getvalue().splitlines()
    assert [line.split()[1] for line in told] == ["Renderer", "Trainer"]
    assert ["unchanged" in line for line in told] == [False, True]
    assert [(done.name, done.cached) for done in narrator.steps] == [("Renderer", False), ("Trainer", True)]
    assert narrator.running == "Evaluator", "the step that did not finish"


def test_it_still_hears_after_a_model_was_saved(lines: io.StringIO) -> None:
    """TensorFlow silences absl's log while it traces a model, and then sets what absl says it was."""
    with progress.narrated(Console(file=lines, width=100)) as narrator:
        verbosity = absl.logging.get_verbosity()
        absl.logging.set_verbosity(absl.logging.FATAL)
        absl.logging.set_verbosity(verbosity)
        step("Evaluator")
    assert [done.name for done in narrator.steps] == ["Evaluator"]


def test_messages_of_the_project_s_own_code_are_details_of_the_step(lines: io.StringIO) -> None:
    with progress.narrated(Console(file=lines, width=100)):
        logging.getLogger("components.synthetic_face_gen").info("before any step")
        absl.logging.info(progress.STARTED, "Renderer")
        logging.getLogger("components.synthetic_face_gen").info("%d of %d shards", 3, 9)
    assert lines.getvalue().splitlines() == ["  Renderer: 3 of 9 shards"]


def test_terminal_line_is_overwritten(lines: io.StringIO) -> None:
    with progress.narrated(Console(file=lines, width=100, force_terminal=True)):
        step("Renderer")
    before, after = lines.getvalue().split("✓", 1)
    assert before.startswith("\r\x1b[2K… Renderer\r")
    assert "\n" not in before
    assert "Renderer" in after


def test_loggers_are_left_as_they_were(lines: io.StringIO) -> None:
    logger = logging.getLogger("trainer")
    before = (logger.level, logger.propagate, list(logger.handlers), absl.logging.get_verbosity())
    with progress.narrated(Console(file=lines)):
        pass
    assert (logger.level, logger.propagate, list(logger.handlers), absl.logging.get_verbosity()) == before
