"""Whether the values of a rule go together: pure. All raise BadRequest with neutron's type of error."""

import ipaddress
from typing import Any

from contract.security_group import PROTOCOLS
from controller.network import refusals

_WITH_PORTS = (6, 17, 33, 132, 136)
_ICMP = (1, 58)
_IPV6_ONLY = (41, 43, 44, 58, 59, 60)


def normalize(values: dict[str, Any]) -> None:
    """Checks a rule's values and writes them as rows have them."""
    ethertype = values["ethertype"] or "IPv4"
    values["ethertype"] = "IPv6" if ethertype.lower() == "ipv6" else "IPv4"
    values["description"] = values["description"] or ""
    values["protocol"] = _protocol(values["protocol"], values["ethertype"])
    _ports(values)
    _remote(values)


def number(protocol: str | None) -> int | None:
    """The protocol's number; None for any."""
    if protocol is None:
        return None
    return int(protocol) if protocol.isdigit() else PROTOCOLS[protocol]


def _protocol(given: str | None, ethertype: str) -> str | None:
    if given in (None, "any", ""):
        return None
    protocol = str(given)
    is_number = protocol.isascii() and protocol.isdigit() and int(protocol) <= 255
    if not is_number and protocol not in PROTOCOLS:
        raise refusals.invalid(
            f"Security group rule protocol {protocol} not supported. Only protocol values "
            f"{sorted(PROTOCOLS)} and integer representations [0 to 255] are supported.",
            "SecurityGroupRuleInvalidProtocol",
        )
    if is_number:
        protocol = str(int(protocol))
    if ethertype == "IPv6" and protocol in ("icmp", "icmpv6"):
        return "ipv6-icmp"
    if ethertype == "IPv6" and protocol == "1":
        return "58"
    if ethertype == "IPv4" and number(protocol) in _IPV6_ONLY:
        raise refusals.invalid(
            f"Invalid ethertype {ethertype} for protocol {protocol}.",
            "SecurityGroupEthertypeConflictWithProtocol",
        )
    return protocol


def _ports(values: dict[str, Any]) -> None:
    protocol, low, high = values["protocol"], values["port_range_min"], values["port_range_max"]
    if low is None and high is None:
        return
    for port in (low, high):
        if port is not None and not 0 <= port <= 65535:
            raise refusals.invalid(f"Invalid value for port {port}", "SecurityGroupInvalidPortValue")
    if protocol is None:
        raise refusals.invalid(
            "Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts"
        )
    if number(protocol) in _WITH_PORTS:
        _tcp_ports(low, high)
    elif number(protocol) in _ICMP:
        _icmp(low, high)
    else:
        raise refusals.invalid(
            f"Ports cannot be specified for protocol {protocol}. Ports are only supported for "
            "TCP, UDP, UDPLITE, SCTP and DCCP.",
            "SecurityGroupInvalidProtocolForPort",
        )
    if low == 1 and high == 65535 and number(protocol) in _WITH_PORTS:
        values["port_range_min"] = values["port_range_max"] = None


def _tcp_ports(low: int | None, high: int | None) -> None:
    for port in (low, high):
        if port is not None and port < 1:
            raise refusals.invalid(f"Invalid value for port {port}", "SecurityGroupInvalidPortValue")
    if low is None or high is None or low > high:
        raise refusals.invalid(
            "For TCP/UDP protocols, port_range_min must be <= port_range_max", "SecurityGroupInvalidPortRange"
        )


def _icmp(low: int | None, high: int | None) -> None:
    for name, what, value in (("type", "port_range_min", low), ("code", "port_range_max", high)):
        if value is not None and not 0 <= value <= 255:
            raise refusals.invalid(
                f"Invalid value for ICMP {name} ({what}) {value}. It must be 0 to 255.",
                "SecurityGroupInvalidIcmpValue",
            )
    if low is None:
        raise refusals.invalid(
            f"ICMP code (port-range-max) {high} is provided but ICMP type (port-range-min) is missing.",
            "SecurityGroupMissingIcmpType",
        )


def _remote(values: dict[str, Any]) -> None:
    prefix = values["remote_ip_prefix"] or None
    values["remote_ip_prefix"] = prefix
    named = (prefix, values["remote_group_id"], values["remote_address_group_id"])
    if len([name for name in named if name]) > 1:
        raise refusals.invalid(
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
            "SecurityGroupMultipleRemoteEntites",
        )
    if prefix is None:
        return
    try:
        interface = ipaddress.ip_interface(prefix)
    except ValueError:
        raise refusals.malformed(
            f"Invalid input for remote_ip_prefix. Reason: '{prefix}' is not a valid CIDR."
        ) from None
    if f"IPv{interface.version}" != values["ethertype"] or getattr(interface, "scope_id", None):
        raise refusals.invalid(
            f"Conflicting value ethertype {values['ethertype']} for CIDR {prefix}",
            "SecurityGroupRuleParameterConflict",
        )
    values["remote_ip_prefix"] = interface.with_prefixlen
