"""The messages that TensorFlow Serving speaks, without TensorFlow.

Same field numbers and types as TensorFlow's and TensorFlow Serving's `.proto` files, so the bytes are the same; a package
name and a descriptor pool of our own, so that they live beside TensorFlow's in one process; built when imported, so that any
protobuf from 3.20 on will do (generated modules are tied to the version of their compiler).

Sources: tensorflow/core/framework/{tensor,tensor_shape,types}.proto, tensorflow/core/protobuf/meta_graph.proto,
tensorflow_serving/apis/{model,predict,get_model_metadata,prediction_log}.proto, google/protobuf/{any,wrappers}.proto.
"""

import re
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from serving.face_model import Signature, TensorInfo

PACKAGE = "monoface.serving"
PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
SIGNATURE_DEF_TYPE = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
METADATA_FIELD = "signature_def"

PROTO = """
message TensorShape { repeated Dimension dim = 2; bool unknown_rank = 3; }
message Dimension { int64 size = 1; string name = 2; }
message Tensor {
  int32 dtype = 1; TensorShape tensor_shape = 2; int32 version_number = 3; bytes tensor_content = 4;
  repeated int32 half_val = 13; repeated float float_val = 5; repeated double double_val = 6;
  repeated int32 int_val = 7; repeated bytes string_val = 8; repeated int64 int64_val = 10; repeated bool bool_val = 11;
  repeated uint32 uint32_val = 16; repeated uint64 uint64_val = 17;
}
message Int64Value { int64 value = 1; }
message Any { string type_url = 1; bytes value = 2; }
message ModelSpec { string name = 1; Int64Value version = 2; string signature_name = 3; string version_label = 4; }
message PredictRequest { ModelSpec model_spec = 1; map<string, Tensor> inputs = 2; repeated string output_filter = 3; }
message PredictResponse { map<string, Tensor> outputs = 1; ModelSpec model_spec = 2; }
message PredictLog { PredictRequest request = 1; PredictResponse response = 2; }
message PredictionLog { PredictLog predict_log = 6; }
message TensorInfo { string name = 1; int32 dtype = 2; TensorShape tensor_shape = 3; }
message SignatureDef { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; string method_name = 3; }
message SignatureDefMap { map<string, SignatureDef> signature_def = 1; }
message GetModelMetadataRequest { ModelSpec model_spec = 1; repeated string metadata_field = 2; }
message GetModelMetadataResponse { ModelSpec model_spec = 1; map<string, Any> metadata = 2; }
"""
"""Proto3. Enumerations are `int32`, which has the same bytes."""

# DataType in types.proto: number, its name, NumPy's type, the field that holds single values.
DATA_TYPES: dict[int, tuple[str, np.dtype, str]] = {
    1: ("DT_FLOAT", np.dtype(np.float32), "float_val"),
    2: ("DT_DOUBLE", np.dtype(np.float64), "double_val"),
    3: ("DT_INT32", np.dtype(np.int32), "int_val"),
    4: ("DT_UINT8", np.dtype(np.uint8), "int_val"),
    5: ("DT_INT16", np.dtype(np.int16), "int_val"),
    6: ("DT_INT8", np.dtype(np.int8), "int_val"),
    7: ("DT_STRING", np.dtype(object), "string_val"),
    9: ("DT_INT64", np.dtype(np.int64), "int64_val"),
    10: ("DT_BOOL", np.dtype(np.bool_), "bool_val"),
    17: ("DT_UINT16", np.dtype(np.uint16), "int_val"),
    19: ("DT_HALF", np.dtype(np.float16), "half_val"),
    22: ("DT_UINT32", np.dtype(np.uint32), "uint32_val"),
    23: ("DT_UINT64", np.dtype(np.uint64), "uint64_val"),
}
_NUMBER_OF_TYPE = {dtype: number for number, (_, dtype, _) in DATA_TYPES.items()}

_MESSAGE = re.compile(r"message (\w+) \{(.*?)\}", re.DOTALL)
_FIELD = re.compile(r"(?:(repeated) )?(?:map<string, (\w+)>|(\w+)) (\w+) = (\d+);")


def _describe(proto: str) -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of a file with these messages."""
    file = descriptor_pb2.FileDescriptorProto(name="monoface_serving.proto", package=PACKAGE, syntax="proto3")
    for name, body in _MESSAGE.findall(proto):
        message = file.message_type.add(name=name)
        for repeated, mapped, scalar, field_name, number in _FIELD.findall(body):
            field = message.field.add(name=field_name, number=int(number), label=3 if repeated or mapped else 1)
            if mapped:
                entry_name = "".join(part.capitalize() for part in field_name.split("_")) + "Entry"
                entry = message.nested_type.add(name=entry_name)
                entry.options.map_entry = True
                _set_type(entry.field.add(name="key", number=1, label=1), "string")
                _set_type(entry.field.add(name="value", number=2, label=1), mapped)
                _set_type(field, f"{name}.{entry_name}")
            else:
                _set_type(field, scalar)
    return file


def _set_type(field: Any, name: str) -> None:
    scalar = descriptor_pb2.FieldDescriptorProto.Type.DESCRIPTOR.values_by_name.get(f"TYPE_{name.upper()}")
    if scalar is not None:
        field.type = scalar.number
    else:
        field.type, field.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{name}"


def _build(proto: str) -> dict[str, Any]:
    """Message classes by name."""
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_describe(proto).SerializeToString())
    if hasattr(message_factory, "GetMessageClass"):
        build = message_factory.GetMessageClass
    else:
        build = message_factory.MessageFactory(pool).GetPrototype
    return {name: build(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name, _ in _MESSAGE.findall(proto)}


_CLASSES = _build(PROTO)
Tensor: Any = _CLASSES["Tensor"]
PredictRequest: Any = _CLASSES["PredictRequest"]
PredictResponse: Any = _CLASSES["PredictResponse"]
PredictionLog: Any = _CLASSES["PredictionLog"]
SignatureDefMap: Any = _CLASSES["SignatureDefMap"]
GetModelMetadataRequest: Any = _CLASSES["GetModelMetadataRequest"]
GetModelMetadataResponse: Any = _CLASSES["GetModelMetadataResponse"]


def from_array(array: np.ndarray) -> Any:
    """A tensor message of an array; an object array holds `bytes`.

    Raises:
        ValueError: If TensorFlow has no such type.
    """
    dtype = np.dtype(object) if array.dtype.kind in "SO" else array.dtype.newbyteorder("=")
    if dtype not in _NUMBER_OF_TYPE:
        raise ValueError(f"`array` must be of a type that tensors have. Received: {array.dtype}")
    tensor = Tensor(dtype=_NUMBER_OF_TYPE[dtype])
    tensor.tensor_shape.SetInParent()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if dtype.hasobject:
        tensor.string_val.extend(array.reshape(-1).tolist())
    else:
        tensor.tensor_content = np.ascontiguousarray(array, dtype.newbyteorder("<")).tobytes()
    return tensor


def to_array(tensor: Any, max_elements: int = 1 << 28) -> np.ndarray:
    """The array of a tensor message, ours or TensorFlow's own.

    Args:
        tensor: The message.
        max_elements: Refuse more, since a few bytes can claim any shape.

    Raises:
        ValueError: If the type is unknown, or the values do not fit the shape.
    """
    if tensor.dtype not in DATA_TYPES:
        raise ValueError(f"The tensor's type must be one of {sorted(DATA_TYPES)}. Received: dtype={tensor.dtype}")
    _, dtype, field = DATA_TYPES[tensor.dtype]
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    count = 1
    for size in shape:
        if size < 0:
            raise ValueError(f"The tensor's shape must be known. Received: {shape}")
        count *= size
    if count > max_elements:
        raise ValueError(f"The tensor must have at most {max_elements} elements. Received: shape {shape}")
    if tensor.tensor_content:
        if dtype.hasobject or len(tensor.tensor_content) != count * dtype.itemsize:
            raise ValueError(f"{len(tensor.tensor_content)} bytes are not a {dtype} tensor of shape {shape}.")
        return np.frombuffer(tensor.tensor_content, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    values = getattr(tensor, field)
    if len(values) > count or (len(values) == 0 < count and dtype.hasobject):
        raise ValueError(f"{len(values)} values are not a tensor of shape {shape}.")
    if field == "half_val":
        given = np.array(values, np.uint16).view(np.float16)
    else:
        if field == "int_val" and values:
            limits = np.iinfo(dtype)
            if not limits.min <= min(values) <= max(values) <= limits.max:
                raise ValueError(f"The tensor's values must be {dtype}. Received: {min(values)}…{max(values)}")
        given = np.empty(len(values), dtype)
        given[:] = values
    # TensorFlow's shorthand: the last value stands for those that are left out.
    filler = given[-1] if given.size else np.zeros((), dtype)[()]
    return np.concatenate([given, np.full(count - given.size, filler, dtype)]).reshape(shape)


def signatures_of(definitions: Any) -> dict[str, Signature]:
    """Signatures by name from the `signature_def` of a SavedModel or of a metadata answer.

    Tensors of types that no NumPy array holds (resources, variants) are left out.
    """

    def described(tensors: Any) -> dict[str, TensorInfo]:
        return {
            name: TensorInfo(DATA_TYPES[tensor.dtype][1], _shape_of(tensor.tensor_shape))
            for name, tensor in tensors.items()
            if tensor.dtype in DATA_TYPES
        }

    return {
        name: Signature(described(definition.inputs), described(definition.outputs))
        for name, definition in definitions.items()
        if not name.startswith("__saved_model")
    }


def _shape_of(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
