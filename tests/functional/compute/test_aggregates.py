"""Aggregates of hosts, and the availability zones that they make."""

from typing import Any

import pytest

from tests.fakes.fake_cloud import FakeCloud
from tests.functional.conftest import Api

V = "/compute/v2.1"
ADMIN = {"token": "admin"}


@pytest.fixture
def rack(cloud: FakeCloud, api: Api) -> str:
    """The URL of an aggregate with a zone, and no host yet; the cloud has the hosts h1 and h2."""
    cloud.add_host("h1")
    cloud.add_host("h2")
    body = {"aggregate": {"name": "rack", "availability_zone": "z1"}}
    made = api.post(f"{V}/os-aggregates", body, **ADMIN)
    assert made.status_code == 200, made.text
    assert "hosts" not in made.json["aggregate"]
    return f"{V}/os-aggregates/{made.json['aggregate']['id']}"


def act(api: Api, url: str, **action: Any) -> Any:
    return api.post(f"{url}/action", action, **ADMIN)


def names(api: Api) -> list[str]:
    return [z["zoneName"] for z in api.get(f"{V}/os-availability-zone").json["availabilityZoneInfo"]]


def test_an_aggregate_from_beginning_to_end(api: Api, rack: str) -> None:
    assert names(api) == ["nova"]
    assert act(api, rack, add_host={"host": "h1"}).json["aggregate"]["hosts"] == ["h1"]
    assert names(api) == ["nova", "z1"]
    services = api.get(f"{V}/os-services", **ADMIN).json["services"]
    assert {s["host"]: s["zone"] for s in services} == {"h1": "z1", "h2": "nova"}
    shown = act(api, rack, set_metadata={"metadata": {"ssd": "yes"}}).json["aggregate"]
    assert shown["metadata"] == {"availability_zone": "z1", "ssd": "yes"}
    changed = api.put(rack, {"aggregate": {"name": "shelf"}}, **ADMIN).json["aggregate"]
    assert changed["name"] == "shelf" and changed["availability_zone"] == "z1" and changed["updated_at"]
    assert api.get(f"{V}/os-aggregates", **ADMIN).json["aggregates"] == [changed]
    assert api.get(rack, **ADMIN).json["aggregate"] == changed
    assert api.delete(rack, **ADMIN).status_code == 400
    assert act(api, rack, remove_host={"host": "h1"}).status_code == 200
    assert api.delete(rack, **ADMIN).status_code == 200
    assert api.get(rack, **ADMIN).status_code == 404


def test_what_is_refused(api: Api, rack: str) -> None:
    assert api.post(f"{V}/os-aggregates", {"aggregate": {"name": "rack"}}, **ADMIN).status_code == 409
    assert act(api, rack, add_host={"host": "nowhere"}).status_code == 404
    assert act(api, rack, remove_host={"host": "h1"}).status_code == 404
    act(api, rack, add_host={"host": "h1"})
    assert act(api, rack, add_host={"host": "h1"}).status_code == 409
    other = api.post(
        f"{V}/os-aggregates", {"aggregate": {"name": "b", "availability_zone": "z2"}}, **ADMIN
    ).json["aggregate"]
    assert act(api, f"{V}/os-aggregates/{other['id']}", add_host={"host": "h1"}).status_code == 409
    assert act(api, rack, fly={}).status_code == 400
    assert api.get(f"{V}/os-aggregates").status_code == 403
    assert api.get(f"{V}/os-aggregates/-1", **ADMIN).status_code == 404
    assert api.get(f"{V}/os-aggregates/one", **ADMIN).status_code == 400
    for bad in ({"name": ""}, {"name": " x"}, {"name": "x", "availability_zone": ""}, {}):
        assert api.post(f"{V}/os-aggregates", {"aggregate": bad}, **ADMIN).status_code == 400, bad


def test_servers_are_put_into_the_zone_that_they_ask_for(
    cloud: FakeCloud, api: Api, rack: str, body: dict[str, Any]
) -> None:
    act(api, rack, add_host={"host": "h2"})
    wanted = {"server": {**body["server"], "availability_zone": "z1"}}
    url = f"{V}/servers/{api.post(f'{V}/servers', wanted).json['server']['id']}"
    cloud.until(lambda: api.get(url).json["server"]["status"] == "ACTIVE")
    server = api.get(url, **ADMIN).json["server"]
    assert (server["status"], server["OS-EXT-AZ:availability_zone"]) == ("ACTIVE", "z1")
    assert server["OS-EXT-SRV-ATTR:host"] == "h2"
    assert act(api, rack, remove_host={"host": "h2"}).status_code == 409
    assert api.put(rack, {"aggregate": {"availability_zone": "z9"}}, **ADMIN).status_code == 400
    assert api.get(url).json["server"]["OS-EXT-AZ:availability_zone"] == "z1"
    wanted["server"]["availability_zone"] = "z9"
    assert api.post(f"{V}/servers", wanted).status_code == 400
