"""/volumes/{volume_id}/action: one table of what may be done to a volume."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.volume.attachments import legacy
from controller.volume.volumes import fields, lookup, reset, states
from controller.volume.volumes.delete import delete
from controller.volume.volumes.extend import extend
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.resource import Resource, answer, body_of, no_content

#: (session, caller, volume id, what the action was given) -> the answer's body, if it has one.
Act = Callable[[Session, Caller, str, Any], Any]


@dataclass(frozen=True)
class Action:
    """One action: its policy rule, what it takes, what it does, and the status of its answer."""

    rule: str
    takes: schema.Schema
    act: Act
    status: int = 202
    check: schema.Check = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", schema.compile_schema(self.takes))


def _object(
    required: tuple[str, ...] = (), nullable: bool = False, **properties: schema.Schema
) -> schema.Schema:
    return {
        "type": ["object", "null"] if nullable else "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_ANY: schema.Schema = {}
_TEXT = {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$"}
_SIZE = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": fields.MAX_GIB},
        {"type": "string", "pattern": r"^[0-9]{1,10}$"},
    ]
}
_IMAGE_META = {
    "type": "object",
    "patternProperties": {fields.KEY_PATTERN: {"type": "string", "maxLength": 65535}},
    "additionalProperties": False,
}


def _set_bootable(session: Session, caller: Caller, volume_id: str, given: Any) -> None:
    volume = lookup.find(session, caller, volume_id, lock=True)
    volume.is_bootable = schema.as_bool(given["bootable"])


def _set_read_only(session: Session, caller: Caller, volume_id: str, given: Any) -> None:
    volume = lookup.find(session, caller, volume_id, lock=True)
    states.require("update the readonly flag", volume.status)
    volume.is_read_only = schema.as_bool(given["readonly"])


def _force_delete(session: Session, caller: Caller, volume_id: str, _given: Any) -> None:
    delete(session, caller, volume_id, is_forced=True)


def _extend(session: Session, caller: Caller, volume_id: str, given: Any) -> None:
    extend(session, caller, volume_id, fields.size(given["new_size"]))


def _detach(session: Session, caller: Caller, volume_id: str, given: Any) -> None:
    legacy.detach(session, caller, volume_id, (given or {}).get("attachment_id"))


def _set_image_meta(session: Session, caller: Caller, volume_id: str, given: Any) -> Any:
    volume = lookup.find(session, caller, volume_id, lock=True)
    volume.image_meta = {**volume.image_meta, **given["metadata"]}
    return {"metadata": volume.image_meta}


def _show_image_meta(session: Session, caller: Caller, volume_id: str, _given: Any) -> Any:
    return {"metadata": lookup.find(session, caller, volume_id).image_meta}


def _unset_image_meta(session: Session, caller: Caller, volume_id: str, given: Any) -> None:
    volume = lookup.find(session, caller, volume_id, lock=True)
    if given["key"] not in volume.image_meta:
        raise NotFound(f"Glance metadata for volume/snapshot {volume_id} cannot be found.")
    volume.image_meta = {k: value for k, value in volume.image_meta.items() if k != given["key"]}


def _plain(verb: Callable[[Session, Caller, str], None]) -> Act:
    """A verb that is given nothing but the volume."""
    return lambda session, caller, volume_id, _given: verb(session, caller, volume_id)


_CONNECTOR = {"type": ["string", "object", "null"]}
_ATTACH = {
    **_object(
        ("mountpoint",),
        instance_uuid=schema.UUID,
        host_name=_TEXT,
        mountpoint={**_TEXT, "minLength": 1},
        mode={"enum": ["rw", "ro"]},
    ),
    "anyOf": [{"required": ["instance_uuid"]}, {"required": ["host_name"]}],
}
_DETACH = _object(nullable=True, attachment_id=schema.nullable(schema.UUID))
_FORCE_DETACH = _object(connector=_CONNECTOR, attachment_id={"type": ["string", "null"]})


def _one_of(words: Any) -> schema.Schema:
    every = [*words, *(w.upper() for w in words), *(w.capitalize() for w in words)]
    return {"enum": [None, *dict.fromkeys(every)]}


_RESET = {
    **_object(
        status=_one_of(sorted(states.RESETTABLE | {"deleting", "error_deleting"})),
        attach_status=_one_of(reset.ATTACH_STATUSES),
        migration_status=_one_of(reset.MIGRATION_STATUSES),
    ),
    "minProperties": 1,
}

ACTIONS: Mapping[str, Action] = {
    "os-attach": Action("volume:actions:attach", _ATTACH, legacy.attach),
    "os-detach": Action("volume:actions:detach", _DETACH, _detach),
    "os-force_detach": Action("volume:actions:force-detach", _FORCE_DETACH, _detach),
    "os-reserve": Action("volume:actions:reserve", _ANY, _plain(legacy.reserve)),
    "os-unreserve": Action("volume:actions:unreserve", _ANY, _plain(legacy.unreserve)),
    "os-begin_detaching": Action("volume:actions:begin-detaching", _ANY, _plain(legacy.begin_detaching)),
    "os-roll_detaching": Action("volume:actions:roll-detaching", _ANY, _plain(legacy.roll_detaching)),
    "os-terminate_connection": Action(
        "volume:actions:terminate-connection",
        _object(("connector",), connector=_CONNECTOR),
        _plain(legacy.terminate_connection),
    ),
    "os-extend": Action("volume:actions:extend", _object(("new_size",), new_size=_SIZE), _extend),
    "os-set_bootable": Action(
        "volume:actions:set-bootable",
        _object(("bootable",), bootable=schema.LOOSE_BOOLEAN),
        _set_bootable,
        200,
    ),
    "os-update_readonly_flag": Action(
        "volume:actions:update-readonly",
        _object(("readonly",), readonly=schema.LOOSE_BOOLEAN),
        _set_read_only,
    ),
    "os-reset_status": Action("volume:actions:reset-status", _RESET, reset.reset_status),
    "os-force_delete": Action("volume:volumes:force-delete", _ANY, _force_delete),
    "os-set_image_metadata": Action(
        "volume:actions:set-image-metadata",
        _object(("metadata",), metadata=_IMAGE_META),
        _set_image_meta,
        200,
    ),
    "os-show_image_metadata": Action("volume:actions:show-image-metadata", _ANY, _show_image_meta, 200),
    "os-unset_image_metadata": Action(
        "volume:actions:unset-image-metadata",
        _object(("key",), key={**_TEXT, "minLength": 1}),
        _unset_image_meta,
        200,
    ),
}


class VolumeAction(Resource):
    """The body's only name is the action."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, volume_id: str) -> None:
        """Acts."""
        body = body_of(req)
        if not isinstance(body, dict) or len(body) != 1 or next(iter(body)) not in ACTIONS:
            named = next(iter(body), "") if isinstance(body, dict) else ""
            raise BadRequest(f"There is no such action: {named}")
        ((name, given),) = body.items()
        action = ACTIONS[name]
        caller = self.allow(req, action.rule)
        checked = action.check(given)
        outcome = self.db.write(lambda s: action.act(s, caller, volume_id, checked))
        if outcome is None:
            no_content(resp, action.status)
        else:
            answer(resp, outcome, action.status)
