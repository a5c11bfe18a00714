"""The desired server: one libvirt domain of a host (taken by ``nova_compute``)."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document
from contract.instance_data import InstanceData

Power = Literal["on", "off"]
ImperativeKind = Literal["reboot_soft", "reboot_hard"]


class Flavor(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a server. ``disk_gib`` 0 means the size of the image."""

    vcpus: int
    ram_mib: int
    disk_gib: int


class BootImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the host may stream from ``/internal/images/{id}``.

    ``sha512`` is verified before first use and ``disk_format`` is given to every tool explicitly.
    """

    id: str
    sha512: str
    size_bytes: int
    disk_format: str
    kernel_id: str | None = None
    ramdisk_id: str | None = None
    kernel_sha512: str | None = None
    ramdisk_sha512: str | None = None
    kernel_args: str | None = None


class IscsiTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where a volume's export is reached; the same shape for the host's initiator and QEMU's own."""

    portal: str
    iqn: str
    lun: int
    chap_username: str
    chap_password: str


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A volume in a server. ``device`` is the name inside the guest's bus, such as ``vdb``."""

    attachment_id: str
    volume_id: str
    device: str
    boot_index: int | None = None
    target: IscsiTarget
    serial: str


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A NIC of a server; the port itself is wired by ``ovs_agent`` on seeing its tap."""

    port_id: str
    mac_address: str
    mtu: int
    tag: str | None = None


class Imperative(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do once. The ledger remembers finished ids and answers repeats from memory."""

    operation_id: str
    kind: ImperativeKind


class Server(Document, frozen=True, kw_only=True):
    """Everything that makes a domain.

    ``power_generation`` changes with every change of the wanted power, so that a guest's own shutdown,
    remembered against one document, cannot hide a later start. ``image`` is None when booted from a volume.
    """

    KIND: ClassVar[str] = "server"

    name: str
    hostname: str
    project_id: str
    flavor: Flavor
    power: Power
    power_generation: int
    image: BootImage | None = None
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    config_drive: InstanceData | None = None
    imperatives: tuple[Imperative, ...] = ()


class ServerObserved(msgspec.Struct, frozen=True, kw_only=True):
    """What a host sees of a domain. ``is_guest_shutdown``: the guest itself powered off.

    ``disks`` are the attachment ids and ``interfaces`` the port ids seen in the domain (live where it
    runs). ``launched_at`` is when the guest began to run, in seconds since the epoch.
    """

    power: Literal["on", "off", "paused", "crashed", "absent"]
    is_guest_shutdown: bool = False
    disks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    launched_at: float | None = None
