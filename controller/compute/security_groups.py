"""/os-security-groups, /os-security-group-rules (until 2.35) and /servers/{id}/os-security-groups.

Network's groups in the older words of compute: only rules for what comes in, -1 for any port of ICMP, and 400
where network says 409. Since 2.36 clients ask network itself.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.compute.servers import lookup
from controller.network import refusals
from controller.network.ports import server as server_ports
from controller.network.security_groups import create as groups_create
from controller.network.security_groups import default, rules
from controller.network.security_groups import delete as groups_delete
from controller.network.security_groups import update as groups_update
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.web import schema
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, NotFound, OverQuota
from controller.web.resource import Resource, answer, body_of, no_content, params_of, version_of
from controller.web.versions import Version

_LAST = Version(2, 35)
_GROUP_TEXT: schema.Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S"}
_GROUP = schema.compile_schema(
    {
        "type": "object",
        "required": ["security_group"],
        "properties": {
            "security_group": {
                "type": "object",
                "required": ["name", "description"],
                "properties": {
                    "name": _GROUP_TEXT,
                    "description": {"type": ["string", "null"], "maxLength": 255},
                },
            }
        },
    }
)
_RULE = schema.compile_schema(
    {
        "type": "object",
        "required": ["security_group_rule"],
        "properties": {
            "security_group_rule": {
                "type": "object",
                "required": ["parent_group_id"],
                "properties": {
                    "parent_group_id": schema.UUID,
                    "group_id": schema.nullable(schema.UUID),
                    "cidr": {"type": ["string", "null"], "maxLength": 64},
                    "ip_protocol": {"type": ["string", "null"], "maxLength": 10},
                    "from_port": schema.nullable(schema.integer(-1, 65535)),
                    "to_port": schema.nullable(schema.integer(-1, 65535)),
                },
            }
        },
    }
)
_UUID = re.compile(schema.UUID["pattern"])


# --- rows


def find(session: Session, caller: Caller, group_id: str) -> SecurityGroup:
    """A group of the caller's project (an administrator's: of any). Raises NotFound, BadRequest."""
    _check_id(group_id)
    group = session.get(SecurityGroup, group_id)
    if group is None or not (caller.is_admin or group.project_id == caller.own_project):
        raise NotFound(f"Security group {group_id} not found.")
    return group


def find_rule(session: Session, caller: Caller, rule_id: str) -> SecurityGroupRule:
    """A rule of such a group. Raises NotFound, BadRequest."""
    _check_id(rule_id)
    rule = session.get(SecurityGroupRule, rule_id)
    if rule is None or not (caller.is_admin or rule.project_id == caller.own_project):
        raise NotFound(f"Rule ({rule_id}) not found.")
    return rule


def shown(session: Session, groups: Sequence[SecurityGroup]) -> list[dict[str, Any]]:
    """Groups with their rules, in three queries at most."""
    ids = [group.id for group in groups]
    statement = (
        select(SecurityGroupRule)
        .where(SecurityGroupRule.group_id.in_(ids), SecurityGroupRule.direction == "ingress")
        .order_by(SecurityGroupRule.created_at, SecurityGroupRule.id)
    )
    found = list(session.scalars(statement))
    names = _names(session, found)
    return [
        {
            "id": group.id,
            "name": group.name,
            "tenant_id": group.project_id,
            "description": group.description or "",
            "rules": [shown_rule(rule, names) for rule in found if rule.group_id == group.id],
        }
        for group in groups
    ]


def shown_rule(rule: SecurityGroupRule, names: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    """A rule in compute's words; ``names`` has the groups that rules name as remote, by id."""
    anywhere = "::/0" if rule.ethertype == "IPv6" else "0.0.0.0/0"
    first, last = rule.port_range_min, rule.port_range_max
    if rule.protocol and first is None and last is None:
        first, last = (1, 65535) if rule.protocol in ("tcp", "udp") else (-1, -1)
    return {
        "id": rule.id,
        "parent_group_id": rule.group_id,
        "ip_protocol": rule.protocol,
        "from_port": first,
        "to_port": last,
        "group": names.get(rule.remote_group_id, {}) if rule.remote_group_id else {},
        "ip_range": {} if rule.remote_group_id else {"cidr": rule.remote_ip_prefix or anywhere},
    }


def _names(session: Session, found: Sequence[SecurityGroupRule]) -> dict[str, dict[str, str]]:
    remote = {rule.remote_group_id for rule in found if rule.remote_group_id}
    statement = select(SecurityGroup.id, SecurityGroup.name, SecurityGroup.project_id)
    rows = session.execute(statement.where(SecurityGroup.id.in_(remote))) if remote else ()
    return {row.id: {"name": row.name, "tenant_id": row.project_id} for row in rows}


# --- verbs


def create_rule(session: Session, caller: Caller, given: Mapping[str, Any]) -> SecurityGroupRule:
    """A new rule for what comes in. Raises NotFound, BadRequest, OverQuota."""
    group = find(session, caller, given["parent_group_id"])
    protocol = given.get("ip_protocol")
    first, last = (None if given.get(n) is None else int(given[n]) for n in ("from_port", "to_port"))
    if not given.get("group_id") and (not protocol or first is None or last is None):
        raise BadRequest("Not enough parameters to build a valid rule: ip_protocol, from_port and to_port.")
    if protocol and protocol.lower() not in ("tcp", "udp", "icmp"):
        raise BadRequest(f"Invalid IP protocol {protocol}.")
    prefix = given.get("cidr")
    values = {
        "project_id": group.project_id,
        "group_id": group.id,
        "direction": "ingress",
        "ethertype": "IPv6" if prefix and ":" in prefix else "IPv4",
        "protocol": protocol.lower() if protocol else None,
        "port_range_min": None if first == -1 else first,
        "port_range_max": None if last == -1 else last,
        "remote_ip_prefix": None if given.get("group_id") else prefix,
        "remote_group_id": given.get("group_id"),
        "remote_address_group_id": None,
        "description": "",
    }
    with _in_words_of_compute():
        (rule,) = rules.create(session, caller, [values])
        return rule


@contextlib.contextmanager
def _in_words_of_compute() -> Iterator[None]:
    """Network's conflicts as compute answers them."""
    try:
        yield
    except refusals.OverQuota as error:
        raise OverQuota(error.message) from None
    except Conflict as error:
        raise BadRequest(error.message) from None


def _check_id(text: str) -> None:
    if not _UUID.match(text):
        raise BadRequest(f"Security group id should be uuid, not {text!r}.")


# --- API


class _UntilProxiesEnded(Resource):
    """What 2.36 took away."""

    def caller(self, req: falcon.Request, rule: str) -> Caller:
        """The caller, if he may and the microversion has this. Raises NotFound, Forbidden."""
        if version_of(req) > _LAST:
            raise NotFound("The resource could not be found.")
        return self.allow(req, f"compute:security-groups:{rule}")


class SecurityGroups(_UntilProxiesEnded):
    """/os-security-groups"""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The project's; with all_tenants those of all, for administrators."""
        caller = self.caller(req, "list")
        self._make_default(caller)
        statement = select(SecurityGroup).order_by(SecurityGroup.created_at, SecurityGroup.id)
        if not (caller.is_admin and params_of(req).get("all_tenants")):
            statement = statement.where(SecurityGroup.project_id == caller.own_project)
        with self.db.read() as session:
            answer(resp, {"security_groups": shown(session, list(session.scalars(statement)))})

    def _make_default(self, caller: Caller) -> None:
        """The first look makes the project's default group."""
        if caller.project_id:
            with self.db.read() as session:
                is_there = default.existing(session, caller.project_id) is not None
            if not is_there:
                self.db.write(lambda s: default.ensure_alone(s, caller.own_project))

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.caller(req, "create")
        given = _GROUP(body_of(req))["security_group"]

        def write(session: Session) -> Any:
            values = {
                "project_id": caller.own_project,
                "name": given["name"],
                "description": given["description"] or "",
                "is_stateful": True,
            }
            with _in_words_of_compute():
                return shown(session, [groups_create.create(session, values)])[0]

        answer(resp, {"security_group": self.db.write(write)})


class SecurityGroupItem(_UntilProxiesEnded):
    """/os-security-groups/{group_id}"""

    def on_get(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Shows."""
        caller = self.caller(req, "list")
        with self.db.read() as session:
            answer(resp, {"security_group": shown(session, [find(session, caller, group_id)])[0]})

    def on_put(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Changes name and description."""
        caller = self.caller(req, "create")
        given = _GROUP(body_of(req))["security_group"]

        def write(session: Session) -> Any:
            group = find(session, caller, group_id)
            values = {"name": given["name"], "description": given["description"] or ""}
            with _in_words_of_compute():
                groups_update.update(session, group, values)
            return shown(session, [group])[0]

        answer(resp, {"security_group": self.db.write(write)})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, group_id: str) -> None:
        """Deletes."""
        caller = self.caller(req, "delete")

        def write(session: Session) -> None:
            with _in_words_of_compute():
                groups_delete.delete(session, caller, find(session, caller, group_id))

        self.db.write(write)
        no_content(resp, 202)


class SecurityGroupRules(_UntilProxiesEnded):
    """/os-security-group-rules"""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Creates."""
        caller = self.caller(req, "create")
        given = _RULE(body_of(req))["security_group_rule"]

        def write(session: Session) -> Any:
            rule = create_rule(session, caller, given)
            return shown_rule(rule, _names(session, [rule]))

        answer(resp, {"security_group_rule": self.db.write(write)})


class SecurityGroupRuleItem(_UntilProxiesEnded):
    """/os-security-group-rules/{rule_id}"""

    def on_delete(self, req: falcon.Request, resp: falcon.Response, rule_id: str) -> None:
        """Deletes."""
        caller = self.caller(req, "delete")
        self.db.write(lambda s: rules.delete(s, find_rule(s, caller, rule_id)))
        no_content(resp, 202)


class OfServer(Resource):
    """/servers/{server_id}/os-security-groups: in every microversion."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, server_id: str) -> None:
        """The groups that ports of the server are in."""
        caller = self.allow(req, "compute:security-groups:list")
        with self.db.read() as session:
            server = lookup.find(session, caller, server_id)
            ids = server_ports.security_group_ids(session, server.id)
            statement = select(SecurityGroup).where(SecurityGroup.id.in_(ids)).order_by(SecurityGroup.name)
            answer(resp, {"security_groups": shown(session, list(session.scalars(statement)))})
