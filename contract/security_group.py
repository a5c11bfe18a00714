"""A security group complete: its rules, and the addresses of all its members on every host."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document

#: IANA numbers of the protocols that a rule may name, as the Networking API has them. ``icmp`` in an IPv6
#: rule means ICMPv6.
PROTOCOLS = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ip": 0,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance. ``protocol`` is a name (PROTOCOLS) or a number as text, None for any; port range as the API
    defines it (type and code for ICMP)."""

    id: str
    direction: Literal["ingress", "egress"]
    ethertype: Literal["IPv4", "IPv6"]
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    remote_address_group_id: str | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the group, with every address that it may use."""

    port_id: str
    ip_addresses: tuple[str, ...] = ()


class SecurityGroup(Document, frozen=True, kw_only=True):
    """Sent to hosts with a port in the group, and to hosts whose groups name it as remote."""

    KIND: ClassVar[str] = "security_group"

    is_stateful: bool = True
    rules: tuple[Rule, ...] = ()
    members: tuple[Member, ...] = ()
