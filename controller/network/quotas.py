"""The quota API: limits of projects, and what of them is used."""

from collections.abc import Callable
from typing import Any

import falcon
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import limits, refusals
from controller.operations.quota import DEFAULTS, QuotaLimit
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import Unauthorized
from controller.web.resource import Resource, answer, body_of, no_content

#: The largest limit that a column holds.
_MOST = 2**31 - 1
_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {name: schema.integer(-1, _MOST) for name in limits.COUNTED},
        "additionalProperties": False,
    }
)


def of_project(session: Session, project_id: str) -> dict[str, int]:
    """The limits that hold for a project."""
    own = session.execute(
        select(QuotaLimit.resource, QuotaLimit.limit).where(
            QuotaLimit.project_id == project_id, QuotaLimit.service == "network"
        )
    )
    known = {resource: limit for resource, limit in own if resource in limits.COUNTED}
    return {**_defaults(), **known}


def change(session: Session, project_id: str, wanted: dict[str, int]) -> dict[str, int]:
    """Writes limits of a project. Raises NotFound for one that is not there."""
    try:
        projects.lock(session, project_id)
    except Unauthorized:
        raise refusals.missing("project", project_id) from None
    for resource, limit in wanted.items():
        session.merge(QuotaLimit(project_id=project_id, service="network", resource=resource, limit=limit))
    session.flush()
    return of_project(session, project_id)


def reset(session: Session, project_id: str) -> None:
    """Back to the defaults. Raises NotFound for a project that has them already."""
    gone = session.execute(
        delete(QuotaLimit).where(QuotaLimit.project_id == project_id, QuotaLimit.service == "network")
    )
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise refusals.missing("tenant quota", project_id)


def _defaults() -> dict[str, int]:
    return {name: DEFAULTS["network"][name] for name in limits.COUNTED}


def _wanted(body: Any) -> dict[str, int]:
    if not isinstance(body, dict) or not isinstance(body.get("quota"), dict):
        raise refusals.malformed("Unable to find 'quota' in request body")
    given = {n: v for n, v in body["quota"].items() if n not in ("project_id", "tenant_id")}
    unknown = sorted(set(given) - set(limits.COUNTED))
    if unknown:
        raise refusals.malformed(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    wanted = {name: int(value) for name, value in _CHECK(given).items()}
    if any(not -1 <= value <= _MOST for value in wanted.values()):
        raise refusals.malformed(f"A limit is between -1 (none) and {_MOST}.")
    return wanted


class Quotas(Resource):
    """``/quotas``: projects with limits of their own."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists them."""
        self.allow(req, "network:quota:list")
        with self.db.read() as session:
            rows = session.execute(
                select(QuotaLimit.project_id, QuotaLimit.resource, QuotaLimit.limit)
                .where(QuotaLimit.service == "network")
                .order_by(QuotaLimit.project_id)
            ).all()
        found: dict[str, dict[str, Any]] = {}
        for project_id, resource, limit in rows:
            ids = {"project_id": project_id, "tenant_id": project_id}
            found.setdefault(project_id, {**_defaults(), **ids})[resource] = limit
        answer(resp, {"quotas": list(found.values())})


class _OfProject(Resource):
    """What is said about the limits of one project."""

    def allow_for(self, req: falcon.Request, project_id: str) -> Caller:
        """Everybody may see his own project's."""
        caller = self.allow(req, "network:quota:show")
        if project_id != caller.own_project:
            self.allow(req, "network:quota:show_any")
        return caller

    def show(
        self, req: falcon.Request, resp: falcon.Response, project_id: str, read: Callable[..., Any]
    ) -> None:
        """Answers what ``read`` says about the project."""
        self.allow_for(req, project_id)
        with self.db.read() as session:
            found = read(session, project_id)
        answer(resp, {"quota": found})


class Quota(_OfProject):
    """``/quotas/{project_id}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """The limits that hold."""
        if project_id in ("tenant", "project"):
            self._own(req, resp)
        else:
            self.show(req, resp, project_id.removesuffix(".json"), of_project)

    def on_put(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """New limits."""
        self.allow(req, "network:quota:update")
        wanted = _wanted(body_of(req))
        answer(resp, {"quota": self.db.write(lambda s: change(s, project_id.removesuffix(".json"), wanted))})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Back to the defaults."""
        self.allow(req, "network:quota:update")
        self.db.write(lambda s: reset(s, project_id.removesuffix(".json")))
        no_content(resp)

    def _own(self, req: falcon.Request, resp: falcon.Response) -> None:
        own = self.allow(req, "network:quota:show").own_project
        answer(resp, {"tenant": {"tenant_id": own, "project_id": own}})


class QuotaDefault(_OfProject):
    """``/quotas/{project_id}/default``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """The limits of a project that has none of its own."""
        self.show(req, resp, project_id, lambda _session, _project_id: _defaults())


class QuotaDetails(_OfProject):
    """``/quotas/{project_id}/details.json``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Limits with what is used."""
        self.show(req, resp, project_id, _details)


def _details(session: Session, project_id: str) -> dict[str, dict[str, int]]:
    return {
        name: {"limit": limit, "used": limits.used(session, project_id, name), "reserved": 0}
        for name, limit in of_project(session, project_id).items()
    }
