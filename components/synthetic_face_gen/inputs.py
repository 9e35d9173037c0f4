"""The files that a configuration names: their state decides whether an earlier result is still the same."""

import hashlib
import json
from pathlib import Path

from components.fingerprint import fingerprint
from components.synthetic_face_gen import backgrounds
from components.synthetic_face_gen.config import SyntheticFaceConfig
from components.synthetic_face_gen.studio import wardrobe_sha256


def state(config: SyntheticFaceConfig) -> str:
    """A digest of the photographs, garments and statistics that a data set is made from, as JSON; empty for none.

    Args:
        config: The data set.

    Raises:
        FileNotFoundError: If the folder of backgrounds holds no photographs, or a file is missing.
    """
    parts = {}
    if photographs := backgrounds.state(config.background):
        parts["background"] = photographs
    if config.wardrobe is not None:
        parts["wardrobe"] = wardrobe_sha256()
        if config.wardrobe.folder:
            folder = Path(config.wardrobe.folder)
            files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            parts["wardrobe_folder"] = fingerprint(folder, files)
    if config.paired_set is not None and config.paired_set.statistics:
        parts["statistics"] = hashlib.sha256(Path(config.paired_set.statistics).read_bytes()).hexdigest()
    return json.dumps(parts, sort_keys=True) if parts else ""
