"""The fake model, in process and served."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """The module `fake_model.py` beside this file, whatever pytest's import mode."""
    specification = importlib.util.spec_from_file_location("fake_model", Path(__file__).with_name("fake_model.py"))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fake_base(fake: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Base directory with version 3 of the fake model. Read only: tests share it."""
    base = tmp_path_factory.mktemp("serving") / "monoface"
    fake.write_fake_model(base / "3")
    return base


@pytest.fixture(scope="session")
def fake_model(fake_base: Path):
    """The fake model, in process."""
    from serving.saved_model import load_latest

    return load_latest(fake_base)


@pytest.fixture(scope="session")
def server(fake_base: Path):
    """The local server of the fake model, on free ports."""
    from serving.server import Server

    with Server(fake_base) as running:
        yield running


@pytest.fixture(params=["grpc", "http"])
def remote(request: pytest.FixtureRequest, server):
    """A client of the server, over each protocol."""
    from serving.client import connect

    port = server.port if request.param == "grpc" else server.rest_port
    with connect(f"{request.param}://127.0.0.1:{port}", timeout=30) as client:
        yield client
