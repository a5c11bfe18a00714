"""POST /servers/{id}/action: the body's only key names the action; this is the table of them."""

from collections.abc import Callable
from typing import Any, Protocol

import falcon

from controller.compute.servers import lookup
from controller.compute.servers.groups import change_group
from controller.compute.servers.power import change_power
from controller.compute.servers.update import set_lock
from controller.web import schema
from controller.web.errors import BadRequest, Conflict, NotFound
from controller.web.resource import Cloud, Resource, answer, body_of, no_content, version_of
from controller.web.versions import Version


class Consoles(Protocol):
    """How the end of a console log is asked of a host: ``main`` hands it in as the tool "consoles"."""

    def console_output(self, host: str, server_id: str, length: int | None) -> str:
        """The last ``length`` lines, or all. Raises ApiError when the host does not answer."""


_REBOOT = schema.compile_schema(
    {
        "type": "object",
        "required": ["type"],
        "additionalProperties": False,
        "properties": {"type": {"enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}},
    }
)
_CONSOLE = schema.compile_schema(
    {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "length": {
                "anyOf": [
                    {"type": "integer", "minimum": -1},
                    {"type": "null"},
                    {"type": "string", "pattern": "^-?[0-9]+$"},
                ]
            }
        },
    }
)
_LOCK = schema.compile_schema(
    {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {"locked_reason": {"type": "string", "minLength": 1, "maxLength": 255}},
    }
)
_GROUP = schema.compile_schema(
    {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 255}},
    }
)

Action = Callable[["ServerActions", falcon.Request, falcon.Response, str, Any], None]


class ServerActions(Resource):
    """/servers/{server_id}/action"""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.consoles: Consoles = cloud.tools["consoles"]

    def on_post(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """Does what the body's key says."""
        body = body_of(req)
        if not isinstance(body, dict) or len(body) != 1:
            raise BadRequest("The body must have exactly one key: the action.")
        name, argument = next(iter(body.items()))
        action = ACTIONS.get(name)
        if action is None:
            raise BadRequest(f"There is no such action: {name}. Available: {', '.join(sorted(ACTIONS))}.")
        action(self, req, resp, server_id, argument)


def _power(verb: str) -> Action:
    def act(
        self: ServerActions, req: falcon.Request, resp: falcon.Response, server_id: str, _argument: Any
    ) -> None:
        caller = self.allow(req, f"compute:servers:{verb.removeprefix('os-')}")
        self.db.write(lambda s: change_power(s, caller, server_id, verb))
        no_content(resp, 202)

    return act


def _reboot(
    self: ServerActions, req: falcon.Request, resp: falcon.Response, server_id: str, argument: Any
) -> None:
    caller = self.allow(req, "compute:servers:reboot")
    verb = f"reboot {_REBOOT(argument)['type'].lower()}"
    self.db.write(lambda s: change_power(s, caller, server_id, verb))
    no_content(resp, 202)


def _console_output(
    self: ServerActions, req: falcon.Request, resp: falcon.Response, server_id: str, argument: Any
) -> None:
    caller = self.allow(req, "compute:servers:console-output")
    length = (_CONSOLE(argument) or {}).get("length")
    with self.db.read() as session:
        server = lookup.find(session, caller, server_id)
    if server.host is None or server.state == "building":
        raise Conflict(f"Instance {server_id} is not ready: it has no console yet.")
    lines = None if length is None or int(length) < 0 else int(length)
    answer(resp, {"output": self.consoles.console_output(server.host, server_id, lines)})


def _lock(is_locked: bool) -> Action:
    def act(
        self: ServerActions, req: falcon.Request, resp: falcon.Response, server_id: str, argument: Any
    ) -> None:
        caller = self.allow(req, "compute:servers:lock")
        reason = None
        if is_locked and version_of(req) >= Version(2, 73):
            reason = (_LOCK(argument) or {}).get("locked_reason")
        self.db.write(lambda s: set_lock(s, caller, server_id, (is_locked, reason)))
        no_content(resp, 202)

    return act


def _group(is_added: bool) -> Action:
    def act(
        self: ServerActions, req: falcon.Request, resp: falcon.Response, server_id: str, argument: Any
    ) -> None:
        caller = self.allow(req, "compute:servers:security-groups")
        name = _GROUP(argument)["name"]
        try:
            self.db.write(lambda s: change_group(s, caller, server_id, (name, is_added)))
        except BadRequest as error:
            raise NotFound(error.message) from None
        no_content(resp, 202)

    return act


ACTIONS: dict[str, Action] = {
    "os-start": _power("os-start"),
    "os-stop": _power("os-stop"),
    "reboot": _reboot,
    "os-getConsoleOutput": _console_output,
    "lock": _lock(True),
    "unlock": _lock(False),
    "addSecurityGroup": _group(True),
    "removeSecurityGroup": _group(False),
}
