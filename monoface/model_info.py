"""`monoface model info`: what a face model holds."""

from pathlib import Path

import click


@click.command("info")
@click.argument("path", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(path: Path | None) -> None:
    """Print what a face model holds. Without PATH: the default head."""
    from trainer.morphable.default import default_head
    from trainer.morphable.io import load

    try:
        model = default_head() if path is None else load(path)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for label, value in {
        "name": model.name,
        "licence": model.licence,
        "sha256": model.sha256,
        "vertices": model.vertex_count,
        "triangles": model.triangle_count,
        "identity modes": len(model.identity),
        "expression modes": len(model.expression),
        "albedo modes": len(model.albedo),
        "landmark sets": ", ".join(model.landmarks),
        "regions": ", ".join(model.regions),
        "expressions": ", ".join(model.expression_names),
        **{f"provenance: {key}": value for key, value in model.provenance.items()},
    }.items():
        click.echo(f"{label}: {value}")
