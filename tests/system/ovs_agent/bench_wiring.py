"""How long from a tap's appearing to its flows, and to its mark, with 200 ports in one group on the host.

Run as root: ``python tests/system/ovs_agent/bench_wiring.py [PORTS]``. Other work on the machine adds to it.
"""

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

SAMPLES = 30


def main():
    """Prints median and worst."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    directory = tempfile.mkdtemp(prefix="bench-")
    host = pretended.Host(directory)
    try:
        measure(host, count)
    finally:
        host.stop()
        shutil.rmtree(directory, ignore_errors=True)


def measure(host, count):
    """Plugs all ports at once, then some one by one."""
    agent = host.start_agent()
    network, segment = cloud.network("bench", 42, "10.0.0.0/24")
    group = cloud.group("bench")
    ports = [cloud.port(f"p{n}", network, n, group) for n in range(10, 10 + count)]
    rules = [
        cloud.rule(remote_group_id=group.id),
        cloud.rule(protocol="tcp", port_range_min=22, port_range_max=22),
    ]
    group = cloud.group("bench", *rules, *cloud.out_all(), members=ports)
    begin = time.monotonic()
    agent.store(segment, group, network, *ports)
    assert agent.ask(idle=60)["idle"]
    print(f"{count} ports taken in: {time.monotonic() - begin:.2f} s")
    script = "".join(f"ip link add t{p.hostname} type veth peer name u{p.hostname}; " for p in ports)
    script += "".join(f"ip link set t{p.hostname} up; " for p in ports)
    host.run("sh", "-c", script)
    begin = time.monotonic()
    for part in range(0, count, 20):
        words = []
        for port in ports[part : part + 20]:
            ids = f"external_ids:iface-id={port.id}"
            words += ["--", "add-port", "br-int", f"t{port.hostname}", "--", "set", "interface"]
            words += [f"t{port.hostname}", ids]
        host.run("ovs-vsctl", *words[1:])
    for port in ports:
        agent.report(port, is_wired=True, timeout_s=60)
    print(f"all {count} plugged and wired: {time.monotonic() - begin:.2f} s")
    flows = host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-aggregate", "br-int")
    print("flows on br-int:", re.search(r"flow_count=(\d+)", flows).group(1))
    begin = time.monotonic()
    agent.kill()
    host.start_agent()
    print(f"agent restarted: {time.monotonic() - begin:.2f} s")
    singly(host, ports)


def singly(host, ports):
    """One tap after the other, as servers boot; the first time is the agent's own."""
    agent = host.agent
    marks = []
    for port in ports[:SAMPLES]:
        tap = f"t{port.hostname}"
        host.run("ovs-vsctl", "del-port", tap)
        agent.report(port, is_wired=False)
        assert agent.ask(idle=20)["idle"]
        ids = f"external_ids:iface-id={port.id}"
        begin = time.time()
        host.run("ovs-vsctl", "--no-wait", "add-port", "br-int", tap, "--", "set", "interface", tap, ids)
        marks.append((agent.report(port, is_wired=True)["at"] - begin) * 1000)
    told = re.findall(r"has its flows at \d+, (\d+) ms", (host.directory / "agent.log").read_text())
    flows = [float(text) for text in told[-SAMPLES:]]
    for name, values in (("tap seen -> flows in place", flows), ("ovs-vsctl called -> mark", marks)):
        print(f"{name}: p50 {statistics.median(values):.1f} ms, worst {max(values):.1f} ms")


if __name__ == "__main__":
    main()
