"""What groups let through on the real switch beyond plain rules: pairs, remote members, ICMP types, IPv6, state."""

import cloud
import pytest
from pretended import changed

VIRTUAL = "10.31.0.100"


@pytest.fixture(scope="module")
def net(host):
    """A dual-stack network."""
    network, segment = cloud.network("groups", 3101, "10.31.0.0/24", "fd00:31::/64")
    host.agent.store(segment, network)
    host.agent.report(network)
    return network


@pytest.fixture(scope="module")
def plug(host, net):
    """A way to have guests: number and groups in, port with both addresses out, wired."""

    def make(number, *groups, **fields):
        port = cloud.port(f"gr{number}", net, number, *groups, **fields)
        host.agent.store(*groups, port)
        guest = host.guest(f"gr{number}", port, f"10.31.0.{number}/24").plug()
        guest.run("ip", "addr", "add", f"fd00:31::{number}/64", "dev", "eth0")
        guest.await_wired()
        return guest

    return make


def settle(host, *documents):
    """Documents in force."""
    host.agent.store(*documents)
    for document in documents:
        host.agent.report(document)


def test_an_address_of_a_pair_moves_between_its_holders_and_counts_for_remote_groups(host, plug):
    """As VRRP does it: the same address, then on the other guest; what names their group as remote lets it in."""
    pair = (cloud.pair(VIRTUAL),)
    holders = cloud.group("holders", cloud.rule(protocol="icmp"), *cloud.out_all())
    first, second = (plug(n, holders, allowed_address_pairs=pair) for n in (11, 12))
    guarded = cloud.group("guarded-by", cloud.rule(remote_group_id=holders.id), *cloud.out_all())
    target = plug(13, guarded)
    members = cloud.group("x", members=(first.port, second.port)).members
    with_pair = tuple(changed(m, ip_addresses=(*m.ip_addresses, VIRTUAL)) for m in members)
    settle(host, changed(holders, members=members))
    first.run("ip", "addr", "add", f"{VIRTUAL}/24", "dev", "eth0")
    assert not reaches_from(first, VIRTUAL, "10.31.0.13"), "its members' pairs are not told yet"
    settle(host, changed(holders, members=with_pair))
    assert reaches_from(first, VIRTUAL, "10.31.0.13")
    assert target.reaches(VIRTUAL)
    first.run("ip", "addr", "del", f"{VIRTUAL}/24", "dev", "eth0")
    second.run("ip", "addr", "add", f"{VIRTUAL}/24", "dev", "eth0")
    target.run("ip", "neigh", "flush", "all")
    assert target.reaches(VIRTUAL) and reaches_from(second, VIRTUAL, "10.31.0.13")
    settle(host, changed(second.port, allowed_address_pairs=()))
    target.run("ip", "neigh", "flush", "all")
    assert not reaches_from(second, VIRTUAL, "10.31.0.13")


def reaches_from(guest, source, address):
    """Whether a ping with this source is answered."""
    out = guest.run("ping", "-c", "2", "-i", "0.2", "-W", "1", "-I", source, address, check=False)
    return " 0% packet loss" in out


def test_a_stateless_group_names_members_as_remote_in_both_directions(host, plug):
    friends = cloud.group("sl-friends", *cloud.out_all(), cloud.rule())
    stateless = cloud.group("sl", cloud.rule(remote_group_id=friends.id), is_stateful=False)
    friend, stranger = plug(21, friends), plug(22, cloud.group("sl-none", *cloud.out_all(), cloud.rule()))
    plug(23, stateless)
    settle(host, changed(friends, members=cloud.group("x", members=(friend.port,)).members))
    assert not friend.reaches("10.31.0.23"), "no state: the answer has no rule"
    both = changed(stateless, rules=(*stateless.rules, cloud.rule("egress", remote_group_id=friends.id)))
    settle(host, both)
    assert friend.reaches("10.31.0.23") and not stranger.reaches("10.31.0.23")


def test_ports_stay_judged_when_their_group_changes_its_state(host, plug):
    """Stateless, then stateful: the rule of one direction is enough, and then not, without new wiring."""
    group = cloud.group("restated", cloud.rule(protocol="icmp"))
    asks = plug(31, cloud.group("restated-asks", *cloud.out_all()))
    plug(32, group)
    assert asks.reaches("10.31.0.32")
    settle(host, changed(group, is_stateful=False))
    assert not asks.reaches("10.31.0.32")
    settle(host, group)
    assert asks.reaches("10.31.0.32")


def test_icmp_types_and_ipv6_prefixes(host, plug):
    echo6 = cloud.rule(ethertype="IPv6", protocol="ipv6-icmp", port_range_min=128, port_range_max=0)
    near = cloud.rule(ethertype="IPv6", protocol="ipv6-icmp", remote_ip_prefix="fd00:31::41/128")
    group = cloud.group("types", cloud.rule(protocol="icmp", port_range_min=13), echo6)
    asks, other = (plug(n, cloud.group("types-asks", *cloud.out_all())) for n in (41, 42))
    plug(43, group)
    assert not asks.reaches("10.31.0.43"), "timestamps are let in, echoes are not"
    assert asks.reaches("fd00:31::43", family="-6") and other.reaches("fd00:31::43", family="-6")
    settle(host, changed(group, rules=(near,)))
    assert asks.reaches("fd00:31::43", family="-6") and not other.reaches("fd00:31::43", family="-6")
