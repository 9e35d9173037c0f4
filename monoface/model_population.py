"""`monoface model population`: are the heads that a face model draws human?"""

import json
from pathlib import Path
from typing import Any

import click


@click.command("population")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--count", default=2000, show_default=True, type=click.IntRange(2, 100_000), help="Heads sampled.")
@click.option("--seed", type=click.IntRange(0), help="Other seeds draw other heads.")
@click.option(
    "--reference",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the Basel Face Model's 68 landmarks: u_base.txt, w_shp_base.txt, param_whitening.npz.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(path: Path | None, count: int, seed: int | None, reference: Path | None, as_json: bool) -> None:
    """Compare sampled heads with published human measurements. Without PATH: the default head.

    Lengths are those of anthropometric surveys, the mean of both sexes. With --reference the `basel` landmarks are compared
    too, after similarity alignment, with fits of the Basel Face Model to photographs, part by part.

    \b
    monoface model population
    monoface model population --reference bfm68
    """  # noqa: D301 (\b is how click is told to keep the lines)
    import dataclasses

    from trainer.morphable import population_report
    from trainer.morphable.default import default_head
    from trainer.morphable.readers.open_model import open_model

    seed = population_report.SEED if seed is None else seed
    try:
        model = default_head() if path is None else open_model(path)
        lengths = population_report.lengths(model, count, seed)
        comparison = population_report.compare(model, reference, count, seed) if reference else None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        described: dict[str, Any] = {"lengths": [dataclasses.asdict(row) for row in lengths]}
        if comparison:
            described["landmarks"] = dataclasses.asdict(comparison) | {"distances": comparison.distances.tolist()}
        click.echo(json.dumps(described, indent=2))
        return
    click.echo(f"{count} heads of {model.name}; mean (sd), mm; distance of the means in published sd")
    for row in lengths:
        click.echo(
            f"{row.name:24} {row.mean:6.1f} ({row.sd:4.1f})   people {row.published_mean:6.1f} ({row.published_sd:4.1f})"
            f"   {row.deviations:+.2f}   {row.source}"
        )
    if comparison:
        worst = int(comparison.distances.argmax())
        click.echo(
            f"basel landmarks: the means differ by {comparison.rms:.2f} mm rms, most at point {worst} by "
            f"{comparison.distances[worst]:.2f} mm"
        )
        for spread in comparison.spreads:
            click.echo(
                f"{spread.part:24} sd {spread.sd:.2f}   reference {spread.reference_sd:.2f}   ratio {spread.ratio:.2f}"
            )
