"""Every field of a server in the API, once: schema, microversions, policy, view, filters.

What a view needs beside the row is in ``View.related`` (see lookup.related): "addresses", "attachments",
"groups" by server id, "services" by host.
"""

import base64
import binascii
import functools
import hashlib
import ipaddress
from typing import Any

from controller.compute.flavors import links
from controller.compute.servers import states
from controller.web import fields, schema
from controller.web.errors import BadRequest
from controller.web.fields import Field, Fields, View, shown_time
from controller.web.versions import Version


@functools.cache
def v(text: str) -> Version:
    """A microversion."""
    return Version.parse(text)


_HOSTNAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 63,
    "pattern": r"^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$",
}
_ADDRESS = {"type": "string", "maxLength": 64}
_TAG = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": r"^[^,/]*$"}
_NETWORK = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "uuid": schema.nullable(schema.UUID),
        "port": schema.nullable(schema.UUID),
        "fixed_ip": {"type": "string"},
        "tag": _TAG,
    },
}
_BLOCK_DEVICE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "uuid": {"type": ["string", "null"]},
        "boot_index": {"type": ["integer", "string", "null"]},
        "source_type": {"enum": ["volume", "image", "snapshot", "blank"]},
        "destination_type": {"enum": ["local", "volume"]},
        "volume_size": schema.integer(0),
        "delete_on_termination": schema.LOOSE_BOOLEAN,
        "device_name": {"type": ["string", "null"]},
        "disk_bus": {"type": ["string", "null"]},
        "device_type": {"type": ["string", "null"]},
        "guest_format": {"type": ["string", "null"]},
        "no_device": {},
        "tag": _TAG,
        "volume_type": {"type": ["string", "null"]},
    },
}
_ADMIN = "compute:servers:show:host"


def _user_data(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise BadRequest("user_data must be encoded as base64.") from None
    return text


def host_id(row: Any) -> str:
    """The host's name as ordinary users see it: equal for servers of one project on one host."""
    return hashlib.sha224(f"{row.project_id}{row.host}".encode()).hexdigest() if row.host else ""


def addresses(row: Any, view: View) -> dict[str, list[dict[str, Any]]]:
    """Addresses by name of network, the fixed ones first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for address in view.of("addresses", row.id, ()):
        found.setdefault(address.network_name, []).append(
            {
                "version": 6 if ":" in address.ip_address else 4,
                "addr": address.ip_address,
                "OS-EXT-IPS:type": address.type,
                "OS-EXT-IPS-MAC:mac_addr": address.mac_address,
            }
        )
    return found


def _image(row: Any, view: View) -> Any:
    if not row.image_id:
        return ""
    shown: dict[str, Any] = {
        "id": row.image_id,
        "links": [{"rel": "bookmark", "href": links(view, "images", row.image_id)[1]["href"]}],
    }
    if view.version >= v("2.98"):
        shown["properties"] = {k: val for k, val in row.image_properties.items() if isinstance(val, str)}
    return shown


def _flavor(row: Any, view: View) -> dict[str, Any]:
    if view.version < v("2.47"):
        return {
            "id": row.flavor_id,
            "links": [{"rel": "bookmark", "href": links(view, "flavors", row.flavor_id)[1]["href"]}],
        }
    return {
        "vcpus": row.vcpus,
        "ram": row.ram_mib,
        "disk": row.disk_gib,
        "ephemeral": row.ephemeral_gib,
        "swap": row.swap_mib,
        "original_name": row.flavor_name,
        "extra_specs": row.extra_specs,
    }


def _volumes(row: Any, view: View) -> list[dict[str, Any]]:
    attached = view.of("attachments", row.id, ())
    if view.version < v("2.3"):
        return [{"id": a.volume_id} for a in attached]
    return [{"id": a.volume_id, "delete_on_termination": a.delete_on_termination} for a in attached]


def _address(version: int, text: str) -> str:
    """An address in its usual writing; empty for none. Raises BadRequest."""
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version or "%" in text:
        raise BadRequest(f"Invalid input for field/attribute accessIPv{version}. Value: {text[:80]}.")
    return str(address)


def _status(row: Any, _view: View) -> str:
    return states.shown(row.state, row.task).status


def _progress(row: Any, _view: View) -> int:
    return 100 if row.state == "active" else 0


def _host_status(row: Any, view: View) -> str:
    return str(view.of("host_status", row.host or "", "UNKNOWN" if row.host else ""))


def _groups(row: Any, view: View) -> list[dict[str, str]]:
    return [{"name": name} for name in view.of("groups", row.id, ())]


FIELDS = Fields(
    "server",
    "servers",
    [
        Field(name="id", sort=True),
        Field(
            name="name",
            schema=schema.NAME,
            create=True,
            update=True,
            required=True,
            sort=True,
            store=str.strip,
        ),
        Field(name="display_name", attr="name", is_shown=False, sort=True),
        Field(name="status", show=_status),
        Field(name="tenant_id", attr="project_id", filter=fields.exact, sort=True),
        Field(name="project_id", is_shown=False, filter=fields.exact, sort=True),
        Field(name="user_id", filter=fields.exact, sort=True),
        Field(name="metadata", attr="meta", schema=schema.METADATA, create=True, default=dict),
        Field(name="hostId", show=lambda row, _: host_id(row)),
        Field(name="image", show=_image),
        Field(name="imageRef", is_shown=False, schema={"type": "string"}, create=True),
        Field(name="flavor", show=_flavor),
        Field(
            name="flavorRef",
            is_shown=False,
            schema={"type": ["string", "integer"], "minLength": 1},
            create=True,
            required=True,
            store=str,
        ),
        Field(name="created", show=shown_time("created_at")),
        Field(name="created_at", is_shown=False, sort=True),
        Field(name="updated_at", is_shown=False, sort=True),
        Field(name="updated", show=lambda row, _: fields.time_text(row.updated_at or row.created_at)),
        Field(name="addresses", show=addresses),
        Field(
            name="accessIPv4",
            attr="access_ip_v4",
            schema=_ADDRESS,
            create=True,
            update=True,
            store=functools.partial(_address, 4),
        ),
        Field(
            name="accessIPv6",
            attr="access_ip_v6",
            schema=_ADDRESS,
            create=True,
            update=True,
            store=functools.partial(_address, 6),
        ),
        Field(name="links", show=lambda row, view: links(view, "servers", row.id)),
        Field(
            name="OS-DCF:diskConfig",
            attr="disk_config",
            schema={"enum": ["AUTO", "MANUAL"]},
            create=True,
            update=True,
        ),
        Field(name="progress", show=_progress),
        Field(name="OS-EXT-AZ:availability_zone", show=lambda row, _: row.availability_zone or ""),
        Field(
            name="availability_zone",
            attr="requested_zone",
            is_shown=False,
            schema={"type": ["string", "null"], "maxLength": 255},
            create=True,
        ),
        Field(
            name="config_drive",
            show=lambda row, _: "True" if row.is_config_drive else "",
            attr="is_config_drive",
            schema=schema.nullable(schema.LOOSE_BOOLEAN),
            create=True,
            store=schema.as_bool,
            default=False,
        ),
        Field(
            name="key_name",
            schema={"type": ["string", "null"], "maxLength": 255},
            create=True,
            default=None,
            filter=fields.exact,
            sort=True,
        ),
        Field(name="OS-SRV-USG:launched_at", show=lambda row, _: fields.micro_time_text(row.launched_at)),
        Field(name="launched_at", is_shown=False, sort=True),
        Field(name="OS-SRV-USG:terminated_at", show=lambda row, _: fields.micro_time_text(row.terminated_at)),
        Field(
            name="security_groups",
            show=_groups,
            schema={
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 255}},
                },
            },
            create=True,
            default=None,
        ),
        Field(name="os-extended-volumes:volumes_attached", show=_volumes),
        Field(name="OS-EXT-STS:task_state", show=lambda row, _: row.task),
        Field(name="OS-EXT-STS:vm_state", show=lambda row, _: states.shown(row.state, row.task).vm_state),
        Field(name="OS-EXT-STS:power_state", show=lambda row, _: states.POWER_STATES[row.power_observed]),
        Field(name="OS-EXT-SRV-ATTR:host", attr="host", see=_ADMIN),
        Field(name="host", is_shown=False, filter=fields.exact, sort=True),
        Field(name="OS-EXT-SRV-ATTR:hypervisor_hostname", attr="host", see=_ADMIN),
        Field(name="OS-EXT-SRV-ATTR:instance_name", show=lambda row, _: f"instance-{row.id}", see=_ADMIN),
        # 2.3: more attributes for administrators
        Field(name="OS-EXT-SRV-ATTR:reservation_id", attr="reservation_id", see=_ADMIN, since=v("2.3")),
        Field(name="reservation_id", is_shown=False, filter=fields.exact),
        Field(name="OS-EXT-SRV-ATTR:launch_index", attr="launch_index", see=_ADMIN, since=v("2.3")),
        Field(
            name="OS-EXT-SRV-ATTR:kernel_id",
            see=_ADMIN,
            since=v("2.3"),
            show=lambda row, _: row.image_properties.get("kernel_id", ""),
        ),
        Field(
            name="OS-EXT-SRV-ATTR:ramdisk_id",
            see=_ADMIN,
            since=v("2.3"),
            show=lambda row, _: row.image_properties.get("ramdisk_id", ""),
        ),
        Field(name="OS-EXT-SRV-ATTR:root_device_name", attr="root_device_name", see=_ADMIN, since=v("2.3")),
        Field(name="OS-EXT-SRV-ATTR:user_data", attr="user_data", see=_ADMIN, since=v("2.3")),
        # until 2.89 only administrators see the host name; since 2.90 its owner may choose it
        Field(name="OS-EXT-SRV-ATTR:hostname", attr="hostname", see=_ADMIN, since=v("2.3"), until=v("2.89")),
        Field(name="OS-EXT-SRV-ATTR:hostname", attr="hostname", since=v("2.90")),
        Field(
            name="hostname",
            attr="hostname",
            is_shown=False,
            schema=_HOSTNAME,
            create=True,
            update=True,
            since=v("2.90"),
        ),
        # 2.9: locking
        Field(name="locked", attr="is_locked", since=v("2.9")),
        # 2.16: state of the host
        Field(name="host_status", show=_host_status, see="compute:servers:show:host-status", since=v("2.16")),
        # 2.19: description
        Field(name="description", schema=schema.DESCRIPTION, create=True, update=True, since=v("2.19")),
        # 2.26: tags; 2.52: tags at create
        Field(
            name="tags",
            schema={"type": "array", "items": _TAG, "maxItems": 50},
            create=True,
            since=v("2.26"),
            create_since=v("2.52"),
        ),
        # 2.63: trusted certificates, which nobody has here
        Field(
            name="trusted_image_certificates",
            show=lambda _row, _view: None,
            since=v("2.63"),
            schema={"type": ["array", "null"], "maxItems": 0},
            create=True,
        ),
        # 2.71: server groups
        Field(
            name="server_groups",
            show=lambda row, view: list(view.of("server_groups", row.id, ())),
            since=v("2.71"),
        ),
        # 2.73: why a server is locked
        Field(name="locked_reason", since=v("2.73")),
        # 2.96: the zone that was asked for, as the scheduler is held to it
        Field(name="pinned_availability_zone", attr="requested_zone", since=v("2.96")),
        # 2.100: hints
        Field(name="scheduler_hints", since=v("2.100")),
        # --- only in bodies
        Field(
            name="networks",
            is_shown=False,
            create=True,
            default=None,
            schema={"anyOf": [{"type": "array", "items": _NETWORK}, {"enum": ["auto", "none"]}]},
        ),
        Field(
            name="user_data",
            is_shown=False,
            create=True,
            schema={"type": ["string", "null"], "maxLength": 65535},
            store=_user_data,
        ),
        Field(
            name="min_count", is_shown=False, schema=schema.integer(1), create=True, default=None, store=int
        ),
        Field(
            name="max_count", is_shown=False, schema=schema.integer(1), create=True, default=None, store=int
        ),
        Field(
            name="return_reservation_id",
            is_shown=False,
            schema=schema.LOOSE_BOOLEAN,
            create=True,
            default=False,
            store=schema.as_bool,
        ),
        Field(
            name="block_device_mapping_v2",
            is_shown=False,
            create=True,
            default=list,
            schema={"type": "array", "items": _BLOCK_DEVICE},
        ),
        Field(name="adminPass", attr="admin_pass", is_shown=False, schema={"type": "string"}, create=True),
    ],
)
#: What the brief list shows.
BRIEF = ("id", "name", "links")
