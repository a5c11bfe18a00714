"""Ports in servers and the documents that hosts get, through the functions that compute and engine call."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select

from contract.document import Key, encode
from contract.port import PortObserved
from contract.report import Report
from controller.db.agents import Agent
from controller.db.outbox import OutboxRow
from controller.db.session import Database
from controller.network import documents, observe
from controller.network.ports import server as server_ports
from controller.network.ports.create import NewPort, create
from controller.web.errors import BadRequest, Conflict, NotFound

ALPHA, BETA = "a" * 32, "b" * 32
OWNER = "compute:nova"


def _boot(db: Database, server_id: str, network_id: str, host: str | None = None, **values: Any) -> str:
    new = NewPort(network_id, device_id=server_id, device_owner=OWNER, created_by_server=True, **values)
    port_id: str = db.write(lambda s: create(s, ALPHA, new).id)
    if host:
        db.write(lambda s: server_ports.bind(s, server_id, host))
    return port_id


def _changed(db: Database) -> set[Key]:
    """Documents that the outbox asks to look at; empties it."""

    def take(session: Any) -> set[Key]:
        rows = session.execute(select(OutboxRow.kind, OutboxRow.resource_id)).all()
        session.execute(delete(OutboxRow))
        keys: set[Key] = set()
        for kind, row_id in rows:
            found = documents.DEPENDENTS.get(kind)
            keys |= found(session, row_id) if found else {Key(kind, row_id)}
        return keys

    return db.write(take)


def _render(db: Database, kind: str, row_id: str, host: str) -> Any:
    with db.read() as session:
        return documents.DOCUMENTS[kind].render(session, host, row_id)


def _hosts(db: Database, kind: str, row_id: str) -> set[str]:
    with db.read() as session:
        return documents.DOCUMENTS[kind].hosts(session, row_id)


def test_of_servers_has_nics_in_order(db: Database, net: Any, queries: Any) -> None:
    first = _boot(db, "s1", net["id"], tag="one")
    second = _boot(db, "s1", net["id"])
    _boot(db, "s2", net["id"])
    with db.read() as session, queries() as seen:
        found = server_ports.of_servers(session, ["s1", "s2", "s3"])
    assert len([s for s in seen if s.startswith("SELECT")]) <= 3
    assert [p.port_id for p in found["s1"]] == [first, second] and found["s3"] == []
    port = found["s1"][0]
    assert (port.network_name, port.mtu, port.status, port.binding_host, port.tag) == (
        "net",
        1450,
        "DOWN",
        "",
        "one",
    )
    assert port.is_created_by_server and port.addresses[0].ip_address == "10.0.0.3"
    with db.read() as session:
        assert server_ports.security_group_names(session, ["s1"]) == {"s1": ["default"]}
        (nic, _) = server_ports.instance_nics(session, "s1")
    assert nic.addresses[0].gateway_ip == "10.0.0.1" and nic.addresses[0].cidr == "10.0.0.0/24"


def test_claim(db: Database, api: Any, make: Any, net: Any) -> None:
    port = make("port", network_id=net["id"])
    claimed = db.write(lambda s: server_ports.claim(s, ALPHA, port["id"], "s1", OWNER))
    assert claimed.device_id == "s1" and not claimed.is_created_by_server
    db.write(lambda s: server_ports.claim(s, ALPHA, port["id"], "s1", OWNER))
    with pytest.raises(Conflict):
        db.write(lambda s: server_ports.claim(s, ALPHA, port["id"], "s2", OWNER))
    with pytest.raises(NotFound):
        db.write(lambda s: server_ports.claim(s, BETA, port["id"], "s2", OWNER))
    bare = make("port", network_id=net["id"], fixed_ips=[])
    with pytest.raises(BadRequest):
        db.write(lambda s: server_ports.claim(s, ALPHA, bare["id"], "s1", OWNER))
    url = f"/v2.0/ports/{port['id']}"
    assert api.put(url, {"port": {"device_id": "s9"}}).status_code == 409
    db.write(lambda s: server_ports.release(s, "s1"))
    freed = api.get(url).json["port"]
    assert freed["device_id"] == "" == freed["device_owner"]


def test_release_deletes_what_was_made_for_the_server(db: Database, api: Any, net: Any) -> None:
    port_id = _boot(db, "s1", net["id"], "node1")
    _changed(db)
    db.write(lambda s: server_ports.release(s, "s1"))
    assert api.get(f"/v2.0/ports/{port_id}").status_code == 404
    group = api.get("/v2.0/security-groups").json["security_groups"][0]["id"]
    told = _changed(db)
    assert {
        Key("port", port_id),
        Key("network", net["id"]),
        Key("segment", net["id"]),
        Key("security_group", group),
        Key("server", "s1"),
    } <= told
    assert _hosts(db, "port", port_id) == set() == _hosts(db, "network", net["id"])
    db.write(lambda s: server_ports.release(s, "s1"))


def test_networks_for_boot(db: Database, make: Any, net: Any) -> None:
    make("network", name="without subnets")
    shared = make("network", token="admin@admin", shared=True)
    make("subnet", token="admin@admin", network_id=shared["id"], ip_version=4, cidr="10.1.0.0/24")
    external = make("network", token="admin@admin", **{"router:external": True})
    make("subnet", token="admin@admin", network_id=external["id"], ip_version=4, cidr="10.2.0.0/24")
    with db.read() as session:
        assert server_ports.networks_for_boot(session, ALPHA) == [net["id"], shared["id"]]
        assert server_ports.networks_for_boot(session, BETA) == [shared["id"]]


def test_resolve_groups(db: Database, make: Any) -> None:
    one = make("security_group", name="one")
    make("security_group", name="twin")
    make("security_group", name="twin")
    found = db.write(lambda s: server_ports.resolve_groups(s, ALPHA, ["one", one["id"], "default"]))
    assert found[:2] == [one["id"]] * 2 and len(found) == 3
    for name in ("twin", "nonsense"):
        with pytest.raises(BadRequest):
            db.write(lambda s, n=name: server_ports.resolve_groups(s, ALPHA, [n]))


def test_documents_of_two_hosts(db: Database, api: Any, net: Any) -> None:
    for host, address in (("node1", "192.0.2.1"), ("node2", "192.0.2.2")):
        agent = Agent(id=host, host=host, agent="ovs-agent", capabilities={"tunnel_ip": address})
        db.write(lambda s, a=agent: s.add(a))
    one = _boot(db, "s1", net["id"], "node1", allowed_address_pairs=({"ip_address": "10.0.0.99"},))
    two = _boot(db, "s2", net["id"], "node2")
    assert {Key("port", one), Key("segment", net["id"]), Key("server", "s2")} <= _changed(db)
    port = _render(db, "port", one, "node1")
    assert (
        port.fixed_ips[0].ip_address == "10.0.0.3" and port.allowed_address_pairs[0].ip_address == "10.0.0.99"
    )
    assert _render(db, "port", one, "node2") is None and _hosts(db, "port", one) == {"node1"}
    network = _render(db, "network", net["id"], "node1")
    assert network.subnets[0].cidr == "10.0.0.0/24" and network.service_port.addresses == ("10.0.0.2/24",)
    segment = _render(db, "segment", net["id"], "node1")
    (endpoint,) = segment.endpoints
    assert endpoint.address == "192.0.2.2" and endpoint.ports[0].ip_addresses == ("10.0.0.4",)
    assert _hosts(db, "segment", net["id"]) == {"node1", "node2"}
    (group_id,) = port.security_group_ids
    group = _render(db, "security_group", group_id, "node1")
    assert {m.port_id for m in group.members} == {one, two} and len(group.rules) == 4
    assert ("10.0.0.3", "10.0.0.99") in [m.ip_addresses for m in group.members]
    for document in (port, network, segment, group):
        assert encode(document)


def test_a_group_goes_where_it_is_named_as_remote(db: Database, api: Any, make: Any, net: Any) -> None:
    web, app = make("security_group", name="web"), make("security_group", name="app")
    _boot(db, "s1", net["id"], "node1", security_group_ids=(web["id"],))
    _boot(db, "s2", net["id"], "node2", security_group_ids=(app["id"],))
    _changed(db)
    rule = make(
        "security_group_rule", security_group_id=app["id"], direction="ingress", remote_group_id=web["id"]
    )
    assert _changed(db) == {Key("security_group", web["id"]), Key("security_group", app["id"])}
    assert _hosts(db, "security_group", web["id"]) == {"node1", "node2"}
    assert _hosts(db, "security_group", app["id"]) == {"node2"}
    api.delete(f"/v2.0/security-group-rules/{rule['id']}")
    assert _changed(db) == {Key("security_group", web["id"]), Key("security_group", app["id"])}
    assert _hosts(db, "security_group", web["id"]) == {"node1"}


def _report(state: str, is_wired: bool) -> Report:
    observed = msgspec.json.encode(PortObserved(is_wired=is_wired))
    return Report(sequence=1, kind="port", id="x", digest="d", state=state, observed=observed)  # type: ignore[arg-type]


def test_observed_ports(db: Database, api: Any, net: Any) -> None:
    port_id = _boot(db, "s1", net["id"], "node1")

    def say(host: str, state: str, is_wired: bool) -> list[str]:
        return db.write(lambda s: observe.observe_port(s, host, port_id, _report(state, is_wired)))

    def status() -> str:
        return str(api.get(f"/v2.0/ports/{port_id}").json["port"]["status"])

    assert say("node2", "applied", True) == [] and status() == "DOWN"
    with db.read() as session:
        assert not server_ports.is_wired(session, "s1")
    assert say("node1", "applied", True) == ["server:s1"] and status() == "ACTIVE"
    with db.read() as session:
        assert server_ports.is_wired(session, "s1")
    assert say("node1", "retrying", True) == ["server:s1"] and status() == "DOWN"
    say("node1", "applied", True)
    db.write(lambda s: server_ports.bind(s, "s1", "node1"))
    assert status() == "ACTIVE"
    db.write(lambda s: server_ports.bind(s, "s1", "node2"))
    assert status() == "DOWN"


def test_an_unbound_server_has_no_documents(db: Database, net: Any) -> None:
    port_id = _boot(db, "s1", net["id"], "node1")
    _changed(db)
    db.write(lambda s: server_ports.unbind(s, "s1"))
    assert Key("port", port_id) in _changed(db) and _hosts(db, "port", port_id) == set()


def test_floating_addresses_come_after_the_fixed_ones(
    api: Any, db: Database, make: Any, net: Any, outside: Any, queries: Any
) -> None:
    router = make("router", external_gateway_info={"network_id": outside["id"]})
    api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": net["subnet"]})
    first, second = _boot(db, "s1", net["id"]), _boot(db, "s1", net["id"])
    made = make("floatingip", floating_network_id=outside["id"], port_id=first)
    with db.read() as session, queries() as seen:
        listed = server_ports.addresses_of(session, ["s1"])["s1"]
    fixed = [api.get(f"/v2.0/ports/{p}").json["port"]["fixed_ips"][0]["ip_address"] for p in (first, second)]
    assert [(a.type, a.ip_address) for a in listed] == [
        *(("fixed", address) for address in fixed),
        ("floating", made["floating_ip_address"]),
    ]
    assert listed[0].mac_address == listed[2].mac_address
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1
    db.write(lambda s: server_ports.release(s, "s1"))
    assert api.get(f"/v2.0/floatingips/{made['id']}").json["floatingip"]["port_id"] is None


def test_a_server_takes_its_trunk_along_and_leaves_subports_behind(db: Database, api: Any, net: Any) -> None:
    """A parent that was made for the server goes with it; a given one stays, with the trunk, on no host."""
    made = _boot(db, "s-1", net["id"], "h1")
    given = api.post("/v2.0/ports", {"port": {"network_id": net["id"]}}).json["port"]["id"]
    trunks = []
    for parent, tag in ((made, 5), (given, 6)):
        child = api.post("/v2.0/ports", {"port": {"network_id": net["id"]}}).json["port"]["id"]
        sub_ports = [{"port_id": child, "segmentation_type": "vlan", "segmentation_id": tag}]
        body = {"trunk": {"port_id": parent, "sub_ports": sub_ports}}
        trunks.append((api.post("/v2.0/trunks", body).json["trunk"]["id"], child))
    with pytest.raises(Conflict):
        db.write(lambda s: server_ports.claim(s, ALPHA, trunks[1][1], "s-1", OWNER))
    db.write(lambda s: server_ports.claim(s, ALPHA, given, "s-1", OWNER))
    db.write(lambda s: server_ports.bind(s, "s-1", "h1"))
    hosts = {child: _render(db, "port", child, "h1").parent_port_id for _, child in trunks}
    assert set(hosts.values()) == {made, given}
    db.write(lambda s: server_ports.release(s, "s-1"))
    assert api.get(f"/v2.0/trunks/{trunks[0][0]}").status_code == 404
    assert api.get(f"/v2.0/trunks/{trunks[1][0]}").json["trunk"]["status"] == "DOWN"
    for _, child in trunks:
        shown = api.get(f"/v2.0/ports/{child}", token="admin").json["port"]
        assert shown["binding:host_id"] == "" and _render(db, "port", child, "h1") is None
