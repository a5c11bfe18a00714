"""How a network is carried between hosts: its tunnel id and what lies behind each tunnel end point."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document

NetworkType = Literal["vxlan", "flat", "vlan", "local"]


class RemotePort(msgspec.Struct, frozen=True, kw_only=True):
    """A port on another host: answers to ARP for its addresses, and its names, are given here."""

    mac_address: str
    ip_addresses: tuple[str, ...] = ()
    hostname: str = ""
    dns_domain: str = ""


class TunnelEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A VTEP of another host, with all ports of this network behind it; empty where none is needed."""

    address: str
    ports: tuple[RemotePort, ...] = ()


class Segment(Document, frozen=True, kw_only=True):
    """``id`` is the network's. ``segmentation_id`` is the VNI or VLAN; None for flat and local."""

    KIND: ClassVar[str] = "segment"

    network_type: NetworkType
    segmentation_id: int | None = None
    physical_network: str | None = None
    endpoints: tuple[TunnelEndpoint, ...] = ()
