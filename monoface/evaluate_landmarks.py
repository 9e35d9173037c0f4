"""`monoface evaluate landmarks`: the landmark network on faces with known landmarks."""

import pathlib

import click


@click.command("landmarks")
@click.option(
    "--examples",
    "patterns",
    multiple=True,
    required=True,
    help="Pattern of GZIP TFRecord files with landmarks, as `monoface photos` and `monoface render` write them; may be given "
    "several times.",
)
@click.option(
    "--out",
    "directory",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    required=True,
    help="Folder to fill.",
)
@click.option(
    "--network",
    "weights",
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="Weights that `monoface train landmarks` wrote.  [default: the released ones]",
)
@click.option(
    "--set",
    "landmark_set",
    type=click.Choice(["basel", "outline", "nearer"]),
    default="nearer",
    show_default=True,
    help="Which of the network's answers the pictures show; figures are of both.",
)
@click.option("--flip", is_flag=True, help="Average with the mirrored face, at twice the time.")
def command(
    patterns: tuple[str, ...],
    directory: pathlib.Path,
    weights: pathlib.Path | None,
    landmark_set: str,
    flip: bool,
) -> None:
    """Measure the landmark network on crops around the given boxes.

    OUT/report.json holds the mean error (% of √(w·h) of the true box) over faces, by yaw, by part of the face, and without each
    point's bias, for both landmark sets; best.png, median.png and worst.png show faces, residuals.png what each point is off
    by, reliability.png whether the network knows when it is wrong.

    \b
    Example:
      monoface manifest aflw2000 FOLDER --out out/fixtures.jsonl
      monoface photos out/fixtures.jsonl --out out/fixtures
      monoface evaluate landmarks --examples 'out/fixtures/examples/Split-*/*.gz' --out out/fixtures_report --flip
    """  # noqa: D301 (\b is how click is told to keep the lines)
    import json
    import tempfile

    from trainer import contract
    from trainer.data import find_files
    from trainer.landmarks import canvases, evaluation, evaluation_pictures, network, released
    from trainer.landmarks.flip import flip_averaged

    try:
        model, config = network.load(weights or released.PATH)
        files = list(dict.fromkeys(file for pattern in patterns for file in find_files(pattern)))
        with tempfile.TemporaryDirectory() as folder:
            faces = canvases.build(files, evaluation.crop_config(config), pathlib.Path(folder) / "crops")
            result = evaluation.evaluate(flip_averaged(model) if flip else model, faces)
            summary = result.summary()
            if summary[contract.LANDMARK_SETS[0]]["image"] is None:
                raise ValueError("A face has too few known points for a box of its own, so its error has no unit.")
            if landmark_set == "nearer":
                landmark_set = min(contract.LANDMARK_SETS, key=lambda name: summary[name]["image"])
            evaluation_pictures.write_report(result, landmark_set, directory)
        (directory / "report.json").write_text(json.dumps(summary, indent=1))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{summary['faces']} faces, boxes given{', flip-averaged' if flip else ''}; % of √(w·h) of the true box")
    for name in contract.LANDMARK_SETS:
        figures = summary[name]
        bins = ", ".join(f"{key}°: {value:.2f}" for key, value in figures["bins"].items())
        balanced = "" if figures["balanced"] is None else f", balanced {figures['balanced']:.2f}"
        click.echo(f"  {name:8} mean {figures['image']:.2f}, median {figures['median']:.2f}{balanced} ({bins})")
    click.echo(f"Pictures of {landmark_set}: {directory}")
