"""One row of a manifest: from text to values, and from values to labels, every type and count checked."""

import csv
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from components.photo_example_gen.labels import LabelError, Labels
from trainer import contract

PATH: Final = "path"
TEXTS: Final = (PATH, "identity", "moment", "split", "landmark_set")
LISTS: Final = ("box", "landmarks", "landmark_map", "visible", "pose")
FIELDS: Final = (*TEXTS, *LISTS)
NOTE: Final = "_"
"""How names of fields begin that are the user's own and are passed over."""

NO_POINT: Final = "-"
"""In CSV, what takes the place of a number that there is not; JSON has null."""

MAX_TEXT: Final = 4096
MAX_NUMBERS: Final = 20_000
DEFAULT_SET: Final = "outline"

_SEPARATORS: Final = re.compile(r"[\s,;]+")


def values_of(content: bytes, columns: tuple[str, ...] | None) -> dict[str, Any]:
    """Values of a line, by field; what is empty or null is left out.

    Args:
        content: The line.
        columns: Of a CSV; None for JSON.

    Raises:
        LabelError: If it is no UTF-8, no such row, or has a field that is not known.
    """
    try:
        text = content.decode("utf-8").removeprefix("\ufeff").strip("\r\n")
    except UnicodeDecodeError as error:
        raise LabelError("not_text", "A row must be UTF-8 text.") from error
    values = _json_values(text) if columns is None else _csv_values(text, columns)
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _json_values(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabelError("bad_row", f"A row must be a JSON object: {str(error)[:80]}") from error
    if not isinstance(values, dict):
        raise LabelError("bad_row", f"A row must be a JSON object. Received: {text[:40]!r}")
    for name in values:
        if name not in FIELDS and not name.startswith(NOTE):
            raise LabelError("unknown_field", f"There is no field `{name[:40]}`. Known: {', '.join(FIELDS)}.")
    return values


def _csv_values(text: str, columns: tuple[str, ...]) -> dict[str, Any]:
    try:
        cells = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise LabelError("bad_row", f"A row must be CSV on one line: {str(error)[:80]}") from error
    if len(cells) != len(columns):
        raise LabelError("bad_row", f"A row must have {len(columns)} cells, as the header has. Received: {len(cells)}")
    return dict(zip(columns, cells, strict=True))


def text_of(values: Mapping[str, Any], name: str) -> str | None:
    """A field of text, where there is one; whole numbers are taken for text.

    Raises:
        LabelError: If it is of another type, or too long.
    """
    value = values.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = repr(value) if abs(value) < 10**18 else ""
    if value is None:
        return None
    if not isinstance(value, str):
        raise LabelError("wrong_type", f"`{name}` must be text. Received: {type(value).__name__}")
    if not 1 <= len(value) <= MAX_TEXT:
        raise LabelError("wrong_type", f"`{name}` must have 1 to {MAX_TEXT} characters. Received: {len(value)}")
    return value


def path_of(values: Mapping[str, Any]) -> str:
    """The photo's path.

    Raises:
        LabelError: If there is none, or it is none that a file can have.
    """
    if PATH not in values:
        raise LabelError("no_path", f"A row must have a `{PATH}`.")
    path = values[PATH]
    if not isinstance(path, str):
        raise LabelError("wrong_type", f"`{PATH}` must be text. Received: {type(path).__name__}")
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise LabelError("bad_path", f"`{PATH}` must be Unicode text.") from error
    if "\0" in path or len(path) > MAX_TEXT:
        raise LabelError("bad_path", f"`{PATH}` must have {MAX_TEXT} characters at most, none of them zero.")
    return path


def labels_of(values: Mapping[str, Any], shift: float) -> Labels | None:
    """Labels of a row; None where it has none.

    Args:
        values: Of `values_of`.
        shift: Added to coordinates so that the centre of the first pixel is (0.5, 0.5).

    Raises:
        LabelError: If a field has another type or count than it must have.
    """
    points, visible = _landmarks(values, shift)
    box = _numbers(values, "box", "bad_box", 4)
    if box is not None:
        box = _finite("box", box) + shift
    pose = _numbers(values, "pose", "bad_pose", 3)
    if pose is not None and math.isnan(pose[0]):
        raise LabelError("bad_pose", "`pose` must be yaw, pitch and roll; pitch and roll may be null.")
    if points is None and box is None and pose is None:
        return None
    name = text_of(values, "landmark_set") or DEFAULT_SET
    return Labels(points=points, visible=visible, landmark_set=name, box=box, euler=pose)


def _landmarks(values: Mapping[str, Any], shift: float) -> tuple[np.ndarray | None, np.ndarray | None]:
    """`[68, 2]` points and `[68]` visibility, where the row has them."""
    if "landmarks" not in values:
        # A map may stand in every row for the sake of those that have landmarks.
        if "visible" in values:
            raise LabelError("bad_visible", "`visible` must come with `landmarks`.")
        return None, None
    found = _array(values["landmarks"], "landmarks", "bad_landmarks", None)
    if found.size % 2:
        raise LabelError("landmark_count", f"`landmarks` must be pairs of x and y. Received: {found.size} numbers")
    pairs = found.reshape(-1, 2)
    targets = _map(values, len(pairs))
    points = np.full((contract.LANDMARK_COUNT, 2), np.nan)
    visible = _numbers(values, "visible", "bad_visible", len(pairs))
    seen = None if visible is None else np.zeros(contract.LANDMARK_COUNT)
    if visible is not None and not ((visible >= 0) & (visible <= 1)).all():
        raise LabelError("bad_visible", "`visible` must hold true and false, or numbers from 0 to 1.")
    for source, target in targets.items():
        points[target] = pairs[source] + shift
        if seen is not None and visible is not None:
            seen[target] = visible[source]
    if (np.isnan(points).sum(axis=1) == 1).any():
        raise LabelError("bad_landmarks", "`landmarks` must have both x and y of a point, or neither.")
    if np.isnan(points).all():
        return None, None
    return points, seen


def _map(values: Mapping[str, Any], count: int) -> dict[int, int]:
    """Index of each point in the row to its iBUG landmark."""
    given = values.get("landmark_map")
    if given is None:
        if count != contract.LANDMARK_COUNT:
            message = f"`landmarks` must be 68 points where there is no `landmark_map`. Received: {count}"
            raise LabelError("landmark_count", message)
        return {index: index for index in range(count)}
    if isinstance(given, str):
        given = _parsed(given, "landmark_map", "bad_landmark_map")
    if isinstance(given, Mapping):
        try:
            pairs = {int(source): target for source, target in given.items()}
        except ValueError as error:
            raise LabelError("bad_landmark_map", "`landmark_map` must map indices to indices.") from error
    else:
        numbers = _array(given, "landmark_map", "bad_landmark_map", None)
        if len(numbers) != count:
            message = f"`landmark_map` must have an entry for each of the {count} landmarks. Received: {len(numbers)}"
            raise LabelError("landmark_count", message)
        pairs = {source: target for source, target in enumerate(numbers.tolist()) if target == target and target != -1}
    found = {}
    for source, target in pairs.items():
        # Compared before it is converted: JSON has integers that no float can hold, and NaN.
        known = type(target) in (int, float) and 0 <= target < contract.LANDMARK_COUNT
        if not known or target != int(target) or not 0 <= source < count:
            message = f"`landmark_map` must map points 0 to {count - 1} to landmarks 0 to 67."
            raise LabelError("bad_landmark_map", f"{message} Received: {source} → {str(target)[:20]}")
        found[source] = int(target)
    if len(set(found.values())) != len(found):
        raise LabelError("bad_landmark_map", "`landmark_map` must not map two points to one landmark.")
    return found


def _numbers(values: Mapping[str, Any], name: str, reason: str, count: int | None) -> np.ndarray | None:
    """A field as `_array`; None where the row has no such field."""
    return _array(values[name], name, reason, count) if name in values else None


def _array(given: Any, name: str, reason: str, count: int | None) -> np.ndarray:
    """A list of numbers as `[N]` float64, NaN where it has null."""
    if isinstance(given, str):
        given = _parsed(given, name, reason)
    if not isinstance(given, list):
        raise LabelError(reason, f"`{name}` must be a list of numbers. Received: {type(given).__name__}")
    flat: list[Any] = []
    pairs = name == "landmarks" and any(isinstance(item, list) for item in given)
    for item in given[: MAX_NUMBERS + 1]:
        if pairs:
            if item is not None and (not isinstance(item, list) or len(item) != 2):
                raise LabelError(reason, f"`{name}` must be pairs of x and y. Received: {str(item)[:40]}")
            flat += item or [None, None]
        else:
            flat.append(item)
    if len(flat) > MAX_NUMBERS or (count is not None and len(flat) != count):
        rule = f"{count} numbers" if count is not None else f"{MAX_NUMBERS} numbers at most"
        raise LabelError(
            "landmark_count" if name == "visible" else reason, f"`{name}` must be {rule}. Received: {len(flat)}"
        )
    result = np.full(len(flat), np.nan)
    for index, item in enumerate(flat):
        if item is None:
            continue
        if not isinstance(item, int | float) or (isinstance(item, bool) and name != "visible"):
            raise LabelError(reason, f"`{name}` must hold numbers. Received: {str(item)[:40]!r}")
        try:
            result[index] = item
        except OverflowError:
            result[index] = math.inf
        if not math.isfinite(result[index]):
            raise LabelError("not_finite", f"`{name}` must be finite. It holds NaN or infinity.")
    return result


def _parsed(text: str, name: str, reason: str) -> Any:
    """A CSV cell: a JSON list, or numbers with spaces, commas or semicolons between."""
    text = text.strip()
    if text.startswith(("[", "{")):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LabelError(reason, f"`{name}` is no JSON: {str(error)[:80]}") from error
    try:
        tokens = [token for token in _SEPARATORS.split(text) if token]
        return [None if token == NO_POINT else float(token) for token in tokens]
    except ValueError as error:
        raise LabelError(reason, f"`{name}` must hold numbers: {str(error)[:80]}") from error


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    if np.isnan(array).any():
        raise LabelError(f"bad_{name}", f"`{name}` must have every number.")
    return array
