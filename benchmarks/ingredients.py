"""`python -m benchmarks.ingredients`: what each ingredient of the preset `wild` is worth to the landmark network.

One short training for each ingredient that is left out, against the whole set under three seeds. Every step is kept in OUT: a run
that is stopped goes on. Photographs come as examples (`monoface photos`); the table goes to OUT/table.md and OUT/table.json.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

FRAMING: Final[dict[str, Any]] = {
    "image_size": 144,
    "views_per_identity": 2,
    "eval_fraction": 0.02,
    "camera": {"face_size": [0.44, 0.56], "face_offset": 0.06},
}
"""How faces fill the pictures that crops of the landmark network are cut from."""

_NO_OCCLUDERS: Final = {
    "hand": 0,
    "phone": 0,
    "microphone": 0,
    "cup": 0,
    "shape": 0,
    "mask": 0,
    "scarf": 0,
    "turtleneck": 0,
}
_PLAIN_CAMERA: Final = {
    **{f"{name}_fraction": 0.0 for name in ("blur", "motion", "defocus", "noise", "grey", "resample", "jpeg")},
    "gain_spread": 0.0,
    "contrast": [0.3, 0.3],
    "lift": [0.0, 0.0],
    "saturation": [1.0, 1.0],
}

VARIATIONS: Final[dict[str, dict[str, Any]]] = {
    "whole": {},
    "whole, seed 2": {"seed": 2},
    "whole, seed 3": {"seed": 3},
    "no hair, hats nor beards": {"wardrobe": {"hair": 0.0, "hat": 0.0, "beard": 0.0}},
    "no clothes": {"wardrobe": {"clothes": 0.0}},
    "no brows nor lashes": {"wardrobe": {"brows": 0.0, "lashes": 0.0}},
    "no occluders nor glasses": {"wardrobe": {"occluders": _NO_OCCLUDERS, "glasses": 0.0}},
    "white light from everywhere": {
        "light": {"environment": "ambient", "parallel_fraction": 0.0, "lamps": [0, 0], "shadow_fraction": 0.0}
    },
    "no camera faults": {"image_chain": _PLAIN_CAMERA},
    "one distance, 4 m": {"camera": {"distance": [4000, 4000]}},
    "black behind": {"surroundings": {"black": 1.0, "procedural": 0.0, "renders": 0.0}},
    "no expressions": {"expression": {"strength": 0.0, "strong_fraction": 0.0, "closed_fraction": 0.0}},
    "yaw within 30°, pitch and roll within 15°": {"pose": {"yaw": [-30, 30], "pitch": [-15, 15], "roll": [-15, 15]}},
    "sharper, lighter pictures": {
        "image_chain": {"blur_fraction": 0.25, "defocus_fraction": 0.05, "resample_fraction": 0.15},
        "light": {"skin_exposure": 0.55},
    },
    "crops never recoloured, blurred nor hidden": {},
}
"""Name → fields that differ from `wild`; the last differs in the training."""

_UNTOUCHED: Final = "crops never recoloured, blurred nor hidden"


@click.command(help=__doc__)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to fill.")
@click.option(
    "--backgrounds", required=True, type=click.Path(exists=True, file_okay=False), help="Folder of photographs."
)
@click.option("--photos", multiple=True, required=True, help="NAME=SET=PATTERN of examples to measure on, such as "
              "fixtures=basel='out/fixtures/examples/Split-*/*.gz'.")  # fmt: skip
@click.option("--count", default=6000, show_default=True, help="Pictures of each set.")
@click.option("--steps", default=600, show_default=True, help="Steps of each training.")
@click.option("--workers", default=2, show_default=True, help="Processes that render.")
@click.option("--only", multiple=True, type=click.Choice(list(VARIATIONS)), help="Variations to run.  [default: all]")
def main(
    out: Path,
    backgrounds: str,
    photos: tuple[str, ...],
    count: int,
    steps: int,
    workers: int,
    only: tuple[str, ...],
) -> None:
    figures = {}
    for name in only or VARIATIONS:
        folder = out / name.replace(" ", "_").replace(",", "")
        if not (folder / "figures.json").exists():
            weights = _train(name, folder, backgrounds, count, steps, workers)
            measured = {photo: _measure(weights, pattern, out, photo) for photo, pattern in _patterns(photos).items()}
            (folder / "figures.json").write_text(json.dumps(measured, indent=1))
        figures[name] = json.loads((folder / "figures.json").read_text())
        click.echo(
            f"{name}: " + ", ".join(f"{key} {_figure(value, photos, key):.2f}" for key, value in figures[name].items())
        )
    (out / "table.json").write_text(json.dumps(figures, indent=1))
    (out / "table.md").write_text(table(figures, photos))
    click.echo(table(figures, photos))


def table(figures: Mapping[str, Any], photos: tuple[str, ...]) -> str:
    """The figures as Markdown, with the difference to the mean of the whole set's seeds."""
    names = list(_patterns(photos))
    whole = [values for key, values in figures.items() if key.startswith("whole")]
    means = {name: sum(_figure(v[name], photos, name) for v in whole) / max(1, len(whole)) for name in names}
    lines = ["| set | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for key, values in figures.items():
        cells = [
            f"{_figure(values[n], photos, n):.2f} ({_figure(values[n], photos, n) - means[n]:+.2f})" for n in names
        ]
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _patterns(photos: tuple[str, ...]) -> dict[str, str]:
    return {item.split("=", 2)[0]: item.split("=", 2)[2] for item in photos}


def _figure(summary: Mapping[str, Any], photos: tuple[str, ...], name: str) -> float:
    """Balanced over the yaw bins where all three hold faces, else the mean of the images."""
    landmark_set = next(item.split("=", 2)[1] for item in photos if item.startswith(f"{name}="))
    values = summary[landmark_set]
    return float(values["image"] if values["balanced"] is None else values["balanced"])


def _train(name: str, folder: Path, backgrounds: str, count: int, steps: int, workers: int) -> Path:
    """Renders a variation and trains on it; the weights' path."""
    from components.synthetic_face_gen.config import SyntheticFaceConfig
    from components.synthetic_face_gen.dataset import EXAMPLES, write_dataset
    from trainer.configuration import overlaid
    from trainer.data import find_files
    from trainer.landmarks import canvases
    from trainer.landmarks.config import CropAugmentationConfig, LandmarkTrainingConfig
    from trainer.landmarks.train import train_landmarks
    from trainer.morphable.default import default_head

    base = {"preset": "wild", "count": count, "seed": 1, "background": backgrounds, **FRAMING}
    rendered = SyntheticFaceConfig.from_values(overlaid(base, VARIATIONS[name]))
    faces = folder if name != _UNTOUCHED else folder.parent / "whole"
    arguments = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"] if workers > 1 else []
    write_dataset(rendered, default_head(), faces / "faces", arguments)
    config = LandmarkTrainingConfig.preset(
        "small", steps=steps, seed=rendered.seed, mixed_precision="mixed_bfloat16", checkpoint_steps=200
    )
    if name == _UNTOUCHED:
        moves = ("flip", "rotation", "shift", "scale", "stretch")
        kept = {field: getattr(config.augmentation, field) for field in moves}
        config = dataclasses.replace(config, augmentation=dataclasses.replace(CropAugmentationConfig.none(), **kept))
    shards = find_files(str(faces / "faces" / EXAMPLES / "Split-train" / "*.gz"))
    return Path(train_landmarks(config, canvases.build(shards, config.canvas, faces / "canvases"), folder / "training"))


def _measure(weights: Path, pattern: str, out: Path, name: str) -> dict[str, Any]:
    from trainer.data import find_files
    from trainer.landmarks import canvases, evaluation, network

    model, config = network.load(weights)
    crops = canvases.build(find_files(pattern), evaluation.crop_config(config), out / f"crops_{name}")
    return evaluation.evaluate(model, crops).summary()


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.ingredients")
