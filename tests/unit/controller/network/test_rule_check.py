"""Hostile and odd rules end in a sentence, never in a rule that an agent cannot read (SECURITY.md 21)."""

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from contract.security_group import PROTOCOLS
from controller.network.security_groups import rule_check
from controller.web.errors import BadRequest

_PROTOCOLS = st.one_of(
    st.none(),
    st.sampled_from(sorted(PROTOCOLS)),
    st.integers(-5, 300).map(str),
    st.text(max_size=8),
)
_PORTS = st.one_of(st.none(), st.integers(-1, 65535))
_PREFIXES = st.one_of(
    st.none(),
    st.ip_addresses().map(str),
    st.sampled_from(["0.0.0.0/0", "::/0", "10.0.0.1/8", "fe80::1%eth0/64", "1.2.3.4/33", "x\ny"]),
)


@given(st.sampled_from(["IPv4", "IPv6", "ipv6", None]), _PROTOCOLS, _PORTS, _PORTS, _PREFIXES)
def test_what_passes_is_well_formed(
    ethertype: str | None, protocol: str | None, low: int | None, high: int | None, prefix: str | None
) -> None:
    values: dict[str, Any] = {
        "ethertype": ethertype,
        "protocol": protocol,
        "port_range_min": low,
        "port_range_max": high,
        "remote_ip_prefix": prefix,
        "remote_group_id": None,
        "remote_address_group_id": None,
        "description": None,
    }
    try:
        rule_check.normalize(values)
    except BadRequest as error:
        assert error.kind
        return
    number = rule_check.number(values["protocol"])
    assert number is None or 0 <= number <= 255
    if values["port_range_max"] is not None:
        assert number is not None and values["port_range_min"] >= 0 and values["port_range_max"] <= 65535
    if values["remote_ip_prefix"] is not None:
        found = ipaddress.ip_interface(values["remote_ip_prefix"])
        assert f"IPv{found.version}" == values["ethertype"]
