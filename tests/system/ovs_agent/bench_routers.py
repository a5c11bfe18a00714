"""What routers cost: 20 of them when the agent starts, and the throughput of one beside a router made by hand.

Run as root: ``python tests/system/ovs_agent/bench_routers.py [ROUTERS]``. Other work on the machine adds to it.
"""

import json
import pathlib
import shutil
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[3])]

import cloud  # noqa: E402
import pretended  # noqa: E402
from routed import GATEWAY, Scene  # noqa: E402

from contract.router import Router, RouterGateway, RouterInterface  # noqa: E402

SECONDS = "5"


def main():
    """Prints times and rates."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    directory = tempfile.mkdtemp(prefix="bench-")
    host = pretended.Host(directory)
    try:
        host.start_agent()
        scene = Scene(host)
        host.agent.store(*scene.ports, scene.router)
        host.agent.report(scene.router, is_active=True)
        throughput(scene)
        restart(host, scene, count)
    finally:
        host.stop()
        shutil.rmtree(directory, ignore_errors=True)


def throughput(scene):
    """TCP between two networks and in by a floating IP, in turn with a router made by hand on a plain bridge."""
    scene.apply(floating_ips=(cloud.floating("172.24.4.10", "10.12.0.12"),))
    left, right = by_hand(scene.host)
    for _ in range(3):
        hand = rate(left, right, "10.42.0.2")
        inside = rate(scene.a, scene.b, "10.12.0.12")
        inward = rate(scene.outside, scene.b, "172.24.4.10")
        print(f"by hand {hand}, between networks {inside}, in by a floating IP {inward} Mbit/s")


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


def restart(host, scene, count):
    """Routers with two interfaces and a gateway each; all known, then the agent starts anew."""
    documents, routers = [], []
    for number in range(count):
        legs, ports = [], []
        for side in (0, 1):
            net, segment = cloud.network(
                f"n{number}-{side}", 2000 + 2 * number + side, f"10.{20 + side}.0.0/24"
            )
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
        documents += [*ports, router]
        routers.append(router)
    begin = time.monotonic()
    host.agent.store(*documents)
    for router in routers:
        host.agent.report(router, is_active=True, timeout_s=120)
    print(f"{count} routers made: {time.monotonic() - begin:.2f} s")
    host.agent.kill()
    begin = time.monotonic()
    host.start_agent()
    started = time.monotonic() - begin
    assert host.agent.ask(idle=60)["idle"]
    print(f"agent started {started:.2f} s, all looked at after {time.monotonic() - begin:.2f} s")
    begin = time.monotonic()
    host.agent.store(*routers)
    assert host.agent.ask(idle=60)["idle"]
    print(f"{count} routers looked at again: {time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    main()
