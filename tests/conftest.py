"""What every test shares: quiet libraries, few threads, and the optional development data."""

import os
from pathlib import Path

# Before TensorFlow is imported: two test workers share two cores, and logs are for failures.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def development_data() -> Path:
    """Folder of the optional development data; the test skips where it is absent."""
    folder = Path(os.environ.get("MONOFACE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"development data is not at {folder} (set MONOFACE_DATA)")
    return folder
