"""The configuration files, read by what they are for as far as that is installed here."""

import re
from pathlib import Path

import pytest

from serving.face_model import DEFAULT_NAME
from serving.reconstruct import DEFAULT_MODEL

CONFIG = Path(__file__).resolve().parents[2] / "serving" / "config"


def test_tensorflow_serving_reads_the_list_of_models() -> None:
    pytest.importorskip("tensorflow_serving")
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    text = (CONFIG / "models.config").read_text()
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (model,) = parsed.model_config_list.config
    assert model.name == DEFAULT_NAME
    assert Path(model.base_path).name == DEFAULT_MODEL.name
    assert model.model_version_policy.latest.num_versions == 1


@pytest.mark.parametrize("name", ["batching.config", "monitoring.config"])
def test_text_messages_are_balanced(name: str) -> None:
    text = re.sub(r"#.*", "", (CONFIG / name).read_text())
    assert text.count("{") == text.count("}") > 0


def test_kserve_s_service_serves_the_model_that_clients_ask_for() -> None:
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((CONFIG / "inference_service.yaml").read_text())
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert service["metadata"]["name"] == DEFAULT_NAME
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"]["name"] == "tensorflow"
    assert model["readinessProbe"]["httpGet"]["path"] == f"/v1/models/{DEFAULT_NAME}"
