"""A volume made, given to a running server, taken away, deleted; and a plain file in the same guest."""

import statistics
from collections.abc import Iterator

from tests.bench import plain, servers
from tests.bench.cloud import Cloud, timed, wait
from tests.bench.result import Result, median

_TIMES = 5
_BARS_S = {"created": 0.10, "attached": 0.30, "detached": 0.30, "deleted": 0.15}


def measure(cloud: Cloud) -> Iterator[Result]:
    """Each verb until its end is seen."""
    taken: dict[str, list[float]] = {name: [] for name in _BARS_S}
    plain_ins, plain_outs = [], []
    with servers.running(cloud) as server_id, plain.empty_disk() as disk:
        plug = plain.Plug(server_id)
        for _ in range(_TIMES):
            volume = _Volume(cloud, server_id)
            for name, verb in zip(
                taken, (volume.create, volume.attach, volume.detach, volume.delete), strict=True
            ):
                taken[name].append(timed(verb))
            attach, detach = plug.times(disk)
            plain_ins.append(attach)
            plain_outs.append(detach)
    yield median("disk plugged by libvirt alone", plain_ins, "s")
    yield median("disk let go by the guest, libvirt alone", plain_outs, "s")
    alone = statistics.median(plain_outs)
    beyond = f"{statistics.median(taken['detached']) - alone:.3f} beyond libvirt and guest"
    for name, values in taken.items():
        yield median(f"volume {name}", values, "s", _BARS_S[name], beyond if name == "detached" else "")


class _Volume:
    """One volume's life."""

    def __init__(self, cloud: Cloud, server_id: str) -> None:
        self._cloud, self._id = cloud, ""
        self._attachments = f"/servers/{server_id}/os-volume_attachments"

    def create(self) -> None:
        body = {"volume": {"size": 1, "name": "bench"}}
        self._id = str(self._cloud.must("volumev3", "POST", "/volumes", body)["volume"]["id"])
        self._wait("available")

    def attach(self) -> None:
        body = {"volumeAttachment": {"volumeId": self._id}}
        self._cloud.must("compute", "POST", self._attachments, body)
        self._wait("in-use")

    def detach(self) -> None:
        self._cloud.must("compute", "DELETE", f"{self._attachments}/{self._id}")
        self._wait("available")

    def delete(self) -> None:
        path = f"/volumes/{self._id}"
        self._cloud.must("volumev3", "DELETE", path)
        wait(lambda: self._cloud.call("volumev3", "GET", path)[0] == 404)

    def _wait(self, status: str) -> None:
        wait(lambda: self._cloud.get("volumev3", f"/volumes/{self._id}")["volume"]["status"] == status)
