"""Agents as neutron shows them: every ``ovs_agent`` is an Open vSwitch, a DHCP and an L3 agent."""

import datetime
import uuid
from collections.abc import Callable, Collection
from typing import Any

import falcon
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from contract import topics
from controller.db import agents
from controller.db.agents import Agent
from controller.network import options, refusals
from controller.network.networks import dhcp_hosts
from controller.web import schema
from controller.web.fields import boolean
from controller.web.resource import Resource, answer, body_of, no_content, params_of

#: From our agent's id to those of its further rows.
_DHCP = uuid.UUID("6f0b7c52-6c1c-4c1e-9f4c-3f5f6f0d2b11")
_L3 = uuid.UUID("0d4f8f3e-1b0f-4f6e-8a55-6c9a4b1f7e02")
#: The types of agent that carry routers, and that answer DHCP.
L3_AGENT = "L3 agent"
DHCP_AGENT = "DHCP agent"

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {
            "agent": {
                "type": "object",
                "properties": {
                    "admin_state_up": schema.LOOSE_BOOLEAN,
                    "description": {
                        "type": ["string", "null"],
                        "maxLength": 255,
                        "pattern": schema.NAME_PATTERN,
                    },
                },
                "additionalProperties": False,
            }
        },
        "required": ["agent"],
        "additionalProperties": False,
    }
)


def shown(agent: Agent) -> list[dict[str, Any]]:
    """The rows of one of our agents."""
    capabilities = agent.capabilities
    switch = {
        "bridge_mappings": capabilities.get("bridge_mappings", {}),
        "datapath_type": capabilities.get("datapath_type", ""),
        "tunnel_types": ["vxlan"],
        "tunneling_ip": capabilities.get("tunnel_ip", ""),
        "integration_bridge": "br-int",
    }
    zone = options.settings().availability_zone
    return [
        {
            **_row(agent, agent.id, switch),
            "agent_type": "Open vSwitch agent",
            "binary": "neutron-openvswitch-agent",
            "topic": "N/A",
            "availability_zone": None,
        },
        {
            **_row(agent, str(uuid.uuid5(_DHCP, agent.id)), {"dhcp_driver": "dnsmasq"}),
            "agent_type": DHCP_AGENT,
            "binary": "neutron-dhcp-agent",
            "topic": "dhcp_agent",
            "availability_zone": zone,
        },
        {
            **_row(agent, str(uuid.uuid5(_L3, agent.id)), {"agent_mode": "legacy"}),
            "agent_type": L3_AGENT,
            "binary": "neutron-l3-agent",
            "topic": "l3_agent",
            "availability_zone": zone,
        },
    ]


def _row(agent: Agent, row_id: str, configurations: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row_id,
        "host": agent.host,
        "admin_state_up": not agent.is_disabled,
        "alive": agent.is_up,
        "created_at": _time(agent.created_at),
        "started_at": _time(agent.created_at),
        "heartbeat_timestamp": _time(agent.last_seen_at or agent.created_at),
        "description": agent.disabled_reason,
        "resources_synced": None,
        "configurations": configurations,
    }


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def find(session: Session, row_id: str) -> tuple[Agent, dict[str, Any]]:
    """One of our agents and the row that has this id. Raises NotFound."""
    for agent in agents.of_kind(session, topics.OVS_AGENT):
        for row in shown(agent):
            if row["id"] == row_id:
                return agent, row
    raise refusals.missing("agent", row_id)


def on_hosts(session: Session, agent_type: str, hosts: Collection[str]) -> list[dict[str, Any]]:
    """The rows of one type on these hosts."""
    found = [a for a in agents.of_kind(session, topics.OVS_AGENT) if a.host in hosts]
    return [row for agent in found for row in shown(agent) if row["agent_type"] == agent_type]


_FILTERS: dict[str, Callable[[str], Any]] = {
    "id": str,
    "agent_type": str,
    "binary": str,
    "host": str,
    "availability_zone": str,
    "alive": boolean,
    "admin_state_up": boolean,
}


def _is_asked(row: dict[str, Any], params: dict[str, list[str]]) -> bool:
    for name, read in _FILTERS.items():
        try:
            if name in params and _plain(row[name]) not in [_plain(read(text)) for text in params[name]]:
                return False
        except ValueError:
            raise refusals.invalid(f"Invalid value for filter {name}.") from None
    return True


def _plain(value: Any) -> Any:
    """Without case, as Neutron's database compares texts: clients ask for a "DHCP Agent"."""
    return value.casefold() if isinstance(value, str) else value


class Agents(Resource):
    """``/agents``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """All of them that the caller may see, which for most callers is none."""
        caller = self.allow(req, "network:agent:list")
        if not self.cloud.policy.allows(caller, "network:agent:show"):
            answer(resp, {"agents": []})
            return
        params = params_of(req)
        with self.db.read() as session:
            rows = [row for agent in agents.of_kind(session, topics.OVS_AGENT) for row in shown(agent)]
        only = params.get("fields")
        found = [row for row in rows if _is_asked(row, params)]
        answer(resp, {"agents": [{n: v for n, v in r.items() if not only or n in only} for r in found]})


class AgentMember(Resource):
    """``/agents/{agent_id}``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """One."""
        self.allow(req, "network:agent:show")
        with self.db.read() as session:
            _, row = find(session, agent_id)
        answer(resp, {"agent": row})

    def on_put(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """Switches it off and on for new work."""
        self.allow(req, "network:agent:update")
        given = _CHECK(body_of(req))["agent"]
        answer(resp, {"agent": self.db.write(lambda session: _change(session, agent_id, given))})

    def on_delete(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """Forgets an agent that is no more; one that lives comes back with its next heartbeat."""
        self.allow(req, "network:agent:delete")
        self.db.write(lambda session: _forget(session, agent_id))
        no_content(resp)


def _change(session: Session, agent_id: str, given: dict[str, Any]) -> dict[str, Any]:
    agent, _ = find(session, agent_id)
    values: dict[str, Any] = {}
    if "admin_state_up" in given:
        values["is_disabled"] = not schema.as_bool(given["admin_state_up"])
    if "description" in given:
        values["disabled_reason"] = given["description"]
    if values:
        session.execute(update(Agent).where(Agent.id == agent.id).values(**values))
        session.refresh(agent)
    return find(session, agent_id)[1]


def _forget(session: Session, agent_id: str) -> None:
    agent, _ = find(session, agent_id)
    if agent.is_up:
        raise refusals.in_use(f"Agent {agent_id} is alive: stop it on host {agent.host} first.", "AgentInUse")
    dhcp_hosts.forget(session, agent.host)
    session.execute(delete(Agent).where(Agent.id == agent.id))
