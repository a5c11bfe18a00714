"""What another project sees and may do: nothing (SECURITY.md 16, 18, 19)."""

import itertools
from typing import Any

import pytest

from controller.db.session import Database
from controller.network.ports import server as server_ports

SINGULARS = ("network", "subnet", "port", "security_group", "security_group_rule")


@pytest.fixture
def things(make: Any, net: Any) -> dict[str, str]:
    """One of everything, of alpha."""
    group = make("security_group", name="secret")
    return {
        "network": net["id"],
        "subnet": net["subnet"],
        "port": make("port", network_id=net["id"])["id"],
        "security_group": group["id"],
        "security_group_rule": group["security_group_rules"][0]["id"],
    }


def _path(singular: str) -> str:
    return "/v2.0/" + singular.replace("_", "-") + "s"


@pytest.mark.parametrize("singular", SINGULARS)
@pytest.mark.parametrize("role", ["member", "reader", "manager"])
def test_what_is_of_another_project_does_not_exist(api: Any, things: Any, singular: str, role: str) -> None:
    token, url = f"{role}@beta", f"{_path(singular)}/{things[singular]}"
    plural = singular + "s"
    assert api.get(url, token=token).status_code == 404
    assert things[singular] not in {r["id"] for r in api.get(_path(singular), token=token).json[plural]}
    for query in (f"id={things[singular]}", f"project_id={'a' * 32}", f"network_id={things['network']}"):
        found = api.get(f"{_path(singular)}?{query}", token=token).json[plural]
        assert things[singular] not in {r["id"] for r in found}
    refused = {403, 404, 405}
    assert api.put(url, {singular: {"description": "mine"}}, token=token).status_code in refused
    assert api.delete(url, token=token).status_code in refused
    for method, tail in itertools.product(("GET", "PUT", "DELETE"), ("tags", "tags/x")):
        if singular != "security_group_rule":
            body = {"tags": ["x"]} if (method, tail) == ("PUT", "tags") else None
            assert api.call(method, f"{url}/{tail}", body, token=token).status_code in refused
    assert api.get(url).status_code == 200


def test_nothing_is_built_on_what_is_of_another_project(api: Any, things: Any, make: Any) -> None:
    token = "member@beta"
    mine = make("network", token=token)
    group = make("security_group", token=token, name="g")
    for singular, values in (
        ("port", {"network_id": things["network"]}),
        ("port", {"network_id": mine["id"], "security_groups": [things["security_group"]]}),
        ("port", {"network_id": mine["id"], "fixed_ips": [{"subnet_id": things["subnet"]}]}),
        ("subnet", {"network_id": things["network"], "ip_version": 4, "cidr": "10.7.0.0/24"}),
        ("security_group_rule", {"security_group_id": things["security_group"], "direction": "ingress"}),
        (
            "security_group_rule",
            {
                "security_group_id": group["id"],
                "direction": "ingress",
                "remote_group_id": things["security_group"],
            },
        ),
    ):
        assert api.post(_path(singular), {singular: values}, token=token).status_code in (400, 404)


@pytest.mark.parametrize("singular", SINGULARS)
def test_readers_only_read(api: Any, things: Any, singular: str) -> None:
    url = f"{_path(singular)}/{things[singular]}"
    assert api.get(url, token="reader").status_code == 200
    assert api.post(_path(singular), {singular: {}}, token="reader").status_code == 403
    assert api.delete(url, token="reader").status_code == 403
    assert api.put(url, {singular: {}}, token="reader").status_code in (403, 405)
    assert api.get(url, token="").status_code == 401


def test_a_written_device_id_puts_no_port_into_a_server(api: Any, make: Any, net: Any, db: Database) -> None:
    forged = {"device_id": "victim", "device_owner": "compute:nova"}
    port = make("port", network_id=net["id"], **forged)
    api.put(f"/v2.0/ports/{port['id']}", {"port": {**forged, "name": "again"}})
    with db.read() as session:
        assert server_ports.of_servers(session, ["victim"]) == {"victim": []}
    db.write(lambda s: server_ports.bind(s, "victim", "node1"))
    shown = api.get(f"/v2.0/ports/{port['id']}", token="admin").json["port"]
    assert shown["binding:host_id"] == ""
