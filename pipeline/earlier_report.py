"""Finds the last report on photos, by which drift is told."""

from typing import Any

from tfx import types
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy


class LatestIfAny(LatestArtifactStrategy):  # type: ignore[misc]  # TFX has no types
    """The latest artifact of each channel, or none where there is none yet: TFX's own strategy fails in a first run."""

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves; the store is not asked again."""
        resolved: dict[str, list[types.Artifact]] = self._resolve(input_dict)
        return resolved
