"""Every field of a network in the API."""

from typing import Any

from controller.network import names
from controller.network.rbac import shared
from controller.network.standard import ADMIN_STATE, NAME, QOS_POLICY, STANDARD_FIELDS
from controller.web import schema
from controller.web.fields import Field, Fields, Show, View, boolean, exact, number

PROVIDER = "network:network:provider"
SHARE = "network:network:share"

_SEGMENTATION_ID = schema.nullable(schema.integer())


def _subnets(row: Any, view: View) -> list[str]:
    subnets: list[str] = view.of("subnets", row.id, [])
    return subnets


def _scope(ip_version: int) -> Show:
    def show(row: Any, view: View) -> str | None:
        found: dict[int, str] = view.of("scopes", row.id, {})
        return found.get(ip_version)

    return show


def _zones(row: Any, view: View) -> list[str]:
    return view.of("options", "zones", []) if view.of("subnets", row.id) else []


NETWORK = Fields(
    "network",
    "networks",
    [
        Field(name="id", filter=exact, sort=True),
        NAME,
        ADMIN_STATE,
        Field(name="status", show=lambda _row, _view: "ACTIVE"),
        Field(name="subnets", show=_subnets),
        shared.field(update=True, rule=SHARE),
        Field(
            name="router:external",
            attr="is_external",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=False,
            store=schema.as_bool,
            filter=boolean,
            set=SHARE,
        ),
        Field(
            name="is_default",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=False,
            store=schema.as_bool,
            show=lambda row, _view: bool(row.is_default),
            set=SHARE,
        ),
        Field(
            name="port_security_enabled",
            attr="is_port_security",
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            update=True,
            default=True,
            store=schema.as_bool,
            filter=boolean,
        ),
        Field(
            name="mtu",
            schema=schema.integer(0, 65535),
            create=True,
            update=True,
            default=0,
            store=int,
            filter=number,
            sort=True,
        ),
        Field(
            name="dns_domain",
            schema=names.DNS_DOMAIN,
            create=True,
            update=True,
            default="",
            store=str.lower,
            filter=str.lower,
        ),
        Field(
            name="availability_zone_hints",
            schema={"type": "array", "items": {"type": "string", "maxLength": 255}, "maxItems": 10},
            create=True,
            default=list,
        ),
        Field(name="availability_zones", show=_zones),
        Field(name="ipv4_address_scope", show=_scope(4)),
        Field(name="ipv6_address_scope", show=_scope(6)),
        Field(
            name="provider:network_type",
            attr="network_type",
            schema=schema.nullable({"type": "string"}),
            create=True,
            update=True,
            filter=exact,
            see=PROVIDER,
            set=PROVIDER,
        ),
        Field(
            name="provider:physical_network",
            attr="physical_network",
            schema=schema.nullable({"type": "string", "maxLength": 64, "pattern": r"^[A-Za-z0-9_.-]*\Z"}),
            create=True,
            update=True,
            filter=exact,
            see=PROVIDER,
            set=PROVIDER,
        ),
        Field(
            name="provider:segmentation_id",
            attr="segmentation_id",
            schema=_SEGMENTATION_ID,
            create=True,
            update=True,
            store=int,
            filter=number,
            see=PROVIDER,
            set=PROVIDER,
        ),
        QOS_POLICY,
        *STANDARD_FIELDS,
    ],
)
