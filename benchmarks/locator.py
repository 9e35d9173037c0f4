"""`python -m benchmarks.locator`: how often the face locator finds a face that is there, and one that is not.

Needs the development data (`MONOFACE_DATA`): 28 AFLW2000-3D photos, 200 crops of `p1` pasted into photographs that no training
saw, the `london_faces` with landmarks, and the photographs of `backgrounds`, which show no faces.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

import click
import numpy as np

OVERLAP: Final = 0.5
LEAST_FOUND, MOST_FALSE = 98.0, 2.0
"""Bars, per cent."""

LONDON_FACE: Final = (*range(71, 87), *range(109, 115), *range(125, 134))
"""Brows, the face's sides at the ears, and the jaw among the 189 points of `london_faces`: what bounds the 68 points."""

FRAME = 450
"""Side of the pictures that crops are pasted into, pixels, as wide as the AFLW2000-3D photos."""


class Faces(NamedTuple):
    """Photos with one face each."""

    pictures: list[np.ndarray]
    boxes: np.ndarray
    """`[N, 4]` tight boxes of the 68 landmarks, pixels."""


def fixtures(data: Path) -> Faces:
    """The AFLW2000-3D photos."""
    import scipy.io

    paths = sorted((data / "aflw2000_fixtures").glob("*.jpg"))
    points = [scipy.io.loadmat(path.with_suffix(".mat"))["pt3d_68"][:2].T for path in paths]
    return Faces([_read(path) for path in paths], np.stack([_box(own) for own in points]))


def pasted(data: Path, count: int = 200, seed: int = 0) -> Faces:
    """Crops of `p1`, 80 to 320 pixels wide, anywhere in a held-out photograph."""
    from PIL import Image

    behind, crops = [_read(path) for path in backgrounds(data)[1]], {path.name: path for path in data.glob("p1/**/*.*")}
    labels, rng = np.load(data / "p1" / "labels.npz", allow_pickle=True), np.random.default_rng(seed)
    pictures, boxes = [], []
    for number, index in enumerate(np.linspace(0, len(labels["names"]) - 1, count).astype(int)):
        crop = _read(crops[Path(str(labels["names"][index])).name])
        side = int(np.exp(rng.uniform(np.log(80), np.log(320))))
        frame = Image.fromarray(behind[number % len(behind)]).resize((FRAME, FRAME), Image.Resampling.BICUBIC)
        x, y = (int(place) for place in rng.integers(0, FRAME - side + 1, 2))
        frame.paste(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC), (x, y))
        pictures.append(np.asarray(frame))
        boxes.append(_box(labels["pts68_crop"][index] * side / crop.shape[0] + (x, y)))
    return Faces(pictures, np.stack(boxes))


def london(data: Path) -> Faces:
    """Studio photographs with 189 points each."""
    folder = data / "london_faces"
    points = np.load(folder / "landmarks.npz")
    names = [name for name in points.files if len(points[name]) == 189 and (folder / name).exists()]
    boxes = [_box(points[name][list(LONDON_FACE)]) for name in names]
    return Faces([_read(folder / name) for name in names], np.stack(boxes))


def backgrounds(data: Path) -> tuple[list[Path], list[Path]]:
    """Photographs without faces: all, and those among them that no training sees."""
    from components.synthetic_face_gen.cutouts import held_out

    paths = sorted((data / "backgrounds").glob("*.jpg"))
    return paths, held_out(paths)


def _read(path: Path) -> np.ndarray:
    from trainer.imaging.codecs import decode_photo

    return decode_photo(path).image


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


@click.command(help=__doc__)
@click.option("--weights", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="[default: the released]")
@click.option(
    "--landmarks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights of the landmark network that confirms faces.  [default: the released]",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/locator"), help="Folder for picture sheets.")
def main(weights: Path | None, landmarks: Path | None, out: Path) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from PIL import Image

    from trainer.landmarks import locator, network, released
    from trainer.landmarks.finder import THRESHOLD, FaceNetworks
    from trainer.landmarks.locator_evaluation import confirmed, located, overlaps, picture_sheet

    data = Path(os.environ.get("MONOFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    finds, (confirms, config) = (
        locator.load(weights or released.LOCATOR_PATH)[0],
        network.load(landmarks or released.PATH),
    )
    networks = FaceNetworks(confirms, finds)
    out.mkdir(parents=True, exist_ok=True)
    for name, load in (("fixtures", fixtures), ("p1", pasted), ("london", london)):
        faces = load(data)
        found = located(finds, faces.pictures)
        matched = overlaps(found.box, faces.boxes)
        likely = (matched > OVERLAP) & (found.score >= THRESHOLD)
        shown = [
            (overlaps(boxes, np.tile(truth, (len(boxes), 1))) > OVERLAP).any()
            for boxes, truth in zip(confirmed(networks, faces.pictures, config.margin), faces.boxes, strict=True)
        ]
        click.echo(
            f"{name:12} {len(matched):4} photos: the locator's first box overlaps the face's by over {OVERLAP} on "
            f"{100 * (matched > OVERLAP).mean():.1f} % (bar {LEAST_FOUND:g}), {100 * likely.mean():.1f} % with a score over "
            f"{THRESHOLD}, mean {matched.mean():.3f}; among the faces confirmed by the landmark network on "
            f"{100 * np.mean(shown):.1f} %"
        )
        worst = np.argsort(matched)[:32].tolist()
        Image.fromarray(picture_sheet(faces.pictures, found, faces.boxes, worst)).save(out / f"{name}.png")
    paths, held = backgrounds(data)
    pictures = [_read(path) for path in paths]
    found = located(finds, pictures)
    unseen = np.array([path in set(held) for path in paths])
    false = np.array([len(boxes) > 0 for boxes in confirmed(networks, pictures, config.margin)])
    for name, chosen in (("backgrounds", np.full(len(paths), True)), ("unseen", unseen)):
        shares = ", ".join(
            f"{100 * (found.score[chosen] >= limit).mean():.1f} % over {limit}" for limit in (THRESHOLD, 0.5)
        )
        click.echo(
            f"{name:12} {chosen.sum():4} photos: a confirmed face on {100 * false[chosen].mean():.1f} % (bar {MOST_FALSE:g}); "
            f"the locator's scores alone: {shares}"
        )
    likeliest = np.argsort(-found.score)[:32].tolist()
    Image.fromarray(picture_sheet(pictures, found, None, likeliest)).save(out / "backgrounds.png")


if __name__ == "__main__":
    main()
