"""Disks of a domain: the image's overlay, volumes, the config drive."""

from contract.server import Disk, IscsiTarget
from nova_compute.domain.element import Element, element
from nova_compute.domain.machine import Machine, Root

_BUSES = {"vd": "virtio", "sd": "scsi", "hd": "ide"}


def alias(attachment_id: str) -> str:
    """The device's name in the domain, by which it is recognised."""
    return f"ua-{attachment_id}"


def secret_usage(attachment_id: str) -> str:
    """The usage name under which libvirt finds the CHAP secret of an attachment while it starts."""
    return f"cumulet-{attachment_id}"


def device_path(target: IscsiTarget) -> str:
    """Where udev shows a unit that the kernel's initiator logged in to."""
    return f"/dev/disk/by-path/ip-{target.portal}-iscsi-{target.iqn}-lun-{target.lun}"


def root(files: Root, boot_order: int | None) -> Element:
    """The overlay. The whole chain is spelled out, formats and all: nothing is ever probed.

    The base is shared by all servers of the image: libvirt must not give it to one of them.
    """
    is_kept = element("seclabel", model="dac", relabel="no")
    base = element(
        "backingStore",
        element("format", type_=files.base_format),
        element("source", is_kept, file=files.base_path),
        element("backingStore"),
        type_="file",
    )
    return element(
        "disk",
        element("driver", name="qemu", type_="qcow2", cache="none", io="native", discard="unmap"),
        element("source", file=files.path),
        base,
        element("target", dev="vda", bus="virtio"),
        element("boot", order=boot_order) if boot_order else None,
        element("alias", name="ua-root"),
        type_="file",
        device="disk",
    )


def volume(disk: Disk, machine: Machine, boot_order: int | None = None) -> Element:
    """A volume, raw by definition: its bytes are the guest's and are never looked at."""
    is_host = machine.has_host_initiator
    io = "native" if is_host else None
    return element(
        "disk",
        element("driver", name="qemu", type_="raw", cache="none", io=io, discard="unmap"),
        element("source", dev=device_path(disk.target))
        if is_host
        else _network_source(disk, machine.initiator),
        element("target", dev=disk.device, bus=_BUSES.get(disk.device[:2], "virtio")),
        element("serial", text=disk.serial),
        element("boot", order=boot_order) if boot_order else None,
        element("alias", name=alias(disk.attachment_id)),
        type_="block" if is_host else "network",
        device="disk",
    )


def config_drive(path: str, machine: Machine) -> Element:
    """The read-only CD with the guest's data, on a bus of its own so that volumes keep their names."""
    dev, bus = ("hda", "ide") if machine.machine_type.startswith("pc") else ("sda", "sata")
    return element(
        "disk",
        element("driver", name="qemu", type_="raw", cache="none"),
        element("source", file=path),
        element("target", dev=dev, bus=bus),
        element("readonly"),
        element("alias", name="ua-config"),
        type_="file",
        device="cdrom",
    )


def _network_source(disk: Disk, initiator: str) -> Element:
    target = disk.target
    address, _, port = target.portal.rpartition(":")
    auth = None
    if target.chap_username:
        secret = element("secret", type_="iscsi", usage=secret_usage(disk.attachment_id))
        auth = element("auth", secret, username=target.chap_username)
    return element(
        "source",
        element("host", name=address.strip("[]"), port=port or 3260),
        element("initiator", element("iqn", name=initiator)) if initiator else None,
        auth,
        protocol="iscsi",
        name=f"{target.iqn}/{target.lun}",
    )
