"""/servers: parse, one call, render."""

from typing import Any

import falcon
from sqlalchemy.orm import Session

from controller.compute.servers import lookup
from controller.compute.servers.create import Created
from controller.compute.servers.create import create as create_servers
from controller.compute.servers.delete import delete as delete_server
from controller.compute.servers.fields import BRIEF, FIELDS, v
from controller.compute.servers.update import update as update_server
from controller.db.columns import new_hex
from controller.web import paging
from controller.web.errors import BadRequest
from controller.web.fields import View
from controller.web.resource import Resource, answer, base_url, body_of, no_content, params_of, version_of

_HINT_KEYS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")


class Servers(Resource):
    """/servers and /servers/detail"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, brief."""
        caller = self.allow(req, "compute:servers:list")
        params = params_of(req)
        with self.db.read() as session:
            rows, has_more = lookup.listed(session, caller, params, version_of(req))
        answer(resp, _listing(rows, has_more, self.view(req), ("/servers", params), BRIEF))

    def on_get_detail(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Lists, complete."""
        caller = self.allow(req, "compute:servers:list")
        params = params_of(req)
        with self.db.read() as session:
            rows, has_more = lookup.listed(session, caller, params, version_of(req))
            related = lookup.related(session, rows)
        answer(resp, _listing(rows, has_more, self.view(req, related), ("/servers/detail", params), ()))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates one server or several."""
        caller = self.allow(req, "compute:servers:create")
        body, hints = _without_hints(body_of(req))
        values = FIELDS.body("create", body, caller, self.cloud.policy, version_of(req))
        values["scheduler_hints"] = hints
        is_reservation = values.pop("return_reservation_id", False)
        password = values.pop("admin_pass", None) or new_hex()[:12]
        made = self.db.write(lambda s: create_servers(s, caller, dict(values)))
        resp.set_header("Location", f"{base_url(req)}/v2.1/servers/{made.servers[0].id}")
        answer(resp, _created(made, is_reservation, password, self.view(req)), 202)


def _created(made: Created, is_reservation: bool, password: str, view: View) -> dict[str, Any]:
    """The answer to create is short: what else there is to know is not known yet."""
    if is_reservation:
        return {"reservation_id": made.reservation_id}
    server = made.servers[0]
    shown = FIELDS.view(server, view, ("id", "links", "OS-DCF:diskConfig"))
    groups = [{"name": name} for name in made.group_names]
    return {"server": {**shown, "security_groups": groups, "adminPass": password}}


def _without_hints(body: Any) -> tuple[Any, dict[str, Any]]:
    """The body without the scheduler hints that may stand beside ``server``."""
    if not isinstance(body, dict):
        return body, {}
    hints: dict[str, Any] = {}
    for key in _HINT_KEYS:
        given = body.get(key, {})
        if not isinstance(given, dict):
            raise BadRequest(f"{key} must be an object.")
        hints |= given
    return {k: val for k, val in body.items() if k not in _HINT_KEYS}, hints


def _listing(
    rows: list[Any],
    has_more: bool,
    view: View,
    where: tuple[str, dict[str, list[str]]],
    only: tuple[str, ...],
) -> dict[str, Any]:
    body = FIELDS.many(rows, view, only)
    if not only:
        for row, shown in zip(rows, body["servers"], strict=True):
            _follow_state(row, shown, view)
    if has_more and rows:
        path, params = where
        url = paging.next_url(f"{view.base_url}/v2.1{path}", params, rows[-1].id)
        body["servers_links"] = [{"rel": "next", "href": url}]
    return body


def shown_server(session: Session, row: Any, view_of: Any) -> dict[str, Any]:
    """One server complete, as show and update answer it."""
    view: View = view_of(lookup.related(session, [row]))
    shown = FIELDS.one(row, view)
    _follow_state(row, shown["server"], view)
    return shown


def _follow_state(row: Any, shown: dict[str, Any], view: View) -> None:
    """What is there in some states only."""
    if row.state == "error" and row.fault:
        shown["fault"] = fault(row, view)
    if row.state not in ("active", "building"):
        shown.pop("progress", None)


def fault(row: Any, view: View) -> dict[str, Any]:
    """Why a server is in ERROR; the operator's details only for administrators."""
    found = dict(row.fault)
    details = found.pop("details", "")
    return {**found, "details": details} if details and view.caller.is_admin else found


class ServerItem(Resource):
    """/servers/{server_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Shows."""
        caller = self.allow(req, "compute:servers:show")
        with self.db.read() as session:
            row = lookup.find(session, caller, server_id)
            answer(resp, shown_server(session, row, lambda related: self.view(req, related)))

    def on_put(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Changes names and the like."""
        caller = self.allow(req, "compute:servers:update")
        values = FIELDS.body("update", body_of(req), caller, self.cloud.policy, version_of(req))
        self.db.write(lambda s: update_server(s, caller, server_id, values))
        with self.db.read() as session:
            row = lookup.find(session, caller, server_id)
            shown = shown_server(session, row, lambda related: self.view(req, related))
        if version_of(req) < v("2.75"):
            _trim_update(shown["server"])
        answer(resp, shown)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Begins to delete."""
        caller = self.allow(req, "compute:servers:delete")
        self.db.write(lambda s: delete_server(s, caller, server_id))
        no_content(resp)


#: Until 2.74 the answer to update has the core fields only: none that begins with one of these.
_NOT_IN_UPDATE = (
    "OS-EXT-",
    "OS-SRV-USG:",
    "os-extended-volumes:",
    "config_drive",
    "host_status",
    "key_name",
    "security_groups",
)


def _trim_update(shown: dict[str, Any]) -> None:
    for name in [n for n in shown if n.startswith(_NOT_IN_UPDATE)]:
        del shown[name]
