"""Every field of an attachment in the API, once."""

from typing import Any

from controller.volume import secrets
from controller.volume.versions import v
from controller.web import fields, schema
from controller.web.fields import Field, Fields, View, micro_time_text


def connection_info(row: Any, view: View) -> dict[str, Any]:
    """How an outside client reaches the export, in os-brick's words; empty until it stands, and for those
    who may only read.

    What the compute service attached is told to its host by the document alone: the secret of a guest's
    disk is in no answer.
    """
    if row.is_of_compute or not row.portal or not row.is_export_wanted:
        return {}
    if not view.policy.allows(view.caller, "volume:attachments:show:secret"):
        return {}
    return {
        "driver_volume_type": "iscsi",
        "target_discovered": False,
        "target_portal": row.portal,
        "target_iqn": row.iqn,
        "target_lun": row.lun,
        "volume_id": row.volume_id,
        "auth_method": "CHAP",
        "auth_username": row.chap_username,
        "auth_password": secrets.opened(row.chap_password),
        "access_mode": row.mode,
        "encrypted": False,
        "qos_specs": None,
        "cacheable": False,
        "attachment_id": row.id,
    }


FIELDS = Fields(
    "attachment",
    "attachments",
    [
        Field(name="id", sort=True),
        Field(name="status", attr="state", filter=fields.exact, sort=True),
        Field(name="attach_status", attr="state", is_shown=False, filter=fields.exact),
        Field(name="instance", attr="server_id"),
        Field(name="instance_id", attr="server_id", is_shown=False, filter=fields.exact),
        Field(name="volume_id", filter=fields.exact, sort=True),
        Field(name="created_at", is_shown=False, sort=True),
        Field(name="attached_at", show=lambda row, _view: micro_time_text(row.attached_at) or ""),
        Field(name="detached_at", show=lambda _row, _view: ""),
        Field(name="attach_mode", attr="mode"),
        Field(name="connection_info", show=connection_info),
        # --- only in bodies
        Field(
            name="instance_uuid",
            attr="server_id",
            is_shown=False,
            create=True,
            schema=schema.nullable(schema.UUID),
        ),
        Field(
            name="volume_uuid",
            attr="volume_id",
            is_shown=False,
            create=True,
            required=True,
            schema=schema.UUID,
        ),
        Field(
            name="connector", is_shown=False, create=True, update=True, schema={"type": ["object", "null"]}
        ),
        # 3.54: read only, or not
        Field(
            name="mode",
            is_shown=False,
            create=True,
            schema={"enum": ["rw", "ro", "null", None]},
            since=v("3.54"),
        ),
    ],
)
#: What the brief list shows.
BRIEF = ("id", "status", "instance", "volume_id")
