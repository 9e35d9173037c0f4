"""TFX components: `component.py` is the contract, `executor.py` the adapter, everything else is free of TFX.

Kubeflow's container finds an artifact's class by its type name, `<top-level module>.<class>` (TFX allows no deeper path, see
tensorflow/tfx issues 5744 and 6102). So the classes of `components.artifacts` can be had from here, and TFX is loaded only then.
"""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """`MorphableModelFile`, `LandmarkNetworkFile`, `DeadLetters` or `PhotoReportPage`."""
    if name in ("MorphableModelFile", "LandmarkNetworkFile", "DeadLetters", "PhotoReportPage"):
        return getattr(importlib.import_module("components.artifacts"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
