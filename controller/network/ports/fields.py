"""Every field of a port in the API."""

from typing import Any

from contract import dns
from controller.network import names
from controller.network.ports import dhcp_options
from controller.network.standard import ADMIN_STATE, NAME, QOS_POLICY, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, View, boolean, exact

BINDING = "network:port:binding"

#: Values of DHCP options reach configuration as they stand: one line each.
_DHCP_VALUE = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*\Z"}
_TEXT_64: schema.Schema = {"type": "string", "maxLength": 64}

_FIXED_IPS: schema.Schema = {
    "type": ["array", "null"],
    "maxItems": 256,
    "items": {
        "type": "object",
        "properties": {"subnet_id": schema.UUID, "ip_address": _TEXT_64},
        "additionalProperties": False,
    },
}
_PAIRS: schema.Schema = {
    "type": ["array", "null"],
    "maxItems": 256,
    "items": {
        "type": "object",
        "properties": {"ip_address": _TEXT_64, "mac_address": _TEXT_64},
        "required": ["ip_address"],
        "additionalProperties": False,
    },
}
_DHCP_OPTIONS: schema.Schema = {
    "type": ["array", "null"],
    "maxItems": dhcp_options.MOST,
    "items": {
        "type": "object",
        "properties": {
            "opt_name": {"type": "string", "maxLength": 64, "pattern": r"^[A-Za-z0-9_-]+\Z"},
            "opt_value": _DHCP_VALUE,
            "ip_version": {"enum": [4, 6, "4", "6"]},
        },
        "required": ["opt_name", "opt_value"],
        "additionalProperties": False,
    },
}
_GROUPS: schema.Schema = {"type": ["array", "null"], "items": schema.UUID, "maxItems": 256}
_VNIC_TYPES = ["normal", "direct", "macvtap", "baremetal", "direct-physical", "virtio-forwarder", "smart-nic"]


def _fixed_ips(row: Any, view: View) -> list[dict[str, str]]:
    found: list[dict[str, str]] = view.of("fixed_ips", row.id, [])
    return found


def _groups(row: Any, view: View) -> list[str]:
    found: list[str] = view.of("groups", row.id, [])
    return found


def _dns_assignment(row: Any, view: View) -> list[dict[str, str]]:
    domain = view.of("domains", row.id, "")
    found = []
    for address in (fixed["ip_address"] for fixed in view.of("fixed_ips", row.id, [])):
        hostname, fqdn = dns.assigned(row.dns_name, domain, address)
        found.append({"hostname": hostname, "ip_address": address, "fqdn": fqdn})
    return found


def _dns(name: str, accepted: schema.Schema) -> Field:
    return Field(
        name=name, schema=accepted, create=True, update=True, default="", store=str.lower, filter=str.lower
    )


def _trunk_details(row: Any, view: View) -> dict[str, Any] | None:
    found: dict[str, Any] | None = view.of("trunks", row.id)
    return found


def _network_policy(row: Any, view: View) -> str | None:
    found: str | None = view.of("network_policies", row.network_id)
    return found


def _vif_type(row: Any, _view: View) -> str:
    return "ovs" if row.binding_host else "unbound"


def _vif_details(row: Any, _view: View) -> dict[str, Any]:
    if not row.binding_host:
        return {}
    return {"port_filter": True, "connectivity": "l2", "bridge_name": "br-int", "datapath_type": "system"}


PORT = Fields(
    "port",
    "ports",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        Field(name="network_id", schema=schema.UUID, create=True, required=True, filter=exact, sort=True),
        ADMIN_STATE,
        Field(name="mac_address", schema=_TEXT_64, create=True, update=True, filter=str.lower, sort=True),
        Field(name="fixed_ips", schema=_FIXED_IPS, create=True, update=True, show=_fixed_ips),
        Field(name="status", filter=exact, sort=True),
        Field(
            name="device_id",
            schema=schema.NAME_OR_EMPTY,
            create=True,
            update=True,
            default="",
            filter=exact,
            sort=True,
        ),
        Field(
            name="device_owner",
            schema=schema.NAME_OR_EMPTY,
            create=True,
            update=True,
            default="",
            filter=exact,
            sort=True,
        ),
        Field(
            name="security_groups",
            attr="security_group_ids",
            schema=_GROUPS,
            create=True,
            update=True,
            show=_groups,
        ),
        Field(
            name="port_security_enabled",
            attr="is_port_security",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            store=schema.as_bool,
            filter=boolean,
        ),
        Field(name="allowed_address_pairs", schema=_PAIRS, create=True, update=True),
        Field(name="extra_dhcp_opts", schema=_DHCP_OPTIONS, create=True, update=True),
        _dns("dns_name", names.DNS_NAME),
        _dns("dns_domain", names.DNS_DOMAIN),
        Field(name="dns_assignment", show=_dns_assignment),
        Field(name="trunk_details", show=_trunk_details),
        QOS_POLICY,
        Field(name="qos_network_policy_id", show=_network_policy),
        Field(
            name="binding:vnic_type",
            attr="vnic_type",
            schema={"enum": _VNIC_TYPES},
            create=True,
            update=True,
            default="normal",
            filter=exact,
        ),
        Field(
            name="binding:host_id",
            attr="binding_host",
            schema={"type": ["string", "null"], "maxLength": 64, "pattern": r"^[A-Za-z0-9_.-]*\Z"},
            create=True,
            update=True,
            filter=exact,
            see=BINDING,
            set=BINDING,
        ),
        Field(
            name="binding:profile",
            attr="binding_profile",
            schema={"type": ["object", "null"]},
            create=True,
            update=True,
            see=BINDING,
            set=BINDING,
        ),
        Field(name="binding:vif_type", show=_vif_type, see=BINDING),
        Field(name="binding:vif_details", show=_vif_details, see=BINDING),
        *STANDARD_FIELDS,
    ],
)
