"""A port plugged into a running server and out of it, beside what libvirt alone takes in the same guest."""

import statistics
from collections.abc import Iterator

from tests.bench import plain, servers
from tests.bench.cloud import Cloud, timed, wait
from tests.bench.result import Result, median

_TIMES = 5
#: Beyond libvirt's own.
_MORE_S = 0.15


def measure(cloud: Cloud) -> Iterator[Result]:
    """Attach, detach."""
    network_id = cloud.named("network", "/v2.0/networks", "networks", "demo")
    ins, outs, plain_ins, plain_outs = [], [], [], []
    with servers.running(cloud) as server_id:
        plug = plain.Plug(server_id)
        for _ in range(_TIMES):
            port = {"port": {"network_id": network_id}}
            port_id = str(cloud.must("network", "POST", "/v2.0/ports", port)["port"]["id"])
            ins.append(timed(lambda p=port_id: _plug(cloud, server_id, p)))  # type: ignore[misc]
            outs.append(timed(lambda p=port_id: _unplug(cloud, server_id, p)))  # type: ignore[misc]
            cloud.call("network", "DELETE", f"/v2.0/ports/{port_id}")
            attach, detach = plug.times(plain.interface(server_id))
            plain_ins.append(attach)
            plain_outs.append(detach)
    alone_in, alone_out = statistics.median(plain_ins), statistics.median(plain_outs)
    yield median("interface plugged by libvirt alone", plain_ins, "s")
    yield median("port plugged → ACTIVE", ins, "s", alone_in + _MORE_S, f"bar: libvirt's + {_MORE_S} s")
    yield median("interface let go by the guest, libvirt alone", plain_outs, "s")
    note = f"{statistics.median(outs) - alone_out:.3f} beyond libvirt and guest"
    yield median("port unplugged", outs, "s", note=note)


def _plug(cloud: Cloud, server_id: str, port_id: str) -> None:
    wanted = {"interfaceAttachment": {"port_id": port_id}}
    cloud.must("compute", "POST", f"/servers/{server_id}/os-interface", wanted)
    wait(lambda: cloud.get("network", f"/v2.0/ports/{port_id}")["port"]["status"] == "ACTIVE")


def _unplug(cloud: Cloud, server_id: str, port_id: str) -> None:
    path = f"/servers/{server_id}/os-interface"
    cloud.must("compute", "DELETE", f"{path}/{port_id}")
    wait(lambda: port_id not in {i["port_id"] for i in cloud.get("compute", path)["interfaceAttachments"]})
