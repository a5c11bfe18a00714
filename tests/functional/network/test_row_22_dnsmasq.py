"""SECURITY.md row 22: what users write is refused by the API where dnsmasq could read more in it than a value."""

from typing import Any

import pytest

SPLITTING = ["a\nb", "a\r", "a\x00b", "\x0b", "a\x7f"]
NO_NAMES = [*SPLITTING, "a,b", "tag:x", "a b", 'a"b', "a#b", "a'b", "a;b", "a/b", "-a", "é", "x" * 64]


@pytest.mark.parametrize("text", NO_NAMES)
def test_row_22_names_are_letters_digits_and_dashes(api: Any, net: Any, text: str) -> None:
    port = {"network_id": net["id"], "dns_name": text}
    assert api.post("/v2.0/ports", {"port": port}).status_code == 400
    assert api.post("/v2.0/networks", {"network": {"dns_domain": f"{text}.org."}}).status_code == 400
    named = {"network_id": net["id"], "dns_domain": f"{text}.org."}
    assert api.post("/v2.0/ports", {"port": named}).status_code == 400
    assert api.put(f"/v2.0/networks/{net['id']}", {"network": {"dns_domain": text}}).status_code == 400


@pytest.mark.parametrize("text", [*NO_NAMES[:-5], "option:mtu", "x" * 65, ""])
def test_row_22_option_names(api: Any, net: Any, text: str) -> None:
    port = {"network_id": net["id"], "extra_dhcp_opts": [{"opt_name": text, "opt_value": "1"}]}
    assert api.post("/v2.0/ports", {"port": port}).status_code == 400


@pytest.mark.parametrize("text", [*SPLITTING, "é" * 200, "\U0001f600" * 64, "x" * 256])
def test_row_22_option_values(api: Any, make: Any, net: Any, text: str) -> None:
    """One line, and no more bytes than DHCP and a line of dnsmasq have room for."""
    options = [{"opt_name": "bootfile-name", "opt_value": text}]
    port = make("port", network_id=net["id"])
    body = {"port": {"network_id": net["id"], "extra_dhcp_opts": options}}
    assert api.post("/v2.0/ports", body).status_code == 400
    changed = api.put(f"/v2.0/ports/{port['id']}", {"port": {"extra_dhcp_opts": options}})
    assert changed.status_code == 400
