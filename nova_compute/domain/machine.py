"""What the compilers must know of a host and of a server's files, besides the document."""

from typing import Literal

import msgspec

VirtType = Literal["kvm", "qemu"]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """How domains are made on this host.

    ``is_userspace_datapath``: the switch does not complete checksums, the guest's NIC must.
    ``has_host_initiator``: volumes are devices of the host, else QEMU speaks iSCSI itself,
    under the same name ``initiator``, to which exports are restricted.
    """

    virt_type: VirtType
    machine_type: str = "pc"
    cpu_mode: str = "auto"
    cpu_model: str = ""
    tcg_cache_mib: int = 32
    is_vnc_enabled: bool = True
    bridge: str = "br-int"
    is_userspace_datapath: bool = True
    has_host_initiator: bool = False
    initiator: str = ""


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """The overlay of a server on an image of the cache."""

    path: str
    base_path: str
    base_format: str


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of what belongs to one server; None for what it does not have."""

    console: str
    root: Root | None = None
    kernel: str | None = None
    ramdisk: str | None = None
    config_drive: str | None = None
