"""Names of ports: what is shown is what hosts are told."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Key
from contract.kinds import decode
from controller.db.session import Database
from tests.fakes.fake_cloud import FakeCloud

Make = Callable[..., dict[str, Any]]


def _names(port: dict[str, Any]) -> list[tuple[str, str]]:
    assert [found["ip_address"] for found in port["dns_assignment"]] == [
        fixed["ip_address"] for fixed in port["fixed_ips"]
    ]
    return [(found["hostname"], found["fqdn"]) for found in port["dns_assignment"]]


def test_the_domain_is_the_ports_or_the_networks_or_the_clouds(api: Any, make: Make, net: Any) -> None:
    port = make("port", network_id=net["id"], dns_name="Web")
    assert port["dns_name"] == "web" and port["dns_domain"] == ""
    assert _names(port) == [("web", "web.openstacklocal.")]
    nameless = make("port", network_id=net["id"])
    assert _names(nameless) == [("host-10-0-0-4", "host-10-0-0-4.openstacklocal.")]
    api.put(f"/v2.0/networks/{net['id']}", {"network": {"dns_domain": "Net.org."}})
    url = f"/v2.0/ports/{port['id']}"
    assert _names(api.get(url).json["port"]) == [("web", "web.net.org.")]
    own = api.put(url, {"port": {"dns_domain": "own.org."}}).json["port"]
    assert own["dns_domain"] == "own.org." and _names(own) == [("web", "web.own.org.")]
    whole = api.put(url, {"port": {"dns_name": "db.own.org."}}).json["port"]
    assert _names(whole) == [("db.own.org.", "db.own.org.")]
    assert len(api.get("/v2.0/ports?dns_name=DB.own.org.").json["ports"]) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"dns_name": "a.elsewhere.org."},
        {"dns_name": "openstacklocal."},
        {"dns_name": "x" * 64},
        {"dns_name": ".".join(["x" * 60] * 4)},
        {"dns_name": "a.1"},
        {"dns_name": "-a"},
        {"dns_name": "a..b"},
        {"dns_domain": "no-dot"},
        {"dns_domain": "a.1."},
        {"dns_name": "db.own.org.", "dns_domain": "other.org."},
    ],
)
def test_names_that_cannot_be(api: Any, make: Make, net: Any, values: dict[str, str]) -> None:
    assert api.post("/v2.0/ports", {"port": {"network_id": net["id"], **values}}).status_code == 400
    port = make("port", network_id=net["id"])
    assert api.put(f"/v2.0/ports/{port['id']}", {"port": values}).status_code == 400


def test_hosts_are_told_the_names_of_all_ports(api: Any, make: Make, net: Any, db: Database) -> None:
    cloud = FakeCloud(db)
    one, two = cloud.add_host("one"), cloud.add_host("two")
    two.tunnel_ip = "192.0.2.2"
    two.beat()
    for host, name in (("one", "a"), ("two", "b")):
        make(
            "port",
            token="admin",
            project_id="a" * 32,
            network_id=net["id"],
            dns_name=name,
            dns_domain="own.org.",
            **{"binding:host_id": host},
        )
    cloud.outbox.flush()
    network = decode(one.held[Key("network", net["id"])])
    assert network.dns_domain == "openstacklocal."  # type: ignore[attr-defined]
    (port,) = (decode(e) for key, e in one.held.items() if key.kind == "port")
    assert (port.hostname, port.dns_domain) == ("a", "own.org.")  # type: ignore[attr-defined]
    (end,) = decode(one.held[Key("segment", net["id"])]).endpoints  # type: ignore[attr-defined]
    assert [(p.hostname, p.dns_domain) for p in end.ports] == [("b", "own.org.")]


def test_names_cross_provider_networks_too(api: Any, make: Make, db: Database) -> None:
    cloud = FakeCloud(db)
    provider = {"provider:network_type": "flat", "provider:physical_network": "public"}
    network = make("network", token="admin", **provider)
    make("subnet", token="admin", network_id=network["id"], ip_version=4, cidr="192.0.2.0/24")
    one = cloud.add_host("one")
    cloud.add_host("two")
    for host in ("one", "two"):
        make("port", token="admin", network_id=network["id"], dns_name=host, **{"binding:host_id": host})
    cloud.outbox.flush()
    (end,) = decode(one.held[Key("segment", network["id"])]).endpoints  # type: ignore[attr-defined]
    assert end.address == "" and [port.hostname for port in end.ports] == ["two"]


def test_on_a_foreign_network_ports_have_no_domain_of_their_own(api: Any, make: Make, db: Database) -> None:
    """Its other guests would ask the same resolver, and be led astray."""
    network = make("network", token="admin@admin", shared=True)
    make("subnet", token="admin@admin", network_id=network["id"], ip_version=4, cidr="192.0.2.0/24")
    port = make("port", network_id=network["id"], dns_name="www", dns_domain="google.com.")
    assert port["dns_domain"] == "google.com." and _names(port) == [("www", "www.openstacklocal.")]
    cloud = FakeCloud(db)
    host = cloud.add_host("one")
    api.put(f"/v2.0/ports/{port['id']}", {"port": {"binding:host_id": "one"}}, token="admin")
    cloud.outbox.flush()
    (told,) = (decode(e) for key, e in host.held.items() if key.kind == "port")
    assert told.dns_domain == ""  # type: ignore[attr-defined]
