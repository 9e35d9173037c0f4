"""Runs the pipeline on this machine, in one process, with its lineage in SQLite.

Used by `monoface run`, and as the file that TFX's own command line takes:

    tfx pipeline create --engine local --pipeline-path pipeline/local_runner.py
    tfx run create --engine local --pipeline-name monoface-tiny

There, the environment variable MONOFACE_CONFIG names a YAML or JSON file; without it, the preset `tiny` runs.
"""

import os
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from pipeline import progress
from pipeline.config import PipelineConfig

CONFIG_VARIABLE: Final = "MONOFACE_CONFIG"


class StepError(RuntimeError):
    """A step of the pipeline failed; the cause is chained."""


def run(config: PipelineConfig, console: Console, verbose: bool = False) -> bool:
    """Runs the pipeline, telling what happens, and reports what came of it.

    Call `progress.quieten` before, and before the configuration is read: that imports TensorFlow.

    Args:
        config: What to run on.
        console: Where to tell.
        verbose: Show the logs of TFX, Beam and TensorFlow.

    Returns:
        Whether a model was pushed. True also where TFX's command line only registers the pipeline.

    Raises:
        ValueError: If a component refuses its configuration; nothing has run then.
        StepError: If a step fails.
    """
    with console.status("Loading TFX"):
        # Here, not above: TensorFlow reads its log level when it is imported.
        from tfx.orchestration.local.local_dag_runner import LocalDagRunner
        from tfx.orchestration.metadata import sqlite_metadata_connection_config

        from pipeline import report
        from pipeline.create_pipeline import absolute, create_pipeline
    metadata_path = absolute(config.metadata_path)
    Path(metadata_path).parent.mkdir(parents=True, exist_ok=True)
    pipeline = create_pipeline(config, sqlite_metadata_connection_config(metadata_path))
    arguments, sys.argv = sys.argv, sys.argv[:1]  # Beam's executors parse it for options of their own.
    with progress.narrated(console, verbose) as narrator:
        try:
            LocalDagRunner().run(pipeline)
        except Exception as error:
            if narrator.running is None:
                raise
            raise StepError(f"{narrator.running} failed: {_innermost(error)}") from error
        finally:
            sys.argv = arguments
    if not narrator.steps:
        return True
    return report.tell(metadata_path, config, console)


def main() -> int:
    """Runs the configuration that the environment names; 0 if a model was pushed, else 1."""
    console = Console()
    path = os.environ.get(CONFIG_VARIABLE)
    progress.quieten()
    try:
        config = PipelineConfig.load(path) if path else PipelineConfig.preset("tiny")
        return 0 if run(config, console) else 1
    except (ValueError, StepError) as error:
        console.print(f"Error: {error}", style="red", markup=False, highlight=False)
        return 1


def _innermost(error: BaseException) -> str:
    """Message of the first cause, which TFX and Beam wrap several times."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
