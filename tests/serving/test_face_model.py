"""Inputs that no signature takes are refused before they reach a model or a wire."""

from typing import Any

import numpy as np
import pytest

from serving.face_model import InvalidRequestError, Signature, TensorInfo, conform


def taking(dtype: Any, *shape: int | None) -> Signature:
    return Signature({"x": TensorInfo(np.dtype(dtype), shape)}, {})


@pytest.mark.parametrize(
    ("signature", "value", "says"),
    [
        (taking(np.float32, None, 4), [[1, 2, 3]], r"must have shape \[\?,4\]. Received: \[1, 3\]"),
        (taking(np.float32, None), [None], "must be float32"),
        (taking(np.float32, None), [1e300], "out of its range"),
        (taking(np.uint8, None), [300], "out of its range"),
        (taking(np.uint8, None), [-1], "out of its range"),
        (taking(np.int64, None), [0.5], "must be int64"),
        (taking(np.float32, None), ["1"], "must be float32"),
        (taking(object, None), [[b"a"], [b"b", b"c"]], "strings of bytes"),
        (taking(object, None), [1], "strings of bytes. Received: int"),
        (taking(object, None), [np.zeros((2, 3)), np.zeros((2, 4))], "must be"),
    ],
)
def test_what_does_not_fit_is_an_invalid_request(signature: Signature, value: Any, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"`x` .*{says}"):
        conform(signature, {"x": value})


@pytest.mark.parametrize(
    ("signature", "value", "expected"),
    [
        (taking(np.float32, None, 2), [[1, 2.5]], np.array([[1, 2.5]], np.float32)),
        (taking(np.float32, None), [float("inf"), float("nan")], np.array([np.inf, np.nan], np.float32)),
        (taking(np.uint8, None), [255], np.array([255], np.uint8)),
        (taking(object, None), ["ä", b"\xff"], np.array(["ä".encode(), b"\xff"], object)),
        (taking(object, None), [], np.array([], object)),
    ],
)
def test_what_fits_is_cast(signature: Signature, value: Any, expected: np.ndarray) -> None:
    given = conform(signature, {"x": value})["x"]
    assert given.dtype == expected.dtype
    np.testing.assert_array_equal(given, expected)


def test_names_are_compared_first() -> None:
    with pytest.raises(InvalidRequestError, match=r"Sent extra: \{y\}. Missing but required: \{x\}"):
        conform(taking(object, None), {"y": [b""]})
