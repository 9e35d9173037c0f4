from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer import contract, examples


def features() -> dict[str, Any]:
    return {
        contract.IMAGE_ENCODED: b"\xff\xd8\x00bytes that are no text",
        contract.IMAGE_HEIGHT: 120,
        contract.IMAGE_WIDTH: np.int32(121),
        contract.IMAGE_ID: "søren/1.jpg",
        contract.LANDMARKS_XY: np.arange(136, dtype=np.float64).reshape(68, 2),
        contract.POSE_EULER: [1.5, -2.0, 0.25],
        contract.LIGHT_SHININESS: 12.5,
        contract.MORPHABLE_SHAPE: np.linspace(-1, 1, 7),
        contract.OCCLUDED: True,
    }


def test_there_and_back() -> None:
    decoded = examples.decode(examples.encode(features()))
    assert set(decoded) == set(features())
    assert decoded[contract.IMAGE_ENCODED] == features()[contract.IMAGE_ENCODED]
    assert decoded[contract.IMAGE_ID] == "søren/1.jpg"
    assert (decoded[contract.IMAGE_HEIGHT], decoded[contract.IMAGE_WIDTH]) == (120, 121)
    assert isinstance(decoded[contract.IMAGE_HEIGHT], int)
    assert decoded[contract.LIGHT_SHININESS] == 12.5
    assert decoded[contract.OCCLUDED] == 1
    # x and y of one landmark lie side by side.
    np.testing.assert_array_equal(decoded[contract.LANDMARKS_XY].reshape(68, 2), features()[contract.LANDMARKS_XY])
    np.testing.assert_allclose(decoded[contract.MORPHABLE_SHAPE], np.linspace(-1, 1, 7), atol=1e-7)
    assert examples.encode(decoded) == examples.encode(features())


def test_the_bytes_do_not_depend_on_the_order_of_keys() -> None:
    backwards = dict(reversed(features().items()))
    assert examples.encode(backwards) == examples.encode(features())


def test_the_bytes_are_those_of_tensorflow() -> None:
    encoded = examples.encode(features())
    theirs = tf.train.Example.FromString(encoded)
    assert theirs.SerializeToString(deterministic=True) == encoded
    assert theirs.features.feature[contract.IMAGE_ID].bytes_list.value[0].decode() == "søren/1.jpg"


def test_tensorflow_reads_it() -> None:
    parsed = tf.io.parse_single_example(
        examples.encode(features()),
        {
            contract.LANDMARKS_XY: tf.io.FixedLenFeature([68, 2], tf.float32),
            contract.IMAGE_HEIGHT: tf.io.FixedLenFeature([], tf.int64),
            contract.IMAGE_ENCODED: tf.io.FixedLenFeature([], tf.string),
        },
    )
    np.testing.assert_array_equal(parsed[contract.LANDMARKS_XY][3], [6, 7])
    assert parsed[contract.IMAGE_HEIGHT] == 120


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("image/hight", 3, "`image/hight` is not a feature of the contract"),
        (contract.LANDMARKS_XY, np.zeros(68), "`landmarks/xy` must have 136 values. Received: 68"),
        (contract.FACE_BOX, [0, 1, float("nan"), 2], "`face/box` must be finite"),
        (contract.FACE_BOX, [0, 1, float("inf"), 2], "`face/box` must be finite"),
        (contract.IMAGE_HEIGHT, [1, 2], "`image/height` must have 1 values. Received: 2"),
        (contract.IMAGE_HEIGHT, 1.5, "`image/height` must be whole numbers. Received: 1.5"),
        (contract.IMAGE_ID, 7, "`image/id` must be text or bytes. Received: 7"),
    ],
)
def test_what_breaks_the_contract_is_refused(key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        examples.encode({key: value})


def test_damaged_records_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Not a serialised tf.Example"):
        examples.decode(b"this is no example at all")
    with pytest.raises(ValueError, match=r"Not a serialised tf.Example"):
        examples.decode(examples.encode(features())[:-5])


def record(key: str, **lists: Any) -> bytes:
    return tf.train.Example(features=tf.train.Features(feature={key: tf.train.Feature(**lists)})).SerializeToString()


def test_features_of_the_wrong_kind_or_length_are_refused() -> None:
    numbers = tf.train.FloatList(value=[1.0, 2.0])
    with pytest.raises(ValueError, match=r"`face/box` must have 4 values. Received: 2"):
        examples.decode(record(contract.FACE_BOX, float_list=numbers))
    with pytest.raises(ValueError, match="`image/id` must hold bytes"):
        examples.decode(record(contract.IMAGE_ID, float_list=numbers))
    with pytest.raises(ValueError, match=r"`image/id` must have 1 values. Received: 0"):
        examples.decode(record(contract.IMAGE_ID, bytes_list=tf.train.BytesList(value=[])))
    with pytest.raises(ValueError, match="`image/id` must be UTF-8"):
        examples.decode(record(contract.IMAGE_ID, bytes_list=tf.train.BytesList(value=[b"\xff\xfe"])))


def test_features_of_others_are_left_out() -> None:
    assert examples.decode(record("someone/else", float_list=tf.train.FloatList(value=[1.0]))) == {}
