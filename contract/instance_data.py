"""What a guest may know about itself: served as metadata by ``ovs_agent``, written to the config drive
by ``nova_compute``. Complete: the API is not asked when a guest asks."""

from typing import ClassVar

import msgspec

from contract.document import Document


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A keypair's public half."""

    name: str
    type: str
    data: str


class InstanceAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One fixed address of one NIC, as network_data.json tells it."""

    ip_address: str
    cidr: str
    gateway_ip: str | None
    ip_version: int
    subnet_id: str
    network_id: str
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[tuple[str, str], ...] = ()
    is_dhcp: bool = True
    ipv6_address_mode: str | None = None


class InstanceNic(msgspec.Struct, frozen=True, kw_only=True):
    """One NIC of the guest."""

    port_id: str
    mac_address: str
    mtu: int
    addresses: tuple[InstanceAddress, ...] = ()


class InstanceData(Document, frozen=True, kw_only=True):
    """``id`` is the server's. ``user_data`` is base64 text as the API received it."""

    KIND: ClassVar[str] = "instance_data"

    name: str
    hostname: str
    project_id: str
    availability_zone: str
    instance_type: str
    image_id: str | None = None
    launch_index: int = 0
    reservation_id: str = ""
    public_keys: tuple[PublicKey, ...] = ()
    metadata: dict[str, str] = {}
    user_data: str | None = None
    nics: tuple[InstanceNic, ...] = ()
    security_groups: tuple[str, ...] = ()
    random_seed: str = ""
