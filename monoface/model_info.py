"""`monoface model info`: what a face model holds."""

import json
from pathlib import Path

import click


@click.command("info")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--sha256", help="Refuse the model unless this is its hash, or the hash of its files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path | None, sha256: str | None, as_json: bool) -> None:
    """Print what a face model holds. Without PATH: the default head.

    The model's `sha256` names what was read; pin it in a configuration, and another model is refused. `files sha256` is the
    hash of the files it came from and may be pinned as well.

    \b
    monoface model info
    monoface model info 01_MorphableModel.mat
    monoface model info ICT-FaceKit --json
    """  # noqa: D301 (\b is how click is told to keep the lines)
    from trainer.morphable.default import DEFAULT_HEAD_PATH
    from trainer.morphable.description import describe
    from trainer.morphable.readers.open_model import open_model, source_digest

    path = DEFAULT_HEAD_PATH if path is None else path
    try:
        model = open_model(path, sha256=sha256)
        described = describe(model, source_digest(path))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(described, indent=2))
        return
    width = max(map(len, described))
    for label, value in described.items():
        click.echo(f"{label:{width}}  {value if isinstance(value, str) else json.dumps(value)}")
