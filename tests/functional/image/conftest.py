"""The image API with its files in a directory of the test."""

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from oslo_config import cfg

from controller.image import options
from controller.image.images.store import ImageStore
from controller.image.policies import RULES
from controller.image.routes import SERVICE

RAW = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture
def store(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> ImageStore:
    options.register(conf)
    conf.set_override("state_path", str(tmp_path))
    conf.set_override("import_methods", ["glance-direct"], group="image")
    return ImageStore(options.store_path(conf))


@pytest.fixture
def api(client_of: Callable[..., Any], store: ImageStore) -> Any:
    return client_of(SERVICE, RULES, tools={"image_in_use": lambda session, image_id: False})


@pytest.fixture
def put(api: Any) -> Callable[..., Any]:
    """``put(image_id, data)`` sends data; ``to="stage"`` stages it."""

    # ``call`` knows JSON bodies only: bytes go past it, straight to the test client.
    def send(image_id: str, data: bytes, *, to: str = "file", token: str = "member", **headers: str) -> Any:
        given = {"X-Auth-Token": token, "Content-Type": "application/octet-stream"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return api._client.simulate_put(f"/v2/images/{image_id}/{to}", headers=given, body=data)

    return send


@pytest.fixture
def image(api: Any, put: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Makes an image, with data if any is given."""

    def make(data: bytes | None = None, token: str = "member", **values: Any) -> dict[str, Any]:
        made = api.post("/v2/images", {**RAW, **values}, token=token)
        assert made.status_code == 201, made.text
        if data is not None:
            answer = put(made.json["id"], data, token=token)
            assert answer.status_code == 204, answer.text
        shown: dict[str, Any] = api.get(f"/v2/images/{made.json['id']}", token=token).json
        return shown

    return make
