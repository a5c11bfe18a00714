"""100 rules added to a group with 100 ports on the host: until all of them are in the switch, as one JSON line.

Run as root: ``python tests/system/ovs_agent/bench_rules.py [PORTS]``. Other work on the machine adds to it.
"""

import json
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent), str(pathlib.Path(__file__).parents[3])]

import cloud  # noqa: E402
import pretended  # noqa: E402

RULES, TIMES = 100, 5


def main():
    """Prints the median."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    directory = tempfile.mkdtemp(prefix="bench-")
    host = pretended.Host(directory)
    try:
        host.start_agent()
        group = plugged(host, count)
        times = [added(host, group) for _ in range(TIMES)]
    finally:
        host.stop()
        shutil.rmtree(directory, ignore_errors=True)
    note = f"{min(times):.3f} to {max(times):.3f}, n {TIMES}"
    what = f"{RULES} rules added to a group of {count} ports on the host → all in the switch, p50"
    print(
        json.dumps({"what": what, "value": statistics.median(times), "unit": "s", "bar": 1.0, "note": note})
    )


def plugged(host, count):
    """A group whose ports are all wired."""
    network, segment = cloud.network("bench", 42, "10.0.0.0/24")
    group = cloud.group("bench")
    ports = [cloud.port(f"p{n}", network, n, group) for n in range(10, 10 + count)]
    group = cloud.group("bench", cloud.rule(remote_group_id=group.id), *cloud.out_all(), members=ports)
    host.agent.store(segment, group, network, *ports)
    script = "".join(f"ip link add t{p.hostname} type veth peer name u{p.hostname}; " for p in ports)
    host.run("sh", "-c", script)
    for part in range(0, count, 20):
        words = []
        for port in ports[part : part + 20]:
            tap, ids = f"t{port.hostname}", f"external_ids:iface-id={port.id}"
            words += ["--", "add-port", "br-int", tap, "--", "set", "interface", tap, ids]
        host.run("ovs-vsctl", *words[1:])
    for port in ports:
        host.agent.report(port, is_wired=True, timeout_s=60)
    assert host.agent.ask(idle=60)["idle"]
    return group


def added(host, group):
    """Seconds from the document to its report, which follows the switch's word; then the rules go again."""
    rules = [
        cloud.rule(protocol="tcp", port_range_min=n, port_range_max=n) for n in range(1000, 1000 + RULES)
    ]
    more = pretended.changed(group, rules=(*group.rules, *rules))
    begin = time.time()
    host.agent.store(more)
    seconds = host.agent.report(more)["at"] - begin
    flows = host.run("ovs-ofctl", "-O", "OpenFlow14", "dump-flows", "br-int", "table=56")
    assert flows.count("tp_dst=10") == RULES
    host.agent.store(group)
    host.agent.report(group)
    return seconds


if __name__ == "__main__":
    main()
