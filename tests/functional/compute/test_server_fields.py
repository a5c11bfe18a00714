"""Fields of a server as they are given and shown."""

from typing import Any

import pytest

from nova_compute.domain.server import name as domain_name
from tests.functional.conftest import Api

V = "/compute/v2.1"


def test_access_addresses_are_shown_in_their_usual_writing(api: Api, body: dict[str, Any]) -> None:
    given = {"accessIPv4": "1.1.1.1", "accessIPv6": "0000:0000:0000:0000:0000:babe:220.12.22.2"}
    made = api.post(f"{V}/servers", {"server": {**body["server"], **given}})
    url = f"{V}/servers/{made.json['server']['id']}"
    shown = api.get(url).json["server"]
    assert (shown["accessIPv4"], shown["accessIPv6"]) == ("1.1.1.1", "::babe:dc0c:1602")
    assert api.put(url, {"server": {"accessIPv4": ""}}).json["server"]["accessIPv4"] == ""


@pytest.mark.parametrize(
    "bad",
    [{"accessIPv4": "1.1.1"}, {"accessIPv4": "::1"}, {"accessIPv6": "1.1.1.1"}, {"accessIPv6": "fe80::1%x"}],
)
def test_access_addresses_that_are_none(api: Api, body: dict[str, Any], bad: dict[str, str]) -> None:
    assert api.post(f"{V}/servers", {"server": {**body["server"], **bad}}).status_code == 400


def test_the_instance_name_is_the_domains(api: Api, body: dict[str, Any]) -> None:
    server_id = api.post(f"{V}/servers", body).json["server"]["id"]
    shown = api.get(f"{V}/servers/{server_id}", token="admin").json["server"]
    assert shown["OS-EXT-SRV-ATTR:instance_name"] == domain_name(server_id)
