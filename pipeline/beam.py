"""How Beam runs where the user says nothing: in the process of the pipeline, with nothing started, packed or downloaded."""

from collections.abc import Sequence
from typing import Any, Final

IN_PROCESS: Final = (
    "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    "--sdk_container_image=in-process",
)
"""Beam's plain `DirectRunner` tries Prism first, which it would download. And TFX packs its whole source for Beam's workers at
every step unless the options name where workers get it from; in the same process the image's name has no effect."""


def arguments(given: Sequence[str]) -> list[Any]:
    """Options for Beam: what the user gave, untouched; `IN_PROCESS` where no runner was chosen.

    Args:
        given: The user's options; they come last, so that they win over the defaults.

    Returns:
        Texts; the type leaves room for TFX's placeholders, which its own signatures ask for.
    """
    chosen = any(argument == "--runner" or argument.startswith("--runner=") for argument in given)
    return list(given) if chosen else [*IN_PROCESS, *given]
