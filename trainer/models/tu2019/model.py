"""The model of tu2019 (2DASL): a crop and its landmark map to camera, shape and expression."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from trainer import configuration, contract
from trainer.layers.linear_landmarks import LinearLandmarks
from trainer.layers.whitening import Whitening
from trainer.losses import landmarks as landmark_losses
from trainer.metrics.nme import NormalizedMeanError
from trainer.models.tu2019 import backbones, losses
from trainer.models.tu2019.config import Tu2019Config
from trainer.models.tu2019.flm import landmark_map
from trainer.morphable.model import MorphableModel
from trainer.training import mean_over_batch, precision

_LOGGER = logging.getLogger(__name__)


@keras.saving.register_keras_serializable(package="monoface")
class Tu2019(keras.Model):
    """Regressor R with its supervised losses.

    Inputs are mappings with `image` `[B, S, S, 3]` sRGB in [0, 1], `landmarks` `[B, 68, 2]` crop pixels and, optionally,
    `landmarks_present` `[B, 68]`; the output is `[B, 12 + Ks + Ke]` whitened parameters. `regressor` is the bare network on
    `[B, S, S, 4]`. Labels are those of `trainer.data`.
    """

    def __init__(
        self, config: Tu2019Config | Mapping[str, Any], shape_count: int, expression_count: int, **kwargs: Any
    ) -> None:
        """Builds the network; statistics and basis are set by `set_face`, or loaded with the weights.

        Args:
            config: The configuration or a mapping of its fields.
            shape_count: Identity coefficients, Ks.
            expression_count: Expression coefficients, Ke.
            **kwargs: Of `keras.Model`.
        """
        if not isinstance(config, Tu2019Config):
            config = configuration.from_mapping(Tu2019Config, config)
        # Inputs are not cast: landmarks in pixels would not survive 8 bits of mantissa. The network casts for itself.
        super().__init__(dtype=config.mixed_precision, autocast=False, **kwargs)
        self.settings = config
        self.shape_count, self.expression_count = shape_count, expression_count
        size = losses.CAMERA_SIZE + shape_count + expression_count
        with precision(config.mixed_precision):
            self.regressor = backbones.build(config.backbone, config.backbone_width, config.image_size, size)
        self.whitening = Whitening(size, name="whitening")
        self.face = LinearLandmarks(shape_count, expression_count, name="face")
        self.nme = NormalizedMeanError()
        self.terms = {
            name: keras.metrics.Mean(name=name)
            for name in ("coefficient", "consistency", "landmark")
            if getattr(config, f"{name}_weight")
        }
        self.built = True

    def set_face(self, basis: tuple[Any, Any, Any], statistics: tuple[Any, Any]) -> None:
        """Takes the face model at its landmarks and the training set's parameter statistics.

        Args:
            basis: `MorphableModel.landmark_basis()`.
            statistics: Mean and deviation `[12 + Ks + Ke]`.
        """
        self.face.set_basis(*basis)
        self.whitening.set_statistics(*statistics)

    def call(self, inputs: Mapping[str, Any], training: bool | None = None) -> Any:
        """Whitened parameters `[B, 12 + Ks + Ke]`."""
        image = ops.cast(inputs["image"], "float32")
        drawn = landmark_map(
            ops.cast(inputs["landmarks"], "float32"), self.settings.image_size, inputs.get("landmarks_present")
        )
        # (255 x - 127.5) / 128, the input range of the authors' code.
        stacked = ops.concatenate([image * (255.0 / 128.0) - 127.5 / 128.0, drawn], axis=-1)
        return ops.cast(self.regressor(stacked, training=training), "float32")

    def decode(self, whitened: Any) -> tuple[Any, Any, Any]:
        """Camera, shape and expression.

        Args:
            whitened: `[B, 12 + Ks + Ke]`.

        Returns:
            `[B, 3, 4]` affine camera `[f R | t]`, up to error, crop frame; `[B, Ks]`; `[B, Ke]`.
        """
        parameters = self.whitening.invert(whitened)
        first, second = losses.CAMERA_SIZE, losses.CAMERA_SIZE + self.shape_count
        camera = ops.reshape(parameters[:, :first], (-1, 3, 4))
        return camera, parameters[:, first:second], parameters[:, second:]

    def landmarks(self, whitened: Any) -> Any:
        """Predicted landmarks `[B, 68, 3]`, crop frame, pixels, of `[B, 12 + Ks + Ke]` whitened parameters."""
        camera, shape, expression = self.decode(whitened)
        return self.face(camera, ops.concatenate([shape, expression], axis=-1))

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """L = Σ weight · term, the mean over the batch; a term of weight 0 is not computed."""
        terms = self.loss_terms(y, y_pred)
        for name, values in terms.items():
            self.terms[name].update_state(values)
        total = sum(getattr(self.settings, f"{name}_weight") * values for name, values in terms.items())
        return mean_over_batch(total)

    def loss_terms(self, labels: Mapping[str, Any], whitened: Any) -> dict[str, Any]:
        """Terms of the loss, each `[B]`, before their weights: `coefficient`, `consistency`, `landmark`."""
        terms, settings = {}, self.settings
        predicted = self.landmarks(whitened)
        known = labels["has_parameters"]
        if settings.coefficient_weight:
            camera = ops.reshape(labels["camera"], (-1, losses.CAMERA_SIZE))
            coefficients = ops.concatenate([labels["shape"], labels["expression"]], axis=-1)
            parameters = ops.concatenate([camera, coefficients], axis=-1)
            weights = losses.coefficient_weights(
                parameters,
                self.whitening.invert(whitened) - parameters,
                self.face.model_points(coefficients),
                ops.convert_to_tensor(self.face.modes),
            )
            terms["coefficient"] = known * losses.weighted_coefficient_loss(
                self.whitening(parameters), whitened, weights
            )
        if settings.consistency_weight:
            terms["consistency"] = losses.landmark_consistency(labels["landmarks"][..., :2], predicted[..., :2])
        if settings.landmark_weight:
            axes = ops.stack([ops.ones_like(known), ops.ones_like(known), known], axis=-1)[:, None, :]
            terms["landmark"] = (
                landmark_losses.weighted_point_distance(
                    labels["landmarks"] * axes, predicted * axes, labels["landmark_weights"]
                )
                / settings.image_size
            )
        return terms

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Loss, its terms, and the NME of the 68 landmarks in the image."""
        self.nme.update_state(y["landmarks"][..., :2], self.landmarks(y_pred)[..., :2])
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON holds them."""
        return {
            "name": self.name,
            "config": json.loads(json.dumps(configuration.to_mapping(self.settings))),
            "shape_count": self.shape_count,
            "expression_count": self.expression_count,
        }


@keras.saving.register_keras_serializable(package="monoface")
class Tu2019Reconstructor(keras.Model):
    """A trained `Tu2019` as a servable asks for it: crops and landmarks to camera, shape and expression."""

    def __init__(self, model: Tu2019, **kwargs: Any) -> None:
        """Wraps a model, whose weights it shares."""
        super().__init__(**kwargs)
        self.model = model
        self.image_size, self.margin = model.settings.image_size, model.settings.margin
        self.built = True

    def call(self, images: Any, landmarks: Any) -> tuple[Any, Any, Any]:
        """Reconstructs.

        Args:
            images: `[B, S, S, 3]` sRGB crops in [0, 1].
            landmarks: `[B, 68, 2]` crop pixels.

        Returns:
            `[B, 3, 4]` scaled orthographic camera, crop frame; `[B, Ks]` shape; `[B, Ke]` expression.
        """
        return self.model.decode(self.model({"image": images, "landmarks": landmarks}, training=False))


def counts(config: Tu2019Config, face: MorphableModel) -> tuple[int, int]:
    """Identity and expression coefficients to predict: the configuration's, or all where the face model has fewer."""
    wanted = config.shape_count, config.expression_count
    there = len(face.identity), len(face.expression)
    counted = min(wanted[0], there[0]), min(wanted[1], there[1])
    if counted != wanted:
        _LOGGER.warning(
            "%s has %d identity and %d expression modes; %d and %d coefficients are predicted instead of %d and %d.",
            *(face.name, *there, *counted, *wanted),
        )
    return counted


def build(config: Tu2019Config, face: MorphableModel, statistics: tuple[Any, Any]) -> Tu2019:
    """A model for a face model, ready to be compiled.

    Args:
        config: The configuration.
        face: The face model; its `basel` landmarks are learnt.
        statistics: Mean and deviation `[12 + Ks + Ke]` of the training set's parameters.

    Returns:
        The model, with random weights.
    """
    model = Tu2019(config, *counts(config, face))
    model.set_face(face.landmark_basis(contract.LANDMARK_SETS[0]), statistics)
    return model


def reconstructor(model: Tu2019) -> Tu2019Reconstructor:
    """The servable face of a trained model."""
    return Tu2019Reconstructor(model)
