"""Our messages against TensorFlow's own: the same bytes, the same numbers."""

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
from tensorflow.core.framework import tensor_pb2  # noqa: E402
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_log_pb2  # noqa: E402

from serving import messages  # noqa: E402

ARRAYS = [
    np.array([b"\xff\xd8jpeg", b"", "ü".encode()], object),
    np.array(b"scalar", object),
    *(np.arange(6).reshape(2, 3).astype(dtype) for dtype in (np.float32, np.float64, np.float16)),
    *(np.array([[-3, 0, 127]], dtype) for dtype in (np.int8, np.int16, np.int32, np.int64)),
    *(np.array([[3, 0, 255]], dtype) for dtype in (np.uint8, np.uint16, np.uint32, np.uint64)),
    np.array([True, False]),
    np.array(2.5, np.float32),
    np.array([7], np.int64),
    np.zeros((0, 4), np.float32),
    np.array([np.nan, np.inf, -0.0], np.float32),
]


def same(a: np.ndarray, b: np.ndarray) -> None:
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_tensorflow_reads_ours(array: np.ndarray) -> None:
    theirs = tensor_pb2.TensorProto.FromString(messages.from_array(array).SerializeToString())
    same(tf.make_ndarray(theirs), array)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}{list(a.shape)}")
def test_ours_reads_tensorflow_s_and_gives_the_same_bytes_back(array: np.ndarray) -> None:
    content = tf.make_tensor_proto(array).SerializeToString()
    ours = messages.Tensor.FromString(content)
    assert ours.SerializeToString() == content
    same(messages.to_array(ours), array)


def test_values_in_typed_fields_and_their_shorthand() -> None:
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[1.0, 2.0])
    for size in (2, 2):
        proto.tensor_shape.dim.add(size=size)
    same(
        messages.to_array(messages.Tensor.FromString(proto.SerializeToString())), np.array([[1, 2], [2, 2]], np.float32)
    )
    same(messages.to_array(proto), tf.make_ndarray(proto))
    half = tensor_pb2.TensorProto(dtype=19, half_val=[15360, 16384])
    half.tensor_shape.dim.add(size=2)
    same(messages.to_array(half), np.array([1, 2], np.float16))


def test_a_request_has_tensorflow_serving_s_bytes() -> None:
    arrays = {"image_bytes": np.array([b"x"], object), "box": np.ones((1, 4), np.float32), "n": np.array([5], np.int64)}
    theirs, ours = predict_pb2.PredictRequest(), messages.PredictRequest()
    for request in (theirs, ours):
        request.model_spec.name, request.model_spec.signature_name = "monoface", "with_box"
        request.model_spec.version.value = 3
        request.output_filter.append("landmarks")
    for name, array in arrays.items():
        theirs.inputs[name].ParseFromString(messages.from_array(array).SerializeToString())
        ours.inputs[name].CopyFrom(messages.from_array(array))
    content = ours.SerializeToString(deterministic=True)
    assert content == theirs.SerializeToString(deterministic=True)
    again = messages.PredictRequest.FromString(theirs.SerializeToString())
    assert again == ours
    assert again.model_spec.HasField("version")


def test_metadata_and_warmup_records_are_read_from_tensorflow_serving_s() -> None:
    definitions = get_model_metadata_pb2.SignatureDefMap()
    definition = definitions.signature_def["mesh"]
    definition.method_name = "tensorflow/serving/predict"
    definition.inputs["image_bytes"].dtype = 7
    definition.inputs["image_bytes"].tensor_shape.dim.add(size=-1)
    definition.outputs["odd"].dtype = 20
    definition.outputs["any"].dtype = 1
    definition.outputs["any"].tensor_shape.unknown_rank = True
    theirs = get_model_metadata_pb2.GetModelMetadataResponse()
    theirs.metadata["signature_def"].Pack(definitions)
    ours = messages.GetModelMetadataResponse.FromString(theirs.SerializeToString())
    packed = ours.metadata[messages.METADATA_FIELD]
    assert packed.type_url == messages.SIGNATURE_DEF_TYPE
    signature = messages.signatures_of(messages.SignatureDefMap.FromString(packed.value).signature_def)["mesh"]
    assert signature.inputs["image_bytes"].dtype == object
    assert signature.inputs["image_bytes"].shape == (None,)
    assert signature.outputs["any"].shape is None
    assert "odd" not in signature.outputs

    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.inputs["n"].CopyFrom(tf.make_tensor_proto([1, 2]))
    request = messages.PredictionLog.FromString(log.SerializeToString()).predict_log.request
    same(messages.to_array(request.inputs["n"]), np.array([1, 2], np.int32))


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        ({"dtype": 1, "shape": [1 << 40], "float_val": [1.0]}, "at most"),
        ({"dtype": 1, "shape": [1 << 31, 1 << 31, 0, 5], "float_val": [1.0]}, "at most|not a tensor"),
        ({"dtype": 1, "shape": [-1], "float_val": [1.0]}, "must be known"),
        ({"dtype": 1, "shape": [2], "tensor_content": b"1234567"}, "7 bytes"),
        ({"dtype": 7, "shape": [2], "tensor_content": b"12345678"}, "8 bytes"),
        ({"dtype": 7, "shape": [2]}, "0 values"),
        ({"dtype": 3, "shape": [1], "int_val": [1, 2]}, "2 values"),
        ({"dtype": 20, "shape": [1]}, "type"),
        ({"dtype": 0, "shape": []}, "type"),
        ({"dtype": 4, "shape": [1], "int_val": [300]}, "uint8"),
    ],
)
def test_tensors_that_claim_what_they_have_not_are_refused(tensor: dict, says: str) -> None:
    shape = tensor.pop("shape")
    message = messages.Tensor(**tensor)
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    with pytest.raises(ValueError, match=says):
        messages.to_array(message)


def test_an_array_that_no_tensor_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="datetime64"):
        messages.from_array(np.array(["2020-01-01"], "datetime64[D]"))
