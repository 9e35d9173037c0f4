"""The report on photos: what is measured, what is reported and what is not, and what a page says."""

import html.parser
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components import records
from components.artifacts import PhotoReportPage
from components.photo_report import page, report, shifts, traits
from components.photo_report.component import PhotoReport
from components.photo_report.config import PhotoReportConfig
from components.photo_report.executor import Executor
from components.records import Shard
from trainer import configuration, contract, examples
from trainer.imaging import codecs

CONFIG = PhotoReportConfig()
BOX = [180.0, 75.0, 270.0, 180.0]


def faces(seed: int, count: int = 400, **changes: float) -> traits.Table:
    """Traits of made-up faces; a change is added to the trait's mean."""
    rng = np.random.default_rng(seed)
    means = {"yaw": 0, "pitch": 0, "roll": 0, "face size": 80, "sharpness": 4, "exposure": 5, "contrast": 3}
    table = {name: rng.normal(mean + changes.get(name, 0), 1, count) for name, mean in means.items()}
    return {**table, "confidence": np.full(count, np.nan)}


def example(index: int, **more: Any) -> bytes:
    yaw = float(index)
    return examples.encode({contract.IMAGE_ID: str(index), contract.POSE_EULER: [yaw, 1, 2], **more})


def test_same_faces_are_near_and_a_shift_is_found_where_it_is() -> None:
    found = shifts.find_shifts(faces(1), faces(2), faces(3, yaw=3.0, exposure=-2.5), CONFIG)
    drift = {shift.trait: shift for shift in found if shift.kind == shifts.DRIFT}
    skew = {shift.trait: shift for shift in found if shift.kind == shifts.SKEW}
    assert set(drift) == {trait.name for trait in traits.TRAITS} - {"confidence"}
    assert not any(shift.reported for shift in drift.values())
    assert max(shift.distance for shift in drift.values()) < 0.06
    assert {name for name, shift in skew.items() if shift.reported} == {"yaw", "exposure"}
    assert skew["yaw"].distance > skew["exposure"].distance > 0.3
    assert "yaw" in skew["yaw"].sentence()
    assert "from the renders, more than the 0.3 allowed" in skew["yaw"].sentence()


def test_without_others_nothing_is_compared() -> None:
    assert shifts.find_shifts(faces(1), None, None, CONFIG) == []


def test_few_faces_are_no_evidence() -> None:
    found = shifts.find_shifts(faces(1, 400), faces(2, 20, yaw=5.0), None, CONFIG)
    assert next(shift for shift in found if shift.trait == "yaw").distance > 0.5
    assert not any(shift.reported for shift in found)


def test_quality_is_measured_on_renders_and_read_from_photos() -> None:
    image = skimage.data.astronaut()
    bare = {contract.IMAGE_ENCODED: codecs.encode_png(image), contract.FACE_BOX: BOX, contract.POSE_EULER: [1, 2, 3]}
    measured = traits.traits_of(examples.decode(examples.encode(bare)))
    assert measured["face size"] == pytest.approx(np.sqrt(90 * 105))
    assert 0.5 < measured["exposure"] < 0.8
    assert (measured["yaw"], measured["pitch"], measured["roll"]) == (1, 2, 3)
    assert np.isnan(measured["confidence"])
    said = {
        contract.QUALITY_SHARPNESS: 0.5,
        contract.QUALITY_FACE_SIZE: 7.0,
        contract.QUALITY_EXPOSURE: 0.25,
        contract.QUALITY_CONTRAST: 0.125,
        contract.LANDMARKS_CONFIDENCE: 0.75,
    }
    read = traits.traits_of(examples.decode(examples.encode({**bare, **said})))
    names = ("sharpness", "face size", "exposure", "contrast", "confidence")
    assert [read[name] for name in names] == [0.5, 7.0, 0.25, 0.125, 0.75]


def test_faces_without_a_pose_or_a_picture_are_not_lost() -> None:
    read = traits.traits_of(examples.decode(examples.encode({contract.IMAGE_ID: "a"})))
    assert all(np.isnan(value) for value in read.values())
    broken = {contract.IMAGE_ENCODED: b"words", contract.FACE_BOX: BOX}
    assert np.isnan(traits.traits_of(examples.decode(examples.encode(broken)))["sharpness"])


def test_a_sample_is_spread_over_files_and_short_ones_are_made_up_for(tmp_path: Path) -> None:
    records.write_shard(str(tmp_path), Shard("train", 0, 3), map(example, range(2)))
    records.write_shard(str(tmp_path), Shard("train", 1, 3), map(example, range(10, 50)))
    records.write_shard(str(tmp_path), Shard("train", 2, 3), map(example, range(50, 90)))
    table = traits.read_traits([str(tmp_path / "Split-train")], 30)
    assert traits.count(table) == 30
    assert [int((table["yaw"] // 50 == part).sum()) for part in (0, 1)] == [16, 14]
    with pytest.raises(FileNotFoundError, match="There are no examples in"):
        traits.read_traits([str(tmp_path / "nothing")], 30)


class _Cells(html.parser.HTMLParser):
    """Texts of a table's cells, row by row, and which are marked."""

    def __init__(self, text: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.marked: list[str] = []
        self._far = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._far = ("class", "far") in attrs
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
            if self._far:
                self.marked.append(self.rows[-1][0])


def test_the_page_says_what_was_found() -> None:
    tables = {"photos": faces(1), "photos before": faces(2), "renders": faces(3, yaw=4.0)}
    text = page.page(tables, shifts.find_shifts(*tables.values(), CONFIG))
    cells = _Cells(text[text.index("<table>") : text.index("</table>")])
    assert cells.rows[0] == ["", "photos", "photos before", "renders", "drift", "skew", "beyond renders"]
    assert [row[0] for row in cells.rows[1:]] == [trait.name for trait in traits.TRAITS]
    assert cells.marked == ["yaw"]
    (size,) = (row for row in cells.rows if row[0] == "face size")
    assert size[1].startswith("80px [79 … 81]")
    (yaw,) = (row for row in cells.rows if row[0] == "yaw")
    assert float(yaw[-1].rstrip("%")) > 90
    assert "<script" not in text
    assert "http" not in text.replace("data:image", "")


def test_histograms_are_a_picture_of_every_trait_also_of_one_face() -> None:
    import io

    with Image.open(io.BytesIO(page.histograms({"photos": faces(1, 1)}))) as picture:
        assert picture.size[0] > picture.size[1] > 300


def write(folder: Path, yaw: float) -> list[str]:
    rng = np.random.default_rng(0)
    quality = {contract.QUALITY_FACE_SIZE: 80.0, contract.QUALITY_EXPOSURE: 0.5, contract.QUALITY_CONTRAST: 0.1}
    serialized = [
        example(0, **{**quality, contract.QUALITY_SHARPNESS: 0.2, contract.POSE_EULER: [yaw + value, 0, 0]})
        for value in rng.normal(0, 5, 80)
    ]
    records.write_shard(str(folder), Shard("train", 0, 1), serialized)
    records.write_shard(str(folder), Shard("eval", 0, 1), [])
    return [str(folder / f"Split-{split}") for split in ("train", "eval")]


def test_spans_are_compared_with_the_one_before_and_a_repeated_run_says_the_same(tmp_path: Path) -> None:
    january, february = write(tmp_path / "january", 0.0), write(tmp_path / "february", 30.0)
    found = []
    for index, (source, splits) in enumerate([("1", january), ("2", february), ("2", february)]):
        earlier = report.read_spans(str(tmp_path / f"report{index - 1}")) if index else None
        uri = str(tmp_path / f"report{index}")
        found.append(report.write_report(uri, source, splits, None, earlier, CONFIG))
        assert report.read_shifts(uri) == found[-1]
    assert found[0] == []
    assert [shift.trait for shift in found[1] if shift.reported] == ["yaw"]
    assert found[2] == found[1]


@pytest.mark.parametrize("damage", [None, b"", b"words", 300])
def test_a_report_before_that_is_gone_or_damaged_costs_the_drift_alone(
    tmp_path: Path, damage: bytes | int | None, caplog: pytest.LogCaptureFixture
) -> None:
    uri = str(tmp_path / "report")
    report.write_report(uri, "1", write(tmp_path / "photos", 0.0), None, None, CONFIG)
    path = tmp_path / "report" / "traits.npz"
    content = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage if isinstance(damage, bytes) else content[:damage])
    assert report.read_spans(uri) is None
    assert "no drift is told" in caplog.text


def test_component_and_executor(tmp_path: Path) -> None:
    artifacts = {}
    for name, yaw in (("photos", 30.0), ("renders", 0.0)):
        write(tmp_path / name, yaw)
        artifacts[name] = standard_artifacts.Examples()
        artifacts[name].uri = str(tmp_path / name)
        artifacts[name].split_names = artifact_utils.encode_split_names(["train", "eval"])
    channels = {name: channel_utils.as_channel([artifact]) for name, artifact in artifacts.items()}
    component = PhotoReport(**channels, config=json.dumps({"skew_threshold": 0.5}))
    assert component.outputs["report"].type is PhotoReportPage
    out = PhotoReportPage()
    out.uri = str(tmp_path / "report")
    inputs = {name: [artifact] for name, artifact in artifacts.items()}
    Executor().Do({**inputs, "previous": []}, {"report": [out]}, dict(component.exec_properties))
    assert (tmp_path / "report" / "report.html").read_text().startswith("<!doctype html>")
    (yaw,) = (shift for shift in report.read_shifts(out.uri) if shift.trait == "yaw")
    assert (yaw.kind, yaw.threshold, yaw.reported) == ("skew", 0.5, True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sample": 0}, "`sample` must be positive. Received: sample=0"),
        ({"least_faces": -1}, "`least_faces` must be positive"),
        ({"drift_threshold": 0}, r"`drift_threshold` must be in \(0, 1\]. Received: drift_threshold=0"),
        ({"skew_threshold": 1.5}, r"`skew_threshold` must be in \(0, 1\]"),
        ({"skew_treshold": 0.5}, r"Did you mean `skew_threshold`\?"),
    ],
)
def test_mistakes_in_the_configuration_are_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configuration.from_mapping(PhotoReportConfig, values)
