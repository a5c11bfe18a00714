"""Every field of a port forwarding in the API."""

from typing import Any

from controller.network.port_forwardings import ranges
from controller.network.standard import DESCRIPTION
from controller.web import schema
from controller.web.fields import Field, Fields, View, exact, number

_PORT = schema.nullable(schema.integer(1, 65535))
_RANGE: schema.Schema = {"type": ["string", "null"], "pattern": r"^[0-9]{1,5}(:[0-9]{1,5})?\Z"}
_PROTOCOLS = ["tcp", "udp", "icmp", "icmp6", "sctp", "dccp"]


def single(first: int, last: int) -> int | None:
    """A port; None for a range of several."""
    return first if first == last else None


def _external_port(row: Any, _view: View) -> int | None:
    return single(row.external_first, row.external_last)


def _internal_port(row: Any, _view: View) -> int | None:
    return single(row.internal_first, row.internal_last)


def _external_range(row: Any, _view: View) -> str:
    return ranges.written((row.external_first, row.external_last))


def _internal_range(row: Any, _view: View) -> str:
    return ranges.written((row.internal_first, row.internal_last))


PORT_FORWARDING = Fields(
    "port_forwarding",
    "port_forwardings",
    [
        Field(name="id", filter=exact, sort=True),
        Field(name="floatingip_id", filter=exact, is_shown=False),
        Field(
            name="internal_port_id",
            schema=schema.UUID,
            create=True,
            update=True,
            required=True,
            filter=exact,
            sort=True,
        ),
        Field(
            name="internal_ip_address", schema={"type": "string", "maxLength": 64}, create=True, update=True
        ),
        Field(name="internal_port", schema=_PORT, create=True, update=True, store=int, show=_internal_port),
        Field(name="internal_port_range", schema=_RANGE, create=True, update=True, show=_internal_range),
        Field(
            name="external_port",
            schema=_PORT,
            create=True,
            update=True,
            store=int,
            show=_external_port,
            filter=number,
            filter_attr="external_first",
        ),
        Field(name="external_port_range", schema=_RANGE, create=True, update=True, show=_external_range),
        Field(
            name="protocol",
            schema={"enum": [*_PROTOCOLS, *(name.upper() for name in _PROTOCOLS)]},
            create=True,
            update=True,
            required=True,
            store=str.lower,
            filter=str.lower,
            sort=True,
        ),
        Field(name="description", schema=DESCRIPTION, create=True, update=True, default="", filter=exact),
        # the owner is the floating IP's; clients may repeat it
        Field(name="project_id", schema={"type": "string"}, create=True, is_shown=False),
        Field(name="tenant_id", attr="project_id", schema={"type": "string"}, create=True, is_shown=False),
    ],
)
