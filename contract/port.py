"""The desired port: one tap on the integration bridge (taken by ``ovs_agent``)."""

from typing import ClassVar

import msgspec

from contract.document import Document
from contract.qos import Limit


class FixedIp(msgspec.Struct, frozen=True, kw_only=True):
    """An address of a port and the subnet that it is from."""

    ip_address: str
    subnet_id: str


class AddressPair(msgspec.Struct, frozen=True, kw_only=True):
    """A further source that the port may use: an address or prefix, with a MAC."""

    ip_address: str
    mac_address: str


class DhcpOption(msgspec.Struct, frozen=True, kw_only=True):
    """What DHCP tells this port alone: an option by dnsmasq's name or its number, and its value as dnsmasq reads it."""

    opt_name: str
    opt_value: str
    ip_version: int = 4


class Port(Document, frozen=True, kw_only=True):
    """A port bound to this host. Groups are named here; their rules and members are documents.

    ``dns_domain`` is the port's own, empty where the network's holds. ``dscp_mark`` is what its packets leave with.
    A port with ``parent_port_id`` has no tap: frames of its parent's tap
    with the VLAN tag ``segmentation_id`` are its own.
    """

    KIND: ClassVar[str] = "port"

    network_id: str
    project_id: str
    mac_address: str
    device_id: str
    device_owner: str
    is_admin_up: bool = True
    is_port_security: bool = True
    fixed_ips: tuple[FixedIp, ...] = ()
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    hostname: str = ""
    dns_domain: str = ""
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()
    limits: tuple[Limit, ...] = ()
    dscp_mark: int | None = None
    parent_port_id: str = ""
    segmentation_id: int | None = None


class PortObserved(msgspec.Struct, frozen=True, kw_only=True):
    """``is_wired``: the tap is there and its flows are in the switch."""

    is_wired: bool
    ofport: int | None = None
