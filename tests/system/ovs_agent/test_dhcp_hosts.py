"""A network is served on a host because it is told to be, and is not when it is told not to be."""

import cloud
from pretended import changed, eventually


def test_dhcp_comes_without_a_port_and_goes_with_one(host):
    net, segment = cloud.network("told", 131, "10.3.0.0/24")
    namespace = f"qdhcp-{net.id}"
    host.agent.store(segment, net)
    host.agent.report(net)
    group = cloud.group("told", cloud.rule(), *cloud.out_all())
    a, b = cloud.port("t11", net, 11, group), cloud.port("t12", net, 12, group)
    assert "dnsmasq" in host.run("ip", "netns", "exec", namespace, "ss", "-Hlnup", "sport", "=", ":67")

    host.agent.store(group, a, b)
    left, right = host.guest("t11", a, "10.3.0.11/24"), host.guest("t12", b, "10.3.0.12/24")
    for guest in (left, right):
        guest.plug()
        guest.await_wired()
    assert left.lease()["ip"] == "10.3.0.11"

    silent = changed(net, service_port=None)
    host.agent.store(silent)
    host.agent.report(silent)
    eventually(lambda: namespace not in host.run("ip", "netns"), 10)
    assert left.lease() == {}, "nobody answers"
    assert left.reaches("10.3.0.12"), "guests are still joined"
    another = changed(b, hostname="another")
    host.agent.store(another)
    host.agent.report(another, is_wired=True)

    host.agent.store(net)
    host.agent.report(net)
    assert left.lease()["ip"] == "10.3.0.11"
