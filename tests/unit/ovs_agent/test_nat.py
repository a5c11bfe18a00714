"""Which connections agree with today's rules: what they would not make any more is cut, the rest goes on."""

import msgspec
import pytest

from ovs_agent.namespaces.nat import Connection, Forward, Gateway, Nat, agrees, moved_addresses

TCP, ICMP = 6, 1
NAT = Nat(
    gateways=(Gateway("qg-1", "172.24.4.5"),),
    floating={"172.24.4.10": "10.0.0.10"},
    fixed={"10.0.0.10": "172.24.4.10"},
    forwards=(Forward("172.24.4.20", "tcp", 8000, 8009, "10.0.0.20", 9000),),
)
WORLD = "192.0.2.1"


def into(outer: str, port: int | None, inner: str, new_port: int | None, protocol: int = TCP) -> Connection:
    """One that began outside."""
    return Connection(protocol, WORLD, outer, port, WORLD, inner, new_port)


def out(inner: str, outer: str) -> Connection:
    """One that began inside."""
    return Connection(TCP, inner, WORLD, 80, outer, WORLD, 80)


@pytest.mark.parametrize(
    "seen",
    [
        into("172.24.4.10", 22, "10.0.0.10", 22),
        into("172.24.4.10", None, "10.0.0.10", None, ICMP),
        into("172.24.4.20", 8003, "10.0.0.20", 9003),
        into("10.0.0.10", 22, "10.0.0.10", 22),
        out("10.0.0.10", "172.24.4.10"),
        out("10.0.0.99", "172.24.4.5"),
        out("10.0.0.10", "172.24.4.5"),
        out("10.0.0.99", "10.0.0.99"),
        Connection(TCP, "10.0.0.99", "172.24.4.10", 22, "172.24.4.5", "10.0.0.10", 22),
    ],
)
def test_what_the_rules_make_stays(seen: Connection) -> None:
    assert agrees(NAT, seen)


@pytest.mark.parametrize(
    "seen",
    [
        into("172.24.4.10", 22, "10.0.0.11", 22),
        into("172.24.4.11", 22, "10.0.0.10", 22),
        into("172.24.4.20", 8003, "10.0.0.20", 9004),
        into("172.24.4.20", 8010, "10.0.0.20", 9010),
        out("10.0.0.11", "172.24.4.10"),
        out("10.0.0.99", "172.24.4.6"),
    ],
)
def test_what_they_would_not_make_any_more_is_cut(seen: Connection) -> None:
    assert not agrees(NAT, seen)


def test_without_snat_only_floating_ips_translate() -> None:
    plain = msgspec.structs.replace(NAT, gateways=(Gateway("qg-1", ""),))
    assert agrees(plain, out("10.0.0.10", "172.24.4.10"))
    assert not agrees(plain, out("10.0.0.99", "172.24.4.5"))
    assert not agrees(Nat(), out("10.0.0.10", "172.24.4.10"))


def test_only_outer_addresses_that_moved_are_looked_at() -> None:
    """For each connection that a change makes unwanted, its outer address is among them."""
    assert moved_addresses(NAT, NAT) == frozenset()
    gone = msgspec.structs.replace(NAT, floating={}, fixed={})
    assert moved_addresses(NAT, gone) == {"172.24.4.10"}
    moved = msgspec.structs.replace(
        NAT, floating={"172.24.4.10": "10.0.0.11"}, fixed={"10.0.0.11": "172.24.4.10"}
    )
    assert moved_addresses(NAT, moved) == {"172.24.4.10"}
    assert moved_addresses(NAT, msgspec.structs.replace(NAT, forwards=())) == {"172.24.4.20"}
    assert moved_addresses(NAT, Nat()) == {"172.24.4.10", "172.24.4.20", "172.24.4.5"}
    assert moved_addresses(Nat(), NAT) == {"172.24.4.10", "172.24.4.20"}
