"""Examples of photos, and a face whose landmarks are known exactly, for tests of what becomes of them."""

import json
from typing import Any

import numpy as np

from trainer import contract, examples
from trainer.imaging import codecs
from trainer.morphable.default import default_head
from trainer.rendering import camera as cameras


def photo(name: str, image: np.ndarray, **more: Any) -> bytes:
    """The example of a photo, as `PhotoExampleGen` makes it."""
    return examples.encode(
        {
            contract.IMAGE_ENCODED: codecs.encode_jpeg(image),
            contract.IMAGE_HEIGHT: image.shape[0],
            contract.IMAGE_WIDTH: image.shape[1],
            contract.IMAGE_ID: name,
            contract.DOMAIN: contract.DOMAIN_PHOTO,
            contract.IDENTITY: name.split("/")[0],
            contract.MOMENT: name,
            contract.PROVENANCE: json.dumps({"path": name}),
            **more,
        }
    )


def annotated() -> dict[str, Any]:
    """A head's own landmarks, posed, in a picture where no detector would find them."""
    head = default_head()
    matrix = cameras.scaled_orthographic_matrix(
        np.array([35.0, 5.0, -10.0]), np.array(1.5), np.array([200.0, 180.0, 0.0])
    )
    points = cameras.project(
        head.landmark_points(head.vertices(), "basel").astype(np.float64), matrix, contract.SCALED_ORTHOGRAPHIC
    )
    return {
        contract.LANDMARKS_XY: points[:, :2].astype(np.float32),
        contract.LANDMARKS_SOURCE: contract.SOURCE_ANNOTATED,
        contract.LANDMARKS_SET: "basel",
    }
