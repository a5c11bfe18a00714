"""Metadata over the wire: who is answered, what, how fast, and that one slow client blocks nobody."""

import base64
import json
import time

import cloud
import pytest

BASE = "http://169.254.169.254"


@pytest.fixture(scope="module")
def guest(host):
    """A guest with its address and the route to metadata."""
    network, segment = cloud.network("meta", 301, "10.3.0.0/24", "fd00:3::/64")
    group = cloud.group("meta", *cloud.out_all())
    port = cloud.port("asker", network, 9, group)
    user_data = base64.b64encode(b"#!/bin/sh\necho hi\n").decode()
    told = cloud.instance("asker", port, user_data=user_data, metadata={"k": "v"})
    host.agent.store(segment, group, network, port, told)
    host.agent.report(network)
    made = host.guest("asker", port, "10.3.0.9/24").plug()
    made.await_wired()
    made.run("ip", "route", "add", "169.254.169.254", "via", "10.3.0.2")
    return made


def test_openstack_and_ec2_trees(guest):
    document = json.loads(guest.get(f"{BASE}/openstack/2018-08-27/meta_data.json").rpartition("\n")[0])
    assert document["meta"] == {"k": "v"} and document["hostname"] == "asker"
    assert "echo hi" in guest.get(f"{BASE}/openstack/latest/user_data")
    assert "echo hi" in guest.get(f"{BASE}/latest/user-data")
    assert guest.get(f"{BASE}/latest/meta-data/local-hostname") == "asker\n200"
    assert guest.get(f"{BASE}/openstack/latest/network_data.json").endswith("200")
    assert "latest" in guest.get(f"{BASE}/openstack").splitlines()
    for path in ("/openstack/1999-01-01/meta_data.json", "/nothing", "/openstack/latest/../../etc/passwd"):
        assert guest.get(BASE + path, "--path-as-is").endswith("404")


def test_over_ipv6_link_local(guest):
    assert guest.get("http://[fe80::a9fe:a9fe%25eth0]/latest/meta-data/local-hostname") == "asker\n200"


def test_the_password_is_posted_once(guest):
    url = f"{BASE}/openstack/latest/password"
    assert guest.get(url, "-d", "x" * 1021).endswith("400")
    assert guest.get(url, "-d", "sealed").endswith("200")
    assert guest.get(url, "-d", "other").endswith("409")
    assert guest.get(url) == "sealed\n200"


def test_oversized_and_malformed_requests(guest):
    assert guest.get(BASE, "-H", "X-Long: " + "x" * 9000).endswith("431")
    assert guest.get(BASE, "-X", "DELETE").endswith("405")
    assert guest.get(f"{BASE}/openstack/latest/password", "-d", "x" * 3000).endswith("413")


def test_slow_clients_do_not_block_and_answers_are_quick(guest):
    slow = guest.start(
        "python3",
        "-c",
        "import socket,time\n"
        "s=[socket.create_connection(('169.254.169.254',80)) for _ in range(6)]\n"
        "[c.send(b'GET / HT') for c in s]\nprint('on', flush=True)\ntime.sleep(8)",
        stdout=-1,
    )
    assert slow.stdout.readline() == "on\n"
    out = guest.run(
        "python3",
        "-c",
        "import time,urllib.request\nt=[]\n"
        "for _ in range(100):\n"
        "  s=time.perf_counter()\n"
        "  urllib.request.urlopen('http://169.254.169.254/openstack/latest/meta_data.json').read()\n"
        "  t.append(time.perf_counter()-s)\n"
        "t.sort(); print(t[50]*1000, t[-1]*1000)",
    )
    median, worst = map(float, out.split())
    print(f"metadata: median {median:.1f} ms, worst {worst:.1f} ms")
    assert median < 20
    slow.kill()


def test_the_namespace_serves_dns_too_and_the_answer_time_is_kept_while_ports_come(guest):
    begin = time.monotonic()
    assert guest.get(f"{BASE}/openstack/latest/vendor_data2.json").endswith("200")
    assert time.monotonic() - begin < 2


def test_subnets_that_come_and_go_leave_it_listening(host, guest):
    narrow, _ = cloud.network("meta", 301, "10.3.0.0/24")
    wide, _ = cloud.network("meta", 301, "10.3.0.0/24", "fd00:3::/64")
    for network in (narrow, wide, narrow, wide):
        host.agent.store(network)
        host.agent.report(network)
        assert guest.get(f"{BASE}/latest/meta-data/local-hostname") == "asker\n200"
    assert "unexpected error" not in (host.directory / "agent.log").read_text()
