"""Fixtures: a pretended host with its agent, fresh for each module, and two of them joined by a wire."""

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import pretended


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host whose agent runs."""
    made = pretended.Host(tmp_path_factory.mktemp("host"))
    try:
        made.start_agent()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def two_hosts(tmp_path_factory):
    """Two hosts with their agents, joined by a veth pair between their tunnel bridges."""
    hosts = [
        pretended.Host(tmp_path_factory.mktemp(name), name, f"10.66.7.{n}/24")
        for n, name in ((1, "h1"), (2, "h2"))
    ]
    try:
        for made in hosts:
            pretended.eventually((made.directory / "waits").exists, 15)
        connect(hosts, "eth0", "eth0")
        for made in hosts:
            made.await_ready()
            made.start_agent()
        yield hosts
    finally:
        for made in hosts:
            made.stop()


@pytest.fixture(scope="module")
def join(two_hosts):
    """Lays another wire between the two, by the names of its ends."""
    return lambda here, there: connect(two_hosts, here, there)


def connect(hosts, here, there):
    """A veth pair from one host to the other."""
    first, second = hosts
    first.run("ip", "link", "add", here, "type", "veth", "peer", "name", "far-end")
    for link in (here, "far-end"):
        first.run("ethtool", "-K", link, "tx", "off")
    script = (
        "import os; from pyroute2 import IPRoute\n"
        "ip = IPRoute(); index = ip.link_lookup(ifname='far-end')[0]\n"
        f"ip.link('set', index=index, net_ns_fd=os.open('/proc/{second.pid}/ns/net', os.O_RDONLY))\n"
    )
    enter = ["nsenter", "-t", str(first.pid), "-n", "--", sys.executable, "-c", script]
    subprocess.run(enter, check=True, timeout=30)
    second.run("ip", "link", "set", "far-end", "name", there)
    first.run("ip", "link", "set", here, "up")
    second.run("ip", "link", "set", there, "up")
