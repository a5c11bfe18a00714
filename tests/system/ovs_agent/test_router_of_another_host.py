"""A guest of one host behind a router of the other: out, in by a floating IP, and when the router's host is gone."""

import cloud
import pytest
from outside import Outside, make_bridge
from pretended import changed, eventually
from routed import GATEWAY, fetch, serve
from test_two_hosts import behind

from contract.router import Router, RouterGateway, RouterInterface


class Spread:
    """Two hosts with a common physical network; the router is on the first, a guest and the outside on the second."""

    def __init__(self, hosts, join):
        self.first, self.second = hosts
        join("ex1", "ex2")
        for host, link in zip(hosts, ("ex1", "ex2"), strict=True):
            make_bridge(host)
            host.run("ovs-vsctl", "add-port", "br-ex", link)
        self.outside = Outside(self.second, "world", "172.24.4.1/24")
        self.group = cloud.group("open", cloud.rule(), *cloud.out_all())
        self.inner, self.segment = cloud.network("inner", 1501, "10.15.0.0/24")
        self.public = cloud.provider("public", "172.24.4.0/24")
        self.leg = cloud.router_port("r", self.inner, 1)
        self.gateway = cloud.router_port("r", self.public[0], 5, GATEWAY)
        guest = cloud.port("far", self.inner, 11, self.group)
        self.router = Router(
            id=cloud.identity("router-r"),
            project_id="p",
            interfaces=(cloud.leg(RouterInterface, self.inner, self.leg),),
            gateways=(cloud.leg(RouterGateway, self.public[0], self.gateway, next_hops=("172.24.4.1",)),),
            floating_ips=(cloud.floating("172.24.4.10", "10.15.0.11"),),
        )
        here = changed(self.segment, endpoints=(behind(self.second, guest),))
        there = changed(self.segment, endpoints=(behind(self.first, self.leg),))
        self.second.agent.store(self.group, self.inner, there, guest)
        self.first.agent.store(self.inner, here, *self.public, self.leg, self.gateway, self.router)
        self.first.agent.report(self.router, is_active=True)
        self.guest = self.second.guest("far", guest, "10.15.0.11/24", "10.15.0.1").plug()
        self.guest.run("ip", "link", "set", "eth0", "mtu", str(self.inner.mtu))
        self.guest.await_wired()

    def fail_over(self):
        """The first host is gone, and the second is told what an engine tells it then."""
        self.first.stop()
        documents = (self.segment, *self.public, self.leg, self.gateway, self.router)
        self.second.agent.store(*documents)
        self.second.agent.report(self.router, is_active=True)


@pytest.fixture(scope="module")
def spread(two_hosts, join):
    return Spread(two_hosts, join)


def test_the_outside_is_reached_by_the_router_of_the_other_host(spread):
    serve(spread.outside, 8000, "world")
    assert eventually(lambda: spread.guest.reaches("172.24.4.1"), 20)
    assert fetch(spread.guest, "172.24.4.1:8000") == "world to 172.24.4.10"


def test_a_floating_ip_leads_to_a_guest_of_the_other_host(spread):
    serve(spread.guest, 8000, "far")
    assert spread.outside.reaches("172.24.4.10")
    assert fetch(spread.outside, "172.24.4.10:8000") == "far to 172.24.4.1"


def test_the_router_fails_over(spread):
    spread.fail_over()
    assert eventually(lambda: spread.outside.reaches("172.24.4.10"), 20, spread.second.agent.log)
    assert fetch(spread.outside, "172.24.4.10:8000") == "far to 172.24.4.1"
    assert fetch(spread.guest, "172.24.4.1:8000") == "world to 172.24.4.10"
