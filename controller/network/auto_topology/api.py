"""The API of auto-allocated topologies."""

import falcon

from controller.network.auto_topology import build
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Forbidden
from controller.web.resource import Resource, answer, no_content, params_of

#: Asked for as a field: whether the topology could be made.
DRY_RUN = "dry-run"


class AutoAllocatedTopology(Resource):
    """``/auto-allocated-topology/{project_id}``; "None" is the caller's own project."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """The project's network, which is made when it is first asked for."""
        caller = self.allow(req, "network:auto_allocated_topology:show")
        project_id = _own(caller, project_id)
        fields = params_of(req).get("fields", [])
        if DRY_RUN in fields:
            with self.db.read() as session:
                build.check(session, caller)
            network_id = "dry-run=pass"
        elif fields:
            raise BadRequest("Bad auto_allocate request: Unrecognized field.", kind="BadRequest")
        else:
            network_id = self._network(caller, project_id)
        found = {"id": network_id, "project_id": project_id, "tenant_id": project_id}
        answer(resp, {"auto_allocated_topology": found})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, project_id: str) -> None:
        """Its end."""
        caller = self.allow(req, "network:auto_allocated_topology:delete")
        project_id = _own(caller, project_id)
        self.db.write(lambda session: build.delete(session, caller, project_id))
        no_content(resp)

    def _network(self, caller: Caller, project_id: str) -> str:
        with self.db.read() as session:
            found = build.existing(session, project_id)
        if found is not None:
            return found
        return self.db.write(lambda session: build.build(session, caller, self.cloud.policy, project_id))


def _own(caller: Caller, project_id: str) -> str:
    project_id = caller.own_project if project_id == "None" else project_id
    if not caller.is_admin and project_id != caller.own_project:
        raise Forbidden("Not authorized.", kind="NotAuthorized")
    return project_id
