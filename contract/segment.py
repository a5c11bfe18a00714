"""How a network is carried between hosts: its tunnel id and what lies behind each tunnel end point."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document

NetworkType = Literal["vxlan", "flat", "vlan", "local"]


class RemotePort(msgspec.Struct, frozen=True, kw_only=True):
    """A port on another host: answers to ARP and ND for its addresses are given here."""

    mac_address: str
    ip_addresses: tuple[str, ...] = ()


class TunnelEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A VTEP of another host, with all ports of this network behind it."""

    address: str
    ports: tuple[RemotePort, ...] = ()


class Segment(Document, frozen=True, kw_only=True):
    """``id`` is the network's. ``segmentation_id`` is the VNI or VLAN; None for flat and local."""

    KIND: ClassVar[str] = "segment"

    network_type: NetworkType
    segmentation_id: int | None = None
    physical_network: str | None = None
    endpoints: tuple[TunnelEndpoint, ...] = ()
