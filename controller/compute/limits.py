"""Quotas of compute: /os-quota-sets, /os-quota-class-sets, /limits."""

import functools
from typing import Any

import falcon
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.identity.projects.model import Project
from controller.operations import quota
from controller.web import schema
from controller.web.errors import BadRequest, Forbidden
from controller.web.resource import Resource, answer, body_of, params_of, version_of
from controller.web.versions import Version

_V2_36, _V2_57 = Version(2, 36), Version(2, 57)

#: Quotas that only old microversions show: what they limited is network's, or is gone.
_UNTIL_2_35 = {"fixed_ips": -1, "floating_ips": -1, "security_groups": -1, "security_group_rules": -1}
_UNTIL_2_56 = {"injected_files": -1, "injected_file_content_bytes": -1, "injected_file_path_bytes": -1}


def limits(session: Session, project_id: str, version: Version) -> dict[str, int]:
    """All limits of a project that exist in a microversion."""
    found = quota.limits(session, project_id, "compute")
    if version < _V2_36:
        found |= _UNTIL_2_35
    if version < _V2_57:
        found |= _UNTIL_2_56
    return found


def usage(session: Session, project_id: str) -> dict[str, int]:
    """What a project uses, counted from rows."""
    count, cores, ram = session.execute(
        select(
            func.count(), func.coalesce(func.sum(Server.vcpus), 0), func.coalesce(func.sum(Server.ram_mib), 0)
        ).where(Server.project_id == project_id, ~Server.is_deleted)
    ).one()
    return {"instances": int(count), "cores": int(cores), "ram": int(ram)}


class QuotaSet(Resource):
    """/os-quota-sets/{project_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:quotas:show")
        if project_id != caller.own_project and not caller.is_admin:
            raise Forbidden("Policy doesn't allow to look at quotas of other projects.")
        with self.db.read() as session:
            answer(resp, {"quota_set": {"id": project_id, **limits(session, project_id, version_of(req))}})

    def on_get_detail(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Shows, with what is used."""
        caller = self.allow(req, "compute:quotas:show")
        if project_id != caller.own_project and not caller.is_admin:
            raise Forbidden("Policy doesn't allow to look at quotas of other projects.")
        with self.db.read() as session:
            used = usage(session, project_id)
            found = limits(session, project_id, version_of(req))
        answer(
            resp,
            {
                "quota_set": {
                    "id": project_id,
                    **{
                        name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0}
                        for name, limit in found.items()
                    },
                }
            },
        )

    def on_get_defaults(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Shows what holds for a project without limits of its own."""
        self.allow(req, "compute:quotas:show")
        with self.db.read() as session:
            answer(resp, {"quota_set": {"id": project_id, **limits(session, "", version_of(req))}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Sets limits."""
        self.allow(req, "compute:quotas:update")
        given = _check(body_of(req), version_of(req))

        def write(session: Session) -> dict[str, int]:
            if session.get(Project, project_id) is None:
                raise BadRequest(f"Project ID {project_id} is not a valid project.")
            return _set(session, project_id, given, version_of(req))

        answer(resp, {"quota_set": self.db.write(write)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Back to the defaults."""
        self.allow(req, "compute:quotas:update")
        self.db.write(
            lambda s: s.execute(
                delete(quota.QuotaLimit).where(
                    quota.QuotaLimit.project_id == project_id, quota.QuotaLimit.service == "compute"
                )
            )
        )
        resp.status = 202


def _set(session: Session, owner: str, given: dict[str, Any], version: Version) -> dict[str, int]:
    """Gives a project or class limits of its own; those that are network's are taken and count for nothing."""
    ours = {name: int(value) for name, value in given.items() if name in quota.DEFAULTS["compute"]}
    quota.set_limits(session, owner, "compute", ours)
    session.flush()
    return limits(session, owner, version)


def _check(body: Any, version: Version, key: str = "quota_set") -> dict[str, Any]:
    checked = _compiled(version, key)(body)
    return {k: v for k, v in checked[key].items() if k not in ("force", "tenant_id")}


@functools.cache
def _compiled(version: Version, key: str) -> schema.Check:
    names = {
        **quota.DEFAULTS["compute"],
        **(_UNTIL_2_35 if version < _V2_36 else {}),
        **(_UNTIL_2_56 if version < _V2_57 else {}),
    }
    return schema.compile_schema(
        {
            "type": "object",
            "required": [key],
            "additionalProperties": False,
            "properties": {
                key: {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        **{name: schema.integer(-1, 2147483647) for name in names},
                        "force": schema.LOOSE_BOOLEAN,
                        "tenant_id": {"type": "string"},
                    },
                }
            },
        }
    )


class QuotaClass(Resource):
    """/os-quota-class-sets/{name}: the limits of "default" are those of projects without their own."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, class_id: str) -> None:
        """Shows."""
        self.allow(req, "compute:quotas:show")
        with self.db.read() as session:
            found = limits(session, quota.CLASS + class_id[:48], version_of(req))
        answer(resp, {"quota_class_set": {"id": class_id, **found}})

    def on_put(self, req: falcon.Request, resp: falcon.Response, class_id: str) -> None:
        """Sets limits."""
        self.allow(req, "compute:quotas:update")
        version = version_of(req)
        given = _check(body_of(req), version, "quota_class_set")
        owner = quota.CLASS + class_id[:48]
        answer(resp, {"quota_class_set": self.db.write(lambda s: _set(s, owner, given, version))})


class Limits(Resource):
    """/limits: what the caller's project may use and uses."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Shows."""
        caller = self.allow(req, "compute:limits:show")
        project_id = params_of(req).get("tenant_id", [caller.own_project])[0]
        if project_id != caller.own_project and not caller.is_admin:
            raise Forbidden("Policy doesn't allow to look at limits of other projects.")
        version = version_of(req)
        with self.db.read() as session:
            found = limits(session, project_id, version)
            used = usage(session, project_id)
        absolute = {
            "maxServerMeta": found["metadata_items"],
            "maxTotalInstances": found["instances"],
            "maxTotalCores": found["cores"],
            "maxTotalRAMSize": found["ram"],
            "maxTotalKeypairs": found["key_pairs"],
            "maxServerGroups": found["server_groups"],
            "maxServerGroupMembers": found["server_group_members"],
            "totalInstancesUsed": used["instances"],
            "totalCoresUsed": used["cores"],
            "totalRAMUsed": used["ram"],
            "totalServerGroupsUsed": 0,
        }
        absolute |= _old_limits(version)
        answer(resp, {"limits": {"rate": [], "absolute": absolute}})


def _old_limits(version: Version) -> dict[str, int]:
    found: dict[str, int] = {}
    if version < _V2_36:
        found |= {
            "maxTotalFloatingIps": -1,
            "totalFloatingIpsUsed": 0,
            "maxSecurityGroups": -1,
            "maxSecurityGroupRules": -1,
            "totalSecurityGroupsUsed": 0,
        }
    if version < Version(2, 39):
        found["maxImageMeta"] = 128
    if version < _V2_57:
        found |= {"maxPersonality": -1, "maxPersonalitySize": -1}
    return found
