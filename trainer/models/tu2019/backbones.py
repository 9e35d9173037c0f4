"""The two regressors of tu2019: ResNet-50 as its authors cut it, and a MobileNet for CPUs."""

import warnings
from typing import Any

import keras
from keras import layers

_BATCH_NORM_MOMENTUM = 0.9
"""PyTorch's default, which the authors train with. Keras' 0.99 lags behind in runs of a few hundred steps."""


def build(name: str, width: float, image_size: int, outputs: int) -> keras.Model:
    """A network from 4-channel crops to a vector.

    Args:
        name: `resnet50` or `mobilenet`.
        width: Multiplier of a MobileNet's channels; ResNet-50 has one width.
        image_size: Side of the crop, S, pixels.
        outputs: Length of the vector, P.

    Returns:
        A model `[B, S, S, 4] -> [B, P]`, float32 out whatever the precision policy.

    Raises:
        ValueError: If the name is unknown.
    """
    images = keras.Input((image_size, image_size, 4), name="image_and_landmark_map")
    if name == "resnet50":
        features = resnet50(images)
    elif name == "mobilenet":
        features = mobilenet(images, width)
    else:
        raise ValueError(f"`backbone` must be resnet50 or mobilenet. Received: {name!r}.")
    vector = layers.Dense(outputs, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01), dtype="float32")
    return keras.Model(images, vector(features), name=name)


def resnet50(images: Any) -> Any:
    """ResNet-50 with `layer4` at stride 1 and an average pool of 7 at stride 2.

    Args:
        images: `[B, S, S, 4]`.

    Returns:
        `[B, F]`; F is 2048 for S = 120, whose last feature map is 8 pixels wide.
    """
    x = _convolution(images, 64, 7, strides=2)
    x = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(layers.ReLU()(x)))
    for channels, blocks, strides in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 1)):
        for block in range(blocks):
            x = _bottleneck(x, channels, strides if block == 0 else 1, project=block == 0)
    return layers.Flatten()(layers.AveragePooling2D(min(7, x.shape[1]), 2)(x))


def mobilenet(images: Any, width: float) -> Any:
    """MobileNet v1 with its global average pool.

    Args:
        images: `[B, S, S, 4]`.
        width: Multiplier of the channels.

    Returns:
        `[B, 1024 * width]`.
    """
    with warnings.catch_warnings():
        # Keras warns that networks usually have 1 or 3 channels; ours has 4.
        warnings.filterwarnings("ignore", message="This model usually expects 1 or 3 input channels")
        network = keras.applications.MobileNet(
            input_shape=images.shape[1:], alpha=width, include_top=False, weights=None, pooling="avg"
        )
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
    return network(images)


def _convolution(x: Any, channels: int, size: int, strides: int = 1) -> Any:
    """Convolution, padded as PyTorch pads, and batch normalisation."""
    if size > 1:
        x = layers.ZeroPadding2D(size // 2)(x)
    x = layers.Conv2D(channels, size, strides, use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization(momentum=_BATCH_NORM_MOMENTUM, epsilon=1e-5)(x)


def _bottleneck(x: Any, channels: int, strides: int, project: bool) -> Any:
    """A residual block 1 × 1, 3 × 3 (which carries the stride), 1 × 1 to four times the channels."""
    shortcut = _convolution(x, 4 * channels, 1, strides) if project else x
    x = layers.ReLU()(_convolution(x, channels, 1))
    x = layers.ReLU()(_convolution(x, channels, 3, strides))
    return layers.ReLU()(layers.Add()([shortcut, _convolution(x, 4 * channels, 1)]))
