"""A face model in words and numbers."""

from typing import Any, Final

import numpy as np

from trainer.contract import LANDMARK_GROUPS
from trainer.morphable.model import MorphableModel

SHOWN_MODES: Final = 5


def describe(model: MorphableModel, files_sha256: str) -> dict[str, Any]:
    """What a model holds, in the order in which one wants to know it.

    Args:
        model: Any face model.
        files_sha256: Hash of the files it was read from.

    Returns:
        Label to text, number or list; JSON-able.
    """
    low, high = model.mean.min(axis=0), model.mean.max(axis=0)
    described: dict[str, Any] = {
        "name": model.name,
        "licence": model.licence,
        "sha256": model.sha256,
        "files sha256": files_sha256,
        "units": "millimetres; x to the image's right, y up, z out of the face; linear RGB",
        "extent": " × ".join(f"{side:.0f}" for side in high - low) + " mm",
        "vertices": model.vertex_count,
        "triangles": model.triangle_count,
        "identity modes": len(model.identity),
        "expression modes": len(model.expression),
        "albedo modes": len(model.albedo),
        "identity sd": _spread(model.identity_sd, model.vertex_count),
        "expression size": _spread(np.array([np.linalg.norm(mode) for mode in model.expression]), model.vertex_count),
        "landmark sets": ", ".join(model.landmarks),
    }
    if "basel" in model.landmarks:
        points = model.landmark_points(model.mean)
        right, left = LANDMARK_GROUPS["right_eye"], LANDMARK_GROUPS["left_eye"]
        mouth = LANDMARK_GROUPS["outer_lips"]
        lengths = {
            "outer eye corners": (right[0], left[3]),
            "inner eye corners": (right[3], left[0]),
            "mouth": (mouth[0], mouth[6]),
        }
        described["lengths"] = ", ".join(
            f"{name} {np.linalg.norm(points[one] - points[other]):.1f} mm" for name, (one, other) in lengths.items()
        )
    paired = float((model.mirror != np.arange(model.vertex_count)).mean())
    empty = [name for name, weights in model.regions.items() if not weights.any()]
    return described | {
        "mirror": f"{100 * paired:.0f} % of the vertices have a partner",
        "regions": ", ".join(name for name in model.regions if name not in empty),
        "expressions": ", ".join(model.expression_names),
        **{f"provenance: {key}": value for key, value in model.provenance.items()},
    }


def _spread(sizes: np.ndarray, vertex_count: int) -> str:
    """Root mean square move of a vertex per unit of the first modes."""
    if not len(sizes):
        return "none"
    moves = ", ".join(f"{size / np.sqrt(vertex_count):.2f}" for size in sizes[:SHOWN_MODES])
    return f"{moves} mm rms a vertex (first {min(SHOWN_MODES, len(sizes))})"
