"""Every field of a floating IP in the API."""

import ipaddress
from typing import Any

from controller.network import names
from controller.network.standard import QOS_POLICY, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, exact

GIVEN_ADDRESS = "network:floatingip:address"

_UUID_OR_NULL = schema.nullable(schema.UUID)
_IP_OR_NULL: schema.Schema = {"type": ["string", "null"], "maxLength": 64}


def _normal(text: str) -> str:
    """An address in its usual writing. Raises ValueError."""
    return str(ipaddress.ip_address(text))


def _port_details(row: Any, view: View) -> dict[str, Any] | None:
    found: dict[str, Any] | None = view.of("ports", row.port_id)
    return found


def _network_policy(row: Any, view: View) -> str | None:
    found: str | None = view.of("network_policies", row.floating_network_id)
    return found


def _port_forwardings(row: Any, view: View) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view.of("forwardings", row.id, [])
    return found


FLOATING_IP = Fields(
    "floatingip",
    "floatingips",
    [
        Field(name="id", filter=exact, sort=True),
        Field(
            name="floating_network_id",
            schema=schema.UUID,
            create=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        Field(name="subnet_id", schema=_UUID_OR_NULL, create=True, default=None, is_shown=False),
        Field(
            name="floating_ip_address",
            schema=_IP_OR_NULL,
            create=True,
            default=None,
            filter=_normal,
            sort=True,
        ),
        Field(name="port_id", schema=_UUID_OR_NULL, create=True, update=True, default=None, filter=exact),
        Field(
            name="fixed_ip_address",
            schema=_IP_OR_NULL,
            create=True,
            update=True,
            default=None,
            filter=_normal,
            sort=True,
        ),
        Field(name="router_id", filter=exact, sort=True),
        Field(name="status", filter=exact, sort=True),
        # there is no DNS of the outside to publish names in: taken and not kept, as the original does without one
        Field(name="dns_name", schema=names.RELATIVE_DNS_NAME, create=True, show=lambda _row, _view: ""),
        Field(name="dns_domain", schema=names.DNS_DOMAIN, create=True, show=lambda _row, _view: ""),
        Field(name="port_details", show=_port_details),
        Field(name="port_forwardings", show=_port_forwardings),
        QOS_POLICY,
        Field(name="qos_network_policy_id", show=_network_policy),
        *STANDARD_FIELDS,
    ],
)
