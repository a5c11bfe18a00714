"""A security group complete: its rules, and the addresses of all its members on every host."""

from typing import ClassVar, Literal

import msgspec

from contract.document import Document


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One allowance. ``protocol`` is a name or a number as text, None for any; port range as the API
    defines it (type and code for ICMP)."""

    id: str
    direction: Literal["ingress", "egress"]
    ethertype: Literal["IPv4", "IPv6"]
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None


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
