"""The whole domain of a server: the product of this agent's compilers."""

import hashlib
import re

from contract.server import Server
from nova_compute.domain import console, cpu, disk, interface
from nova_compute.domain.element import Element, element, render
from nova_compute.domain.machine import Files, Machine

#: Marks our domains among others of the host.
NAMESPACE = "https://cumulet.dev/domain/1"
_DIGEST = re.compile('<cumulet:server digest="([0-9a-f]*)"')
_ROOT_ARGUMENTS = "root=/dev/vda console=tty0 console=ttyS0"


def name(server_id: str) -> str:
    """The domain's name: unique as the server's id is."""
    return f"instance-{server_id}"


def domain(server: Server, files: Files, machine: Machine) -> str:
    """The domain's XML, marked with a digest of itself by which a changed definition is seen."""
    text = render(_domain(server, files, machine, ""))
    marked = hashlib.sha256(text.encode()).hexdigest()[:32]
    return render(_domain(server, files, machine, marked))


def digest(xml: str) -> str:
    """The digest that a domain's XML is marked with; empty if it is not ours."""
    found = _DIGEST.search(xml)
    return found.group(1) if found else ""


def _domain(server: Server, files: Files, machine: Machine, digest: str) -> Element:
    return element(
        "domain",
        element("name", text=name(server.id)),
        element("uuid", text=server.id),
        element("metadata", element("cumulet:server", digest=digest, **{"xmlns:cumulet": NAMESPACE})),
        element("memory", text=server.flavor.ram_mib, unit="MiB"),
        element("vcpu", text=server.flavor.vcpus),
        _sysinfo(server),
        _os(server, files, machine),
        cpu.features(machine),
        cpu.cpu(machine, server.flavor.vcpus),
        cpu.clock(),
        element("on_poweroff", text="destroy"),
        element("on_reboot", text="restart"),
        element("on_crash", text="destroy"),
        _devices(server, files, machine),
        type_=machine.virt_type,
    )


def _sysinfo(server: Server) -> Element:
    """SMBIOS words by which cloud-init knows an OpenStack cloud."""
    entries = {
        "manufacturer": "OpenStack Foundation",
        "product": "OpenStack Nova",
        "version": "1",
        "serial": server.id,
        "uuid": server.id,
        "family": "Virtual Machine",
    }
    return element(
        "sysinfo",
        element("system", *(element("entry", name=k, text=v) for k, v in entries.items())),
        type_="smbios",
    )


def _os(server: Server, files: Files, machine: Machine) -> Element:
    arguments = (server.image.kernel_args if server.image else None) or _ROOT_ARGUMENTS
    return element(
        "os",
        element("type", text="hvm", arch="x86_64", machine=machine.machine_type),
        element("kernel", text=files.kernel) if files.kernel else None,
        element("initrd", text=files.ramdisk) if files.ramdisk else None,
        element("cmdline", text=arguments) if files.kernel else None,
        element("smbios", mode="sysinfo"),
    )


def _devices(server: Server, files: Files, machine: Machine) -> Element:
    is_kernel_given = files.kernel is not None
    disks = []
    if files.root is not None:
        disks.append(disk.root(files.root, None if is_kernel_given else 1))
    for volume in server.disks:
        order = None if is_kernel_given else _boot_order(volume.boot_index, files.root is not None)
        disks.append(disk.volume(volume, machine, order))
    if files.config_drive:
        disks.append(disk.config_drive(files.config_drive, machine))
    return element(
        "devices",
        *disks,
        element("controller", type_="usb", model="none"),
        *(interface.interface(nic, machine) for nic in server.interfaces),
        console.serial(files.console),
        *console.screen(machine),
        element("rng", element("backend", text="/dev/urandom", model="random"), model="virtio"),
        element("memballoon", model="virtio"),
    )


def _boot_order(boot_index: int | None, is_after_root: bool) -> int | None:
    """libvirt counts from 1; the image's disk, where there is one, comes first."""
    if boot_index is None or boot_index < 0:
        return None
    return boot_index + (2 if is_after_root else 1)
