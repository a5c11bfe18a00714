"""What libvirt takes without a cloud, for the same domain in the same run: what our own share is compared with."""

import contextlib
import json
import os
import pathlib
import subprocess
import threading
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import libvirt

from tests.bench.cloud import timed

_RUN = pathlib.Path("/run/cumulet")


class Twin:
    """A domain like a server's, with other names and addresses and an overlay of its own."""

    def __init__(self, server_id: str) -> None:
        self.id = str(uuid.uuid4())
        self._overlays: list[pathlib.Path] = []
        domain = ElementTree.fromstring(_virsh("dumpxml", "--inactive", server_id))
        _child(domain, "name").text = f"bench-{self.id[:8]}"
        for place in (_child(domain, "uuid"), *domain.iterfind("sysinfo/system/entry[@name='uuid']")):
            place.text = self.id
        for interface in domain.iter("interface"):
            _rename(interface, self.id)
        for source in domain.iterfind("devices/disk/source[@file]"):
            source.set("file", str(self._overlay(pathlib.Path(source.attrib["file"]))))
        self._xml, self._console = (_RUN / f"bench-{self.id[:8]}.{end}" for end in ("xml", "log"))
        for console in domain.iterfind("devices//source[@path]"):
            console.set("path", str(self._console))
        self._xml.write_text(ElementTree.tostring(domain, encoding="unicode"))

    def create(self) -> float:
        """Seconds that ``virsh create`` takes."""
        return timed(lambda: _virsh("create", str(self._xml)))

    def remove(self) -> None:
        """Leaves nothing of it."""
        subprocess.run(["virsh", "destroy", self.id], capture_output=True, check=False)
        for left in (self._xml, self._console, *self._overlays):
            left.unlink(missing_ok=True)

    def _overlay(self, original: pathlib.Path) -> pathlib.Path:
        path = original.with_name(f"bench-{self.id[:8]}-{original.name}")
        info = json.loads(_run("qemu-img", "info", "--force-share", "--output=json", str(original)))
        base = [info["full-backing-filename"], str(path), str(info["virtual-size"])]
        _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", info["backing-filename-format"], "-b", *base)
        self._overlays.append(path)
        return path


@contextlib.contextmanager
def twins(server_id: str, count: int) -> Iterator[list[Twin]]:
    """Some of them, gone after the block."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            made.append(Twin(server_id))
            stack.callback(made[-1].remove)
        yield made


def interface(server_id: str) -> str:
    """XML of a further interface like the server's first, under no port that the cloud knows."""
    found = _child(ElementTree.fromstring(_virsh("dumpxml", "--inactive", server_id)), "devices/interface")
    for name in ("address", "alias"):
        for part in found.findall(name):
            found.remove(part)
    _rename(found, str(uuid.uuid4()))
    return ElementTree.tostring(found, encoding="unicode")


@contextlib.contextmanager
def empty_disk() -> Iterator[str]:
    """XML of a further disk of one GiB, a sparse file."""
    path = _RUN / f"bench-{uuid.uuid4().hex[:8]}.raw"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)
    try:
        yield (
            "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"
            f"<source file='{path}'/><target dev='vdz' bus='virtio'/></disk>"
        )
    finally:
        path.unlink()


class Plug:
    """Devices in and out of a server by libvirt alone."""

    def __init__(self, server_id: str) -> None:
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run_events, daemon=True).start()
        self._connection = libvirt.open("qemu:///system")
        self._domain = self._connection.lookupByUUIDString(server_id)
        self._removed = threading.Event()
        self._connection.domainEventRegisterAny(
            self._domain, libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, lambda *_: self._removed.set(), None
        )

    def times(self, xml: str) -> tuple[float, float]:
        """Seconds to plug a device, and those until the guest has let it go and libvirt says so."""
        attach = timed(lambda: self._domain.attachDevice(xml))
        self._removed.clear()
        return attach, timed(lambda: (self._domain.detachDevice(xml), self._removed.wait(30)))


def _run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _rename(interface_xml: ElementTree.Element, new: str) -> None:
    _child(interface_xml, "mac").set("address", f"fa:16:3e:{new[0:2]}:{new[2:4]}:{new[4:6]}")
    _child(interface_xml, "target").set("dev", f"tap{new[:11]}")
    _child(interface_xml, "virtualport/parameters").set("interfaceid", new)


def _child(parent: ElementTree.Element, path: str) -> ElementTree.Element:
    found = parent.find(path)
    if found is None:
        raise RuntimeError(f"the domain has no {path}")
    return found


def _virsh(*words: str) -> str:
    return _run("virsh", *words)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout
