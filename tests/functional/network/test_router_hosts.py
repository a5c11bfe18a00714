"""Which host carries a router, what it is told, and what its reports mean."""

import contextlib
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from contract.document import Key
from contract.kinds import decode
from contract.port import PortObserved
from contract.report import Fault
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.session import Database
from controller.network.routers import failover
from tests.fakes.fake_cloud import FakeCloud
from tests.fakes.fake_host import FakeHost

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def cloud(db: Database) -> FakeCloud:
    """An engine without threads: ``outbox.flush()`` is what it does when something changed."""
    return FakeCloud(db)


def _join(api: Any, router: dict[str, Any], subnet_id: str) -> dict[str, Any]:
    answer = api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet_id})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def _router(api: Any, make: Make, outside: Any, net: Any) -> dict[str, Any]:
    """A router between ``net`` and ``outside``."""
    made = make("router", external_gateway_info={"network_id": outside["id"]})
    _join(api, made, net["subnet"])
    return made


def _held(host: FakeHost, router: dict[str, Any]) -> Any:
    envelope = host.held.get(Key("router", router["id"]))
    return decode(envelope) if envelope else None


def _ports(api: Any, router: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/v2.0/ports?device_id={router['id']}", token="admin").json[
        "ports"
    ]
    return found


def _silence(db: Database, host: str, seconds: float) -> None:
    at = now() - datetime.timedelta(seconds=seconds)
    db.write(lambda s: s.execute(update(Agent).where(Agent.host == host).values(last_seen_at=at)))


def test_a_gateway_may_have_several_addresses(
    api: Any, make: Make, cloud: FakeCloud, outside: Any, net: Any
) -> None:
    """Of one subnet and of several; the first IPv4 one is what inner addresses leave with."""
    host = cloud.add_host("node1")
    six = make("subnet", token="admin@admin", network_id=outside["id"], ip_version=6, cidr="2001:db8:5::/64")
    asked = [
        {"subnet_id": outside["subnet"], "ip_address": "198.51.100.20"},
        {"subnet_id": six["id"], "ip_address": "2001:db8:5::20"},
        {"subnet_id": outside["subnet"]},
    ]
    router = make("router")
    url = f"/v2.0/routers/{router['id']}"

    def give(fixed_ips: list[dict[str, str]]) -> list[str]:
        info = {"network_id": outside["id"], "external_fixed_ips": fixed_ips}
        changed = api.put(url, {"router": {"external_gateway_info": info}}, token="admin")
        assert changed.status_code == 200, changed.text
        shown = changed.json["router"]["external_gateway_info"]["external_fixed_ips"]
        return [one["ip_address"] for one in shown]

    assert give(asked) == ["198.51.100.20", "2001:db8:5::20", "198.51.100.3"]
    cloud.outbox.flush()
    (gateway,) = _held(host, router).gateways
    assert gateway.addresses == ("198.51.100.20/24", "2001:db8:5::20/64", "198.51.100.3/24")
    assert gateway.next_hops == ("198.51.100.1", "2001:db8:5::1")
    assert give([asked[1], {"ip_address": "198.51.100.3"}]) == ["2001:db8:5::20", "198.51.100.3"]
    cloud.outbox.flush()
    assert _held(host, router).gateways[0].addresses == ("2001:db8:5::20/64", "198.51.100.3/24")
    twice = {"network_id": outside["id"], "external_fixed_ips": [{"ip_address": "198.51.100.30"}] * 2}
    refused = api.put(url, {"router": {"external_gateway_info": twice}}, token="admin")
    assert refused.status_code == 400


def test_the_host_is_told_all_of_the_router(
    api: Any, make: Make, cloud: FakeCloud, outside: Any, net: Any
) -> None:
    host = cloud.add_host("node1")
    router = _router(api, make, outside, net)
    port = make("port", network_id=net["id"])
    floating_ip = make("floatingip", floating_network_id=outside["id"], port_id=port["id"])
    api.put(
        f"/v2.0/routers/{router['id']}",
        {"router": {"routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]}},
    )
    cloud.outbox.flush()
    told = _held(host, router)
    (inner,), (outer,) = told.interfaces, told.gateways
    assert inner.addresses == ("10.0.0.1/24",) and inner.network_id == net["id"] and inner.advertised == ()
    assert outer.addresses == ("198.51.100.3/24",) and outer.next_hops == ("198.51.100.1",) and outer.is_snat
    assert {inner.mtu, outer.mtu} == {net["mtu"], outside["mtu"]}
    (address,) = told.floating_ips
    assert address.id == floating_ip["id"] and address.fixed_ip_address == port["fixed_ips"][0]["ip_address"]
    assert [(r.destination, r.next_hop) for r in told.routes] == [("192.0.2.0/24", "10.0.0.9")]
    for kind, key in (("network", net["id"]), ("segment", outside["id"]), ("port", inner.port_id)):
        assert Key(kind, key) in host.held
    plugged = decode(host.held[Key("port", outer.port_id)])
    assert plugged.is_port_security is False  # type: ignore[attr-defined]
    assert {p["status"] for p in _ports(api, router)} == {"ACTIVE"}
    shown = api.get(f"/v2.0/floatingips/{floating_ip['id']}").json["floatingip"]
    assert shown["status"] == "ACTIVE"


def test_prefixes_are_advertised_as_their_subnets_say(api: Any, make: Make, cloud: FakeCloud) -> None:
    host = cloud.add_host("node1")
    network, router = make("network"), make("router")
    subnet = make(
        "subnet",
        network_id=network["id"],
        ip_version=6,
        cidr="2001:db8:1::/64",
        ipv6_ra_mode="slaac",
        ipv6_address_mode="slaac",
        dns_nameservers=["2001:db8::53"],
    )
    _join(api, router, subnet["id"])
    cloud.outbox.flush()
    (inner,) = _held(host, router).interfaces
    (prefix,) = inner.advertised
    assert (prefix.cidr, prefix.mode, prefix.dns_nameservers) == (
        "2001:db8:1::/64",
        "slaac",
        ("2001:db8::53",),
    )
    api.put(f"/v2.0/subnets/{subnet['id']}", {"subnet": {"dns_nameservers": []}})
    cloud.outbox.flush()
    assert _held(host, router).interfaces[0].advertised[0].dns_nameservers == ()


def test_a_floating_ip_is_active_when_the_host_says_so(
    api: Any, make: Make, cloud: FakeCloud, outside: Any, net: Any
) -> None:
    host = cloud.add_host("node1")
    router = _router(api, make, outside, net)
    cloud.outbox.flush()
    host.hold.add("router")
    port = make("port", network_id=net["id"])
    made = make("floatingip", floating_network_id=outside["id"], port_id=port["id"])
    url = f"/v2.0/floatingips/{made['id']}"
    key = Key("router", router["id"])
    host.say(key, "applied", host.held[key].digest)  # what it says of the old document is old
    cloud.outbox.flush()
    assert api.get(url).json["floatingip"]["status"] == "DOWN"
    host.work(key)
    assert api.get(url).json["floatingip"]["status"] == "ACTIVE"
    host.say(key, "failed", host.held[key].digest, fault=Fault(message="no"))
    assert api.get(url).json["floatingip"]["status"] == "DOWN"
    assert api.get(f"/v2.0/routers/{router['id']}").json["router"]["status"] == "ERROR"
    host.work(key)
    assert api.get(f"/v2.0/routers/{router['id']}").json["router"]["status"] == "ACTIVE"
    api.put(url, {"floatingip": {"port_id": None}})
    assert api.get(url).json["floatingip"]["status"] == "DOWN"
    host.hold.clear()
    cloud.outbox.flush()
    assert _held(host, router).floating_ips == ()


def test_a_router_that_goes_is_a_tombstone(
    api: Any, make: Make, cloud: FakeCloud, outside: Any, net: Any
) -> None:
    host = cloud.add_host("node1")
    router = _router(api, make, outside, net)
    cloud.outbox.flush()
    url = f"/v2.0/routers/{router['id']}"
    api.put(f"{url}/remove_router_interface", {"subnet_id": net["subnet"]})
    cloud.outbox.flush()
    assert _held(host, router).interfaces == ()
    assert api.delete(url).status_code == 204
    cloud.outbox.flush()
    assert host.held == {} and Key("router", router["id"]) in host.removed


def test_routers_are_spread(api: Any, make: Make, cloud: FakeCloud) -> None:
    for name in ("node1", "node2"):
        cloud.add_host(name)
    hosts = []
    for n in range(4):
        network, router = make("network"), make("router")
        subnet = make("subnet", network_id=network["id"], ip_version=4, cidr=f"10.{n}.0.0/24")
        _join(api, router, subnet["id"])
        hosts += [port["binding:host_id"] for port in _ports(api, router)]
    assert sorted(hosts) == ["node1", "node1", "node2", "node2"]


def test_a_router_goes_where_its_physical_network_is(
    api: Any, make: Make, cloud: FakeCloud, net: Any
) -> None:
    cloud.add_host("node1")
    router = make("router")
    _join(api, router, net["subnet"])
    flat = make(
        "network",
        token="admin@admin",
        **{"router:external": True, "provider:network_type": "flat", "provider:physical_network": "public"},
    )
    make("subnet", token="admin@admin", network_id=flat["id"], ip_version=4, cidr="198.51.100.0/24")
    other = cloud.add_host("node2")
    other.bridge_mappings = {"public": "br-ex"}
    other.beat()
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    api.put(
        f"/v2.0/routers/{router['id']}", {"router": {"external_gateway_info": {"network_id": flat["id"]}}}
    )
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node2"}


def test_a_router_waits_for_a_host_and_leaves_a_dead_one(
    api: Any, make: Make, cloud: FakeCloud, db: Database, net: Any
) -> None:
    router = make("router")
    _join(api, router, net["subnet"])
    assert {p["binding:host_id"] for p in _ports(api, router)} == {""}
    clock = Clock()
    rehost = failover.Failover(clock)
    rehost(db)
    first = cloud.add_host("node1")
    rehost(db)
    cloud.outbox.flush()
    assert _held(first, router) is not None
    second = cloud.add_host("node2")
    first.is_deaf = True
    clock.pass_with(rehost, db, 61)
    _silence(db, "node1", 30)
    rehost(db)
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    _silence(db, "node1", 61)
    rehost(db)
    cloud.outbox.flush()
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node2"}
    assert _held(second, router) is not None
    first.is_deaf = False
    first.beat()
    assert _held(first, router) is None and Key("router", router["id"]) in first.removed


@pytest.mark.parametrize("away", ["agents silent", "engine stopped", "engine new"])
def test_hosts_that_come_back_one_by_one_keep_their_routers(
    api: Any, make: Make, cloud: FakeCloud, db: Database, net: Any, away: str
) -> None:
    """All were silent for longer than a host is waited for, as nobody could hear them."""
    first = cloud.add_host("node1")
    clock, router = Clock(), make("router")
    rehost = failover.Failover(clock)
    _join(api, router, net["subnet"])
    clock.pass_with(rehost, db, 100)
    cloud.add_host("node2")
    for name in ("node1", "node2"):
        _silence(db, name, 200)
    if away == "agents silent":  # the broker was away
        clock.pass_with(rehost, db, 200)
    elif away == "engine stopped":
        clock.now += 200
    else:
        clock.now += 200
        rehost = failover.Failover(clock)
    cloud.hosts[1].beat()
    rehost(db)
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    clock.pass_with(rehost, db, 30, cloud.hosts[1])
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    first.beat()
    clock.pass_with(rehost, db, 61, cloud.hosts[1])
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    _silence(db, "node1", 61)
    rehost(db)
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node2"}


class Clock:
    """An engine's clock, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_with(
        self, rehost: failover.Failover, db: Database, seconds: int, host: FakeHost | None = None
    ) -> None:
        """Time goes by, in which an engine looks after its routers as often as it does, and hears a host."""
        for _ in range(0, seconds, 5):
            self.now += 5
            if host is not None:
                host.beat()
            rehost(db)


def test_routers_are_given_to_agents_by_hand(api: Any, make: Make, cloud: FakeCloud, net: Any) -> None:
    for name in ("node1", "node2"):
        cloud.add_host(name)
    listed = api.get("/v2.0/agents?agent_type=L3%20agent", token="admin").json["agents"]
    first, second = (f"/v2.0/agents/{agent['id']}/l3-routers" for agent in listed)
    router = make("router")
    carriers = f"/v2.0/routers/{router['id']}/l3-agents"
    assert api.get(carriers, token="admin").json["agents"] == []
    assert api.get(carriers).status_code == 403
    body = {"router_id": router["id"]}
    assert api.post(second, body).status_code == 403
    assert api.post(second, body, token="admin").status_code == 201
    assert api.post(second, body, token="admin").status_code == 201
    taken = api.post(first, body, token="admin")
    assert taken.status_code == 409 and taken.json["NeutronError"]["type"] == "RouterHostedByL3Agent"
    _join(api, router, net["subnet"])
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node2"}
    assert [a["host"] for a in api.get(carriers, token="admin").json["agents"]] == ["node2"]
    assert [r["id"] for r in api.get(second, token="admin").json["routers"]] == [router["id"]]
    assert api.delete(f"{second}/{router['id']}", token="admin").status_code == 204
    assert {p["binding:host_id"] for p in _ports(api, router)} == {"node1"}
    gone = api.delete(f"{second}/{router['id']}", token="admin")
    assert gone.status_code == 409 and gone.json["NeutronError"]["type"] == "RouterNotHostedByL3Agent"
    dhcp = api.get("/v2.0/agents?agent_type=DHCP%20agent", token="admin").json["agents"][0]["id"]
    wrong = api.post(f"/v2.0/agents/{dhcp}/l3-routers", body, token="admin")
    assert wrong.status_code == 404 and wrong.json["NeutronError"]["type"] == "InvalidL3Agent"


def test_other_hosts_of_the_external_network_know_what_is_behind_a_gateway(
    api: Any, make: Make, cloud: FakeCloud, db: Database, outside: Any, net: Any
) -> None:
    carrier, other = cloud.add_host("node1"), FakeHost("node2", cloud.line)
    router = _router(api, make, outside, net)
    other.tunnel_ip = "127.0.0.2"
    cloud.hosts.append(other)
    other.beat()
    here = {"binding:host_id": "node2", "network_id": outside["id"]}
    make("port", token="admin@admin", **here)
    inner = make("port", network_id=net["id"])
    made = make("floatingip", floating_network_id=outside["id"], port_id=inner["id"])
    cloud.outbox.flush()
    key = Key("segment", outside["id"])
    assert key in carrier.held

    def behind() -> tuple[str, ...]:
        (endpoint,) = decode(other.held[key]).endpoints  # type: ignore[attr-defined]
        (port,) = endpoint.ports
        found: tuple[str, ...] = port.ip_addresses
        return found

    gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    assert behind() == (gateway, made["floating_ip_address"])
    api.delete(f"/v2.0/floatingips/{made['id']}")
    cloud.outbox.flush()
    assert behind() == (gateway,)


def test_ports_of_a_router_that_is_off_are_as_they_should_be(
    api: Any, make: Make, cloud: FakeCloud, net: Any
) -> None:
    host = cloud.add_host("node1")
    for is_up, status in ((False, "ACTIVE"), (True, "DOWN")):
        router = make("router", admin_state_up=is_up)
        port_id = make("port", network_id=net["id"])["id"]
        api.put(f"/v2.0/routers/{router['id']}/add_router_interface", {"port_id": port_id})
        cloud.outbox.flush()
        key = Key("port", port_id)
        host.say(key, "applied", host.held[key].digest, PortObserved(is_wired=False))
        assert [p["status"] for p in _ports(api, router)] == [status]


def test_the_engine_finds_routers_that_wait(api: Any, make: Make, cloud: FakeCloud, net: Any) -> None:
    router = make("router")
    _join(api, router, net["subnet"])
    host = cloud.add_host("node1")
    with contextlib.ExitStack() as stack:
        cloud.start(stack)
        cloud.until(lambda: _held(host, router))
