"""Which projects may use a flavor that is not public: /flavors/{id}/action and /flavors/{id}/os-flavor-access."""

from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.compute import flavors
from controller.compute.flavors import Flavor, FlavorAccess
from controller.identity.projects.model import Project
from controller.web import schema
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.resource import Resource, answer, body_of

_TENANT: schema.Schema = {
    "type": "object",
    "required": ["tenant"],
    "additionalProperties": False,
    "properties": {"tenant": {"type": "string", "minLength": 1, "maxLength": 64}},
}
_ACTION = schema.compile_schema(
    {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {"addTenantAccess": _TENANT, "removeTenantAccess": _TENANT},
    }
)


def add(session: Session, flavor: Flavor, project_id: str) -> None:
    """A project may use the flavor from now on. Raises Conflict, and BadRequest for a project that is not there."""
    if flavor.is_public:
        raise Conflict("Can not add access to a public flavor: everyone may use it.")
    project = session.get(Project, project_id)
    if project is None or project.is_domain:
        raise BadRequest(f"Project ID {project_id} is not a valid project.")
    if session.get(FlavorAccess, (flavor.id, project_id)) is not None:
        raise Conflict(f"Flavor {flavor.id} may be used by project {project_id} already.")
    session.add(FlavorAccess(flavor_id=flavor.id, project_id=project_id))


def remove(session: Session, flavor: Flavor, project_id: str) -> None:
    """A project may use the flavor no more. Raises NotFound."""
    row = session.get(FlavorAccess, (flavor.id, project_id))
    if row is None:
        raise NotFound(f"Flavor {flavor.id} is not given to project {project_id}.")
    session.delete(row)


def listed(session: Session, flavor: Flavor) -> dict[str, Any]:
    """Who may use it."""
    statement = select(FlavorAccess.project_id).where(FlavorAccess.flavor_id == flavor.id)
    found = session.scalars(statement.order_by(FlavorAccess.project_id))
    return {"flavor_access": [{"flavor_id": flavor.id, "tenant_id": project_id} for project_id in found]}


class FlavorAccesses(Resource):
    """/flavors/{flavor_id}/os-flavor-access"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Lists."""
        caller = self.allow(req, "compute:flavors:access:list")
        with self.db.read() as session:
            flavor = flavors.find(session, caller, flavor_id)
            if flavor.is_public:
                raise NotFound("Access list not available for public flavors.")
            answer(resp, listed(session, flavor))


class FlavorAction(Resource):
    """/flavors/{flavor_id}/action"""

    def on_post(self, req: falcon.Request, resp: falcon.Response, flavor_id: str) -> None:
        """Gives or takes access."""
        caller = self.allow(req, "compute:flavors:access:change")
        action, given = next(iter(_ACTION(body_of(req)).items()))
        verb = add if action == "addTenantAccess" else remove

        def write(session: Session) -> dict[str, Any]:
            flavor = flavors.find(session, caller, flavor_id)
            verb(session, flavor, given["tenant"])
            session.flush()
            return listed(session, flavor)

        answer(resp, self.db.write(write))
