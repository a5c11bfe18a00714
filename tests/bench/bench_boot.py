"""POST /servers → ACTIVE, beside what plain libvirt takes for the same domain in the same run, as a ratio.

Also what DELETE takes, and how soon a tap has its flows (told by the OVS agent's log). As root, on the cloud
of this machine, with /etc/cumulet/openrc: ``make bench``.
"""

import argparse
import json
import pathlib
import re
import subprocess
import time
import uuid
import xml.etree.ElementTree as ElementTree

from tests.bench.cloud import Cloud, cpu_s, told, wait

_LOG = pathlib.Path("/var/log/cumulet/ovs-agent.log")
_WIRED = re.compile(r"has its flows at \d+, (\d+) ms after its tap")


def main() -> None:
    """The bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="cumulet-guest")
    parser.add_argument("--flavor", default="m1.tiny")
    parser.add_argument("--network", default="demo")
    parser.add_argument("-n", type=int, default=5)
    given = parser.parse_args()
    cloud = Cloud()
    body = {
        "server": {
            "name": "bench",
            "imageRef": cloud.named("image", "/v2/images", "images", given.image),
            "flavorRef": cloud.named("compute", "/flavors", "flavors", given.flavor),
            "networks": [{"uuid": cloud.named("network", "/v2.0/networks", "networks", given.network)}],
        }
    }
    posts, actives, deletes, plains, cpus = [], [], [], [], []
    log_before = _LOG.stat().st_size
    for _ in range(given.n):
        cpu, began = cpu_s(), time.monotonic()
        server_id = cloud.call("compute", "POST", "/servers", body)[1]["server"]["id"]
        posts.append(time.monotonic() - began)
        wait(lambda i=server_id: _status(cloud, i) == "ACTIVE")  # type: ignore[misc]
        actives.append(time.monotonic() - began)
        cpus.append(cpu_s() - cpu)
        plains.append(_plain_create(server_id))
        began = time.monotonic()
        cloud.call("compute", "DELETE", f"/servers/{server_id}")
        wait(lambda i=server_id: cloud.call("compute", "GET", f"/servers/{i}")[0] == 404)  # type: ignore[misc]
        deletes.append(time.monotonic() - began)
    told("POST /servers answered, s", posts)
    told("POST /servers → ACTIVE, s", actives)
    told("  CPU of the cloud meanwhile, polls included, s", cpus)
    told("virsh create of the same domain, s", plains)
    told("ratio", [a / p for a, p in zip(actives, plains, strict=True)])
    told("DELETE → 404, s", deletes)
    with _LOG.open("rb") as log:
        log.seek(log_before)
        told("tap → flows, s", [int(ms) / 1000 for ms in _WIRED.findall(log.read().decode())] or [0.0])


def _status(cloud: Cloud, server_id: str) -> str:
    server = cloud.get("compute", f"/servers/{server_id}")["server"]
    if server["status"] == "ERROR":
        raise RuntimeError(server.get("fault"))
    return str(server["status"])


def _plain_create(server_id: str) -> float:
    """Seconds that ``virsh create`` takes for a twin of the server's domain, with an overlay of its own."""
    domain = ElementTree.fromstring(_run("virsh", "dumpxml", "--inactive", server_id))
    twin = str(uuid.uuid4())
    _child(domain, "name").text = f"bench-{twin[:8]}"
    for place in (_child(domain, "uuid"), *domain.iterfind("sysinfo/system/entry[@name='uuid']")):
        place.text = twin
    for interface in domain.iter("interface"):
        _child(interface, "mac").set("address", f"fa:16:3e:{twin[0:2]}:{twin[2:4]}:{twin[4:6]}")
        _child(interface, "target").set("dev", f"tap{twin[:11]}")
        _child(interface, "virtualport/parameters").set("interfaceid", twin)
    overlays = []
    for source in domain.iterfind("devices/disk/source[@file]"):
        original = pathlib.Path(source.attrib["file"])
        overlay = original.with_name(f"bench-{twin[:8]}-{original.name}")
        info = json.loads(_run("qemu-img", "info", "--force-share", "--output=json", str(original)))
        base = [info["full-backing-filename"], str(overlay), str(info["virtual-size"])]
        _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", info["backing-filename-format"], "-b", *base)
        source.set("file", str(overlay))
        overlays.append(overlay)
    for console in domain.iterfind("devices//source[@path]"):
        console.set("path", "/dev/null")
    path = pathlib.Path(f"/run/cumulet/bench-{twin[:8]}.xml")
    path.write_text(ElementTree.tostring(domain, encoding="unicode"))
    began = time.monotonic()
    try:
        _run("virsh", "create", str(path))
        return time.monotonic() - began
    finally:
        subprocess.run(["virsh", "destroy", twin], capture_output=True, check=False)
        for left in (path, *overlays):
            left.unlink(missing_ok=True)


def _child(parent: ElementTree.Element, path: str) -> ElementTree.Element:
    found = parent.find(path)
    if found is None:
        raise RuntimeError(f"the domain has no {path}")
    return found


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
