"""What routers cost on a pretended host: throughput beside a router made by hand, a floating IP that moves, an agent
that restarts with 20 of them and 200 ports.

Run as root: ``python tests/system/ovs_agent/bench_routers.py``; ``tests/bench/routers.py`` reads the JSON lines that
it prints. Other work on the machine adds to the times.
"""

import itertools
import json
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[3])]

import cloud  # noqa: E402
import pretended  # noqa: E402
from routed import GATEWAY, Scene  # noqa: E402
from test_restarts import lost  # noqa: E402

from contract.router import Router, RouterGateway, RouterInterface  # noqa: E402

SECONDS = "5"
ROUNDS = 3
MOVES = 10
ROUTERS, PORTS = 20, 200
#: Between two pings while a floating IP moves.
INTERVAL_S = 0.005


def main():
    """Tells each figure as a line of JSON."""
    directory = tempfile.mkdtemp(prefix="bench-")
    host = pretended.Host(directory)
    try:
        host.start_agent()
        scene = Scene(host)
        host.agent.store(*scene.ports, scene.router)
        host.agent.report(scene.router, is_active=True)
        throughput(scene)
        move(scene)
        restart(host, scene)
    finally:
        host.stop()
        shutil.rmtree(directory, ignore_errors=True)


def tell(what, value, unit, bar=None, note=""):
    """One figure."""
    print(json.dumps({"what": what, "value": value, "unit": unit, "bar": bar, "note": note}), flush=True)


def throughput(scene):
    """TCP between two networks and in by a floating IP, in turn with a router made by hand on a plain bridge."""
    scene.apply(floating_ips=(cloud.floating("172.24.4.10", "10.12.0.12"),))
    left, right = by_hand(scene.host)
    hand, between, inward = [], [], []
    for _ in range(ROUNDS):
        hand.append(rate(left, right, "10.42.0.2"))
        between.append(rate(scene.a, scene.b, "10.12.0.12"))
        inward.append(rate(scene.outside, scene.b, "172.24.4.10"))
    reach = statistics.median(hand)
    for what, rates in (("between networks", between), ("in by a floating IP", inward)):
        # as the other bars: less is better, so it is told how much faster the one by hand is
        note = f"{rates} Mbit/s, by hand {hand}"
        tell(f"router by hand ÷ ours, TCP {what}", reach / statistics.median(rates), "times", 1 / 0.9, note)


def move(scene):
    """The longest time without an answer while a floating IP goes back and forth between two guests."""
    ends = ("10.11.0.11", "10.12.0.12")
    scene.apply(floating_ips=(cloud.floating("172.24.4.10", ends[1]),))
    ping = scene.outside.start(
        "ping", "-D", "-i", str(INTERVAL_S), "-W", "1", "172.24.4.10", stdout=-1, stderr=-3
    )
    assert ping.stdout.readline()
    for number in range(MOVES):
        time.sleep(0.3)
        scene.apply(floating_ips=(cloud.floating("172.24.4.10", ends[number % 2]),))
    time.sleep(0.3)
    scene.outside.run("pkill", "-INT", "-x", "ping")
    told, _ = ping.communicate(timeout=20)
    answered = [float(at) for at in re.findall(r"^\[([\d.]+)\] \d+ bytes from", told, re.MULTILINE)]
    gaps = sorted((after - before) * 1000 for before, after in itertools.pairwise(answered))
    what = "floating IP moved between ports: longest time without an answer"
    tell(what, gaps[-1], "ms", 100.0, f"{MOVES} moves, a ping every {INTERVAL_S * 1000:.0f} ms")


def by_hand(host):
    """Two end points, and a namespace that forwards between them, on a bridge that switches by itself."""
    host.run("ovs-vsctl", "add-br", "hand", "--", "set", "bridge", "hand", "datapath_type=netdev")
    ends = [HandMade(host, "hl", "10.41.0.2"), HandMade(host, "hr", "10.42.0.2")]
    host.run("ip", "netns", "add", "hand")
    for number, side in ((41, "l"), (42, "r")):
        link(host, "hand", f"hand{side}", f"10.{number}.0.1")
    host.run("ip", "netns", "exec", "hand", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    return ends


class HandMade:
    """An end point of the plain bridge."""

    def __init__(self, host, name, address):
        self.host, self.name = host, name
        host.run("ip", "netns", "add", name)
        link(host, name, name, address)
        self.run("ip", "route", "add", "default", "via", f"{address.rpartition('.')[0]}.1")

    def enter(self, *command):
        """The words that run a command there, on its host."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, **options):
        """Runs a command there."""
        return self.host.run(*self.enter(*command), **options)

    def start(self, *command, **options):
        """Starts a command there."""
        return self.host.start(*self.enter(*command), **options)


def link(host, namespace, name, address):
    """A veth pair from a namespace to the plain bridge, with the MTU of the networks that it is compared with."""
    host.run("ip", "link", "add", f"x{name}", "type", "veth", "peer", "name", f"e{name}")
    for end in (f"x{name}", f"e{name}"):
        host.run("ethtool", "-K", end, "tx", "off")
        host.run("ip", "link", "set", end, "mtu", "1450")
    host.run("ip", "link", "set", f"e{name}", "netns", namespace)
    enter = ("ip", "netns", "exec", namespace, "ip")
    host.run(*enter, "addr", "add", f"{address}/24", "dev", f"e{name}")
    host.run(*enter, "link", "set", f"e{name}", "up")
    host.run("ip", "link", "set", f"x{name}", "up")
    host.run("ovs-vsctl", "add-port", "hand", f"x{name}")


def rate(sender, receiver, address):
    """Mbit/s of one TCP connection."""
    server = receiver.start("iperf3", "-s", "-1", stdout=-3, stderr=-3)
    assert pretended.eventually(lambda: ":5201" in receiver.run("ss", "-ltn"), 10)
    told = json.loads(sender.run("iperf3", "-c", address, "-t", SECONDS, "-J"))
    server.wait(timeout=20)
    return round(told["end"]["sum_received"]["bits_per_second"] / 1e6)


def restart(host, scene):
    """Routers with two interfaces and a gateway each, and ports; all known and in use, then the agent starts anew."""
    documents, routers = [], []
    for number in range(ROUTERS):
        made, router = another(scene, number)
        documents += [*made, router]
        routers.append(router)
    begin = time.monotonic()
    host.agent.store(*documents)
    for router in routers:
        host.agent.report(router, is_active=True, timeout_s=120)
    tell(
        f"{ROUTERS} routers made at once, DHCP of {2 * ROUTERS} networks included",
        time.monotonic() - begin,
        "s",
    )
    plug(host, scene)
    dropped, settled, computed = [], [], []
    for end in ("kill", "stop"):
        assert host.agent.ask(idle=60)["idle"]
        pings = [
            place.start("ping", "-i", "0.02", "-c", "400", "-W", "1", address, stdout=-1, stderr=-1)
            for place, address in (
                (scene.a, "10.12.0.12"),
                (scene.b, "172.24.4.1"),
                (scene.outside, "172.24.4.10"),
            )
        ]
        getattr(host.agent, end)()
        begin = time.monotonic()
        host.start_agent()
        assert host.agent.ask(idle=60)["idle"]
        settled.append(time.monotonic() - begin)
        computed.append(cpu_s(host))
        dropped += [lost(ping)[0] for ping in pings]
    what = f"agent restarted, {PORTS} ports, {ROUTERS} routers"
    tell(f"{what}: pings lost", float(sum(dropped)), "pings", 0.0, "of 2,400, three ways, killed and stopped")
    tell(f"{what}: settled", max(settled), "s", 3.0, f"from its start, {[round(s, 2) for s in settled]}")
    tell(f"{what}: CPU of the agent until then", max(computed), "s")


def cpu_s(host):
    """What the agent has computed since it started, with the programs that it ran."""
    fields = host.run("cat", f"/proc/{host.agent.pid}/stat").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def another(scene, number):
    """A router with two networks and a gateway, and what it is built on."""
    legs, ports, documents = [], [], []
    for side in (0, 1):
        net, segment = cloud.network(f"n{number}-{side}", 2000 + 2 * number + side, f"10.{20 + side}.0.0/24")
        ports.append(cloud.router_port(f"m{number}", net, 1))
        legs.append(cloud.leg(RouterInterface, net, ports[-1]))
        documents += [segment, net]
    ports.append(cloud.router_port(f"m{number}", scene.public, 100 + number, GATEWAY))
    gateway = cloud.leg(RouterGateway, scene.public, ports[-1], next_hops=("172.24.4.1",))
    router = Router(
        id=cloud.identity(f"router-m{number}"),
        project_id="p",
        interfaces=tuple(legs),
        gateways=(gateway,),
        floating_ips=(cloud.floating(f"172.24.4.{150 + number}", "10.20.0.9"),),
    )
    return [*documents, *ports], router


def plug(host, scene):
    """The taps of all ports, as of guests."""
    ports = [
        cloud.port(f"p{n}", scene.one, n, scene.group, mac_address=f"fa:16:3e:00:01:{n:02x}")
        for n in range(50, 50 + PORTS)
    ]
    host.agent.store(*ports)
    host.run(
        "sh",
        "-c",
        "".join(f"ip link add t{p.hostname} up type veth peer name u{p.hostname}; " for p in ports),
    )
    for part in range(0, PORTS, 20):
        words = []
        for port in ports[part : part + 20]:
            words += ["--", "add-port", "br-int", f"t{port.hostname}", "--", "set", "interface"]
            words += [f"t{port.hostname}", f"external_ids:iface-id={port.id}"]
        host.run("ovs-vsctl", *words[1:])
    for port in ports:
        host.agent.report(port, is_wired=True, timeout_s=60)


if __name__ == "__main__":
    main()
