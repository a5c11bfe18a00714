"""Agent, switch and dnsmasq go and come back; removal leaves nothing (run in this order, on one host)."""

import re
import time

import cloud
import pytest
from pretended import eventually

from ovs_agent.namespaces import names


@pytest.fixture(scope="module")
def scene(host):
    """Two guests that reach each other, and one of another network with the same addresses."""
    network, segment = cloud.network("steady", 601, "10.6.0.0/24")
    foreign, foreign_segment = cloud.network("foreign", 602, "10.6.0.0/24")
    group = cloud.group("steady", cloud.rule(protocol="icmp"), *cloud.out_all())
    a, b = cloud.port("a", network, 11, group), cloud.port("b", network, 12, group)
    c = cloud.port("c", foreign, 13, group)
    told = cloud.instance("a", a)
    documents = [segment, foreign_segment, group, network, foreign, told, a, b, c]
    host.agent.store(*documents)
    host.agent.report(network)
    host.agent.report(foreign)
    guests = [host.guest(p.hostname, p, f"10.6.0.{n}/24") for p, n in ((a, 11), (b, 12), (c, 13))]
    for guest in guests:
        guest.plug()
        guest.await_wired()
    return documents, guests


def fast_ping(guest, seconds):
    """A ping of 100 a second that runs while something else happens."""
    count = str(int(seconds * 100))
    return guest.start("ping", "-i", "0.01", "-c", count, "-W", "1", "10.6.0.12", stdout=-1, stderr=-1)


def lost(ping):
    """How many were not answered, and of how many."""
    out, _ = ping.communicate(timeout=60)
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", out).groups())
    return sent - received, sent


def vswitchd(host):
    """ovs-vswitchd's pid within the host."""
    return host.run("cat", "/run/openvswitch/ovs-vswitchd.pid").strip()


def start_vswitchd(host):
    """Starts it again, as its unit would."""
    log = f"--log-file={host.directory}/vswitchd.log"
    command = ["ovs-vswitchd", "unix:/run/openvswitch/db.sock", "--pidfile", "--detach", log, "--no-chdir"]
    host.run(*command, check=False)


def test_an_agents_restart_loses_no_packet(host, scene):
    _, (a, *_) = scene
    assert a.reaches("10.6.0.12")
    quiet = lost(fast_ping(a, 4))
    before = host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-stats", "dump-flows", "br-int")
    dnsmasq = host.run("pgrep", "-x", "dnsmasq")
    marks = [guest.mark() for guest in scene[1]]
    for end in ("kill", "stop"):
        ping = fast_ping(a, 5)
        time.sleep(1)
        getattr(host.agent, end)()
        host.start_agent()
        result = lost(ping)
        print(f"agent {end}: lost {result[0]} of {result[1]}, an equal window without: {quiet[0]}")
        assert result[0] <= quiet[0]
    after = host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-stats", "dump-flows", "br-int")
    assert sorted(before.splitlines()) == sorted(after.splitlines())
    assert host.run("pgrep", "-x", "dnsmasq") == dnsmasq, "dnsmasq outlives the agent"
    assert [guest.mark() for guest in scene[1]] == marks
    a.run("ip", "route", "replace", "169.254.169.254", "via", "10.6.0.2")
    ask = a.get("http://169.254.169.254/latest/meta-data/local-hostname")
    assert ask == "a\n200"


def test_a_restarted_switch_is_filled_again_and_keeps_networks_apart(host, scene):
    _, (a, b, c) = scene
    epochs = {guest.mark().split()[2] for guest in (a, b, c)}
    host.run("kill", "-9", vswitchd(host))
    eventually(lambda: not a.mark(), 5, host.agent.log)
    begin = time.monotonic()
    start_vswitchd(host)
    eventually(a.mark, 20, host.agent.log)
    print(f"switch restarted and filled: {time.monotonic() - begin:.2f} s")
    for guest in (b, c):
        guest.await_wired()
    assert {guest.mark().split()[2] for guest in (a, b, c)}.isdisjoint(epochs)
    assert eventually(lambda: a.reaches("10.6.0.12"), 10)
    assert not a.reaches("10.6.0.13") and not c.reaches("10.6.0.11")
    assert a.get("http://169.254.169.254/latest/meta-data/local-hostname") == "a\n200"
    assert a.lease()["ip"] == "10.6.0.11"


def test_no_flows_mean_no_packets(host, scene):
    """While the agent is away, a switch without flows lets nothing through."""
    _, (a, _, c) = scene
    host.agent.kill()
    host.run("kill", "-9", vswitchd(host))
    start_vswitchd(host)
    assert not a.reaches("10.6.0.12") and not c.reaches("10.6.0.12")
    host.start_agent()
    assert eventually(lambda: a.reaches("10.6.0.12"), 20, host.agent.log)
    assert not a.reaches("10.6.0.13")


def test_a_dead_dnsmasq_is_started_again(host, scene):
    _, (a, *_) = scene
    pids = set(host.run("pgrep", "-x", "dnsmasq").split())
    for pid in pids:
        host.run("kill", "-9", pid)
    eventually(
        lambda: len(set(host.run("pgrep", "-x", "dnsmasq", check=False).split()) - pids) == len(pids), 10
    )
    assert a.lease()["ip"] == "10.6.0.11"


def test_services_that_somebody_takes_away_are_made_again(host, scene):
    """dnsmasq and the metadata server keep the namespace alive whose name is gone: what they serve is made anew."""
    documents, (a, *_) = scene
    namespace, asked = f"qdhcp-{a.port.network_id}", "http://169.254.169.254/latest/meta-data/local-hostname"
    link = names.outer(documents[3].service_port.id)
    for harm in (("ip", "netns", "delete", namespace), ("ip", "link", "delete", link)):
        host.run(*harm)
        assert eventually(lambda: namespace in host.run("ls", "/run/netns"), 10, host.agent.log)
        assert eventually(lambda: a.lease().get("ip") == "10.6.0.11", 30, host.agent.log), harm
        a.run("ip", "route", "replace", "169.254.169.254", "via", "10.6.0.2")
        assert eventually(lambda: a.get(asked) == "a\n200", 10, host.agent.log), harm
    assert not host.agent.ask(inspect=1)["lacks"]


def test_a_tap_plugged_again_is_wired_again(host, scene):
    _, (a, *_) = scene
    first = a.mark()
    a.unplug()
    host.agent.report(a.port, is_wired=False)
    a.plug()
    assert a.await_wired() != first
    assert a.reaches("10.6.0.12")


def test_a_restarted_database_is_followed_again(host, scene):
    _, (a, *_) = scene
    host.run("kill", "-9", host.run("cat", "/run/openvswitch/ovsdb-server.pid").strip())
    remote = ["--remote=punix:/run/openvswitch/db.sock", "--pidfile", "--detach", "--no-chdir"]
    log = f"--log-file={host.directory}/ovsdb.log"
    host.run("ovsdb-server", f"{host.directory}/conf.db", *remote, log, check=False)
    a.unplug()
    host.agent.report(a.port, is_wired=False, timeout_s=40)
    a.plug()
    a.await_wired(40)
    assert a.reaches("10.6.0.12")


def test_the_agent_killed_at_every_action_converges(host, scene):
    """A new network and port; the agent dies before and after each action that makes them."""
    actions = ("make_namespace", "plug_service", "write_files", "start_dnsmasq", "open_metadata")
    actions += ("quiet_tap", "forget_connections", "install_flows", "mark_wired")
    host.agent.stop()
    plan = host.directory / "faults"
    host.faults = str(plan)
    lines = [f"ovs.{action}.{when} kill" for action in actions for when in ("before", "after")]
    group = scene[0][2]
    for number, line in enumerate(lines):
        plan.write_text("")
        network, segment = cloud.network(f"f{number}", 700 + number, "10.7.0.0/24")
        port = cloud.port(f"f{number}", network, 11, group)
        host.start_agent()
        guest = host.guest(f"f{number}", port, "10.7.0.11/24").plug()
        assert host.agent.ask(idle=20)["idle"]
        plan.write_text(f"{line}\n")
        host.agent.store(segment, network, port)
        assert host.agent.process.wait(timeout=30) != 0, line
        host.start_agent()
        host.agent.report(port, is_wired=True)
        guest.await_wired()
        assert guest.lease()["ip"] == "10.7.0.11", line
        host.agent.bury(port, network, segment)
        for document in (port, network, segment):
            host.agent.report(document, state="removed")
        host.agent.stop()
        guest.remove()
    host.faults = ""
    host.start_agent()


def test_removal_leaves_nothing(host, scene):
    documents, guests = scene
    for guest in guests:
        guest.remove()
    host.agent.bury(*documents)
    for document in documents:
        host.agent.report(document, state="removed")
    flows = host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-stats", "dump-flows", "br-int")
    assert not re.search(r"reg0=0x(259|25a)\b", flows) and "in_port" in flows
    assert (
        len({re.search(r"cookie=(\w+)", line).group(1) for line in flows.splitlines() if "cookie" in line})
        == 2
    )
    tunnel = host.run("ovs-ofctl", "-O", "OpenFlow14", "--no-stats", "dump-flows", "br-tun")
    assert len(tunnel.strip().splitlines()) == 3
    assert not host.run("ls", "/run/netns").strip()
    assert "svc" not in host.run("ip", "-o", "link")
    assert "svc" not in host.run("ovs-vsctl", "list-ports", "br-int")
    assert not host.run("pgrep", "-x", "dnsmasq", check=False)
    assert not list((host.directory / "state" / "dhcp").iterdir())
    assert host.agent.ask(inspect=1)["inspect"] == []


def test_cleanup_takes_the_bridges_too(host):
    network, segment = cloud.network("last", 801)
    host.agent.store(segment, network)
    host.agent.report(network)
    host.agent.kill()
    clean = (
        "import pathlib; from ovs_agent import cleanup;"
        f"cleanup.clean(pathlib.Path('{host.directory}/state/dhcp'), 'unix:/run/openvswitch/db.sock')"
    )
    host.python(clean)
    assert not host.run("ovs-vsctl", "list-br").strip()
    assert not host.run("ls", "/run/netns").strip()
    assert not host.run("pgrep", "-x", "dnsmasq", check=False)
    assert "svc" not in host.run("ip", "-o", "link")
