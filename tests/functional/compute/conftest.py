"""A whole controller with pretended hosts, and what a server needs: image, flavor, network."""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing
from oslo_config import cfg

from controller.compute.flavors import create as create_flavor
from controller.db.session import Database
from controller.main.assembly import RULES, SERVICES
from controller.volume.types.model import ensure_default_type
from controller.web import app
from controller.web.policy import Policy
from controller.web.resource import Cloud
from tests.fakes.fake_cloud import FakeCloud
from tests.functional.conftest import Api, caller

DISK = b"a small disk" * 100


class Consoles:
    """What a host would answer."""

    def console_output(self, host: str, server_id: str, length: int | None) -> str:
        return f"console of {server_id} on {host}, {length} lines"


@pytest.fixture
def cloud(db: Database) -> Iterator[FakeCloud]:
    """The engine at work; no host yet."""
    db.write(ensure_default_type)
    with contextlib.ExitStack() as stack:
        made = FakeCloud(db)
        made.start(stack)
        yield made


@pytest.fixture
def api(conf: cfg.ConfigOpts, db: Database, cloud: FakeCloud, tmp_path: Any) -> Api:
    """All services, by path, as a client sees them."""
    conf.set_override("state_path", str(tmp_path))
    tools = {"consoles": Consoles(), "host_key": lambda _h: b"k", "may_read_image": lambda *_: True}
    held = Cloud(conf=conf, db=db, policy=Policy(conf, RULES), tools=tools)
    apps = [(s.prefix, app.build(s, held, caller)) for s in SERVICES if s.name != "identity"]

    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return [b""]

    return Api(app.mount(apps, nothing))


@pytest.fixture
def image(api: Api) -> str:
    """The id of an active image."""
    made = api.post("/image/v2/images", {"name": "i", "disk_format": "raw", "container_format": "bare"})
    image_id = made.json["id"]
    client = testing.TestClient(api._client.app)
    sent = client.simulate_put(
        f"/image/v2/images/{image_id}/file",
        body=DISK,
        headers={"X-Auth-Token": "member", "Content-Type": "application/octet-stream"},
    )
    assert sent.status_code == 204, sent.text
    assert api.get(f"/image/v2/images/{image_id}").json["os_hash_value"] == hashlib.sha512(DISK).hexdigest()
    return str(image_id)


@pytest.fixture
def flavor(db: Database) -> str:
    """The id of a flavor."""
    values = {"id": "1", "name": "tiny", "ram": 512, "disk": 1, "vcpus": 1}
    return db.write(lambda s: create_flavor(s, dict(values))).id


@pytest.fixture
def network(api: Api) -> str:
    """The id of a network with a subnet."""
    network_id = api.post("/network/v2.0/networks", {"network": {"name": "n"}}).json["network"]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": "10.0.0.0/24"}
    assert api.post("/network/v2.0/subnets", {"subnet": subnet}).status_code == 201
    return str(network_id)


@pytest.fixture
def body(image: str, flavor: str, network: str) -> dict[str, Any]:
    """A server that should boot."""
    return {"server": {"name": "s", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}]}}
