"""/os-quota-sets, /os-quota-class-sets and /limits: what a project may have and has."""

from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.operations import quota
from controller.volume.types.model import VolumeType
from controller.volume.versions import v
from controller.volume.volumes.quota import SERVICE, used
from controller.web import schema
from controller.web.errors import BadRequest, Forbidden
from controller.web.resource import Resource, answer, body_of, params_of, version_of

_MAX = 2147483647
_TYPED = ("volumes", "gigabytes", "snapshots")
#: Names in a body that clients send along and that set nothing.
_SET_NOTHING = {"tenant_id", "id"}


def _limits(session: Session, owner: str) -> dict[str, int]:
    """All limits of a project or class, those for each type included."""
    names = session.scalars(select(VolumeType.name).where(~VolumeType.is_deleted)).all()
    typed = {f"{resource}_{name}": -1 for resource in _TYPED for name in names}
    return {**typed, **quota.limits(session, owner, SERVICE)}


def _given(body: Any, key: str, known: dict[str, int]) -> dict[str, int]:
    """The limits in a body. Raises BadRequest."""
    inner = body.get(key) if isinstance(body, dict) else None
    if not isinstance(inner, dict) or set(body) != {key} or not inner:
        raise BadRequest(f"The body must be an object '{key}' with at least one limit.")
    values = {k: value for k, value in inner.items() if k not in _SET_NOTHING}
    unknown = sorted(str(k) for k in set(values) - set(known))
    if unknown:
        raise BadRequest(f"Invalid input received: Bad key(s) in quota set: {', '.join(unknown)}")
    return {k: _limit(k, value) for k, value in values.items()}


def _limit(name: str, value: Any) -> int:
    is_text = isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 12
    if isinstance(value, bool) or not (isinstance(value, int) or is_text) or not -1 <= int(value) <= _MAX:
        raise BadRequest(f"Invalid input received: {name} must be an integer from -1 to {_MAX}.")
    return int(value)


class QuotaSet(Resource):
    """/os-quota-sets/{target}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, target: str) -> None:
        """Shows; with ``usage`` also what is used."""
        caller = self.allow(req, "volume:quotas:show")
        if not caller.is_admin and target != caller.own_project:
            raise Forbidden("Only administrators see the quota of other projects.")
        with_usage = schema.as_bool(params_of(req).get("usage", ["false"])[0])
        with self.db.read() as session:
            limits = _limits(session, target)
            have = used(session, target) if with_usage else {}
        shown: dict[str, Any] = dict(limits)
        if with_usage:
            shown = {
                k: {"limit": limit, "in_use": have.get(k, 0), "reserved": 0} for k, limit in limits.items()
            }
        answer(resp, {"quota_set": {**shown, "id": target}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, target: str) -> None:
        """Sets limits, which may not be below what is used."""
        self.allow(req, "volume:quotas:update")
        _require_name(target)
        body = body_of(req)

        def write(session: Session) -> dict[str, int]:
            given, have = _given(body, "quota_set", _limits(session, target)), used(session, target)
            for name, value in given.items():
                if name != "per_volume_gigabytes" and 0 <= value < have.get(name, 0):
                    raise BadRequest(
                        f"Quota {name} limit must be equal or greater than existing resources. "
                        f"Current usage is {have[name]} and the requested limit is {value}."
                    )
            quota.set_limits(session, target, SERVICE, given)
            session.flush()
            return _limits(session, target)

        answer(resp, {"quota_set": self.db.write(write)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, target: str) -> None:
        """Goes back to the defaults."""
        self.allow(req, "volume:quotas:delete")
        self.db.write(lambda s: quota.reset(s, target, SERVICE))
        resp.status = 200


class QuotaDefaults(Resource):
    """/os-quota-sets/{target}/defaults"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, target: str) -> None:
        """Shows what holds for projects without limits of their own."""
        caller = self.allow(req, "volume:quotas:show")
        if not caller.is_admin and target != caller.own_project:
            raise Forbidden("Only administrators see the quota of other projects.")
        with self.db.read() as session:
            limits = _limits(session, quota.DEFAULT_CLASS)
        answer(resp, {"quota_set": {**limits, "id": target}})


class QuotaClass(Resource):
    """/os-quota-class-sets/{name}: "default" is the class of all projects."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Shows."""
        self.allow(req, "volume:quota-classes:show")
        _require_name(quota.CLASS + name)
        with self.db.read() as session:
            limits = _limits(session, quota.CLASS + name)
        answer(resp, {"quota_class_set": {**limits, "id": name}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Sets limits."""
        self.allow(req, "volume:quota-classes:update")
        owner = quota.CLASS + name
        _require_name(owner)
        body = body_of(req)

        def write(session: Session) -> dict[str, int]:
            quota.set_limits(
                session, owner, SERVICE, _given(body, "quota_class_set", _limits(session, owner))
            )
            session.flush()
            return _limits(session, owner)

        answer(resp, {"quota_class_set": self.db.write(write)})


class Limits(Resource):
    """/limits"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows limits and use of the caller's project; administrators may name another (3.39)."""
        caller = self.allow(req, "volume:limits:show")
        params, project = params_of(req), caller.own_project
        if caller.is_admin and version_of(req) >= v("3.39"):
            project = params.get("project_id", params.get("tenant_id", [project]))[0]
        with self.db.read() as session:
            limits, have = quota.limits(session, project, SERVICE), used(session, project)
        absolute = {
            "maxTotalVolumes": limits["volumes"],
            "maxTotalVolumeGigabytes": limits["gigabytes"],
            "maxTotalSnapshots": limits["snapshots"],
            "maxTotalBackups": limits["backups"],
            "maxTotalBackupGigabytes": limits["backup_gigabytes"],
            "totalVolumesUsed": have["volumes"],
            "totalGigabytesUsed": have["gigabytes"],
            "totalSnapshotsUsed": 0,
            "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }
        answer(resp, {"limits": {"rate": [], "absolute": absolute}})


def _require_name(text: str) -> None:
    if len(text) > 64:
        raise BadRequest("The name of a project or quota class has at most 64 characters here.")
