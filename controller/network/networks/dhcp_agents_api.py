"""Which agents answer DHCP of which networks: shown, and changed by hand."""

import falcon
from sqlalchemy.orm import Session

from controller.network import agents, collection, refusals, standard
from controller.network.networks import dhcp_hosts
from controller.network.networks.kind import KIND
from controller.network.networks.model import Network
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of, no_content

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {"network_id": schema.UUID},
        "required": ["network_id"],
        "additionalProperties": False,
    }
)


class NetworkAgents(Resource):
    """``/networks/{row_id}/dhcp-agents``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """The agents that answer DHCP of the network."""
        caller = self.allow(req, "network:network:carrier")
        with self.db.read() as session:
            network = collection.find(session, KIND, caller, row_id)
            rows = agents.on_hosts(session, agents.DHCP_AGENT, dhcp_hosts.hosting(session, network.id))
        answer(resp, {"agents": rows})


class AgentNetworks(Resource):
    """``/agents/{agent_id}/dhcp-networks``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """The networks whose DHCP the agent answers; none of an agent of another type."""
        self.allow(req, "network:network:carrier")
        with self.db.read() as session:
            agent, row = agents.find(session, agent_id)
            is_dhcp = row["agent_type"] == agents.DHCP_AGENT
            rows = dhcp_hosts.hosted(session, agent) if is_dhcp else []
            related = KIND.related(session, rows)
        answer(resp, KIND.fields.many(rows, self.view(req, related)))

    def on_post(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """Has the agent's host serve the network, also without a port of it."""
        caller = self.allow(req, "network:network:schedule")
        network_id = _CHECK(body_of(req))["network_id"]
        self.db.write(lambda session: _give(session, caller, agent_id, network_id))
        answer(resp, None, 201)


class AgentNetwork(Resource):
    """``/agents/{agent_id}/dhcp-networks/{row_id}``."""

    def on_delete(self, req: falcon.Request, resp: falcon.Response, agent_id: str, row_id: str) -> None:
        """Has the agent's host not serve the network, whatever ports of it are there."""
        caller = self.allow(req, "network:network:schedule")
        self.db.write(lambda session: _take(session, caller, agent_id, row_id))
        no_content(resp)


def _give(session: Session, caller: Caller, agent_id: str, network_id: str) -> None:
    network = _locked(session, caller, network_id)
    agent, row = agents.find(session, agent_id)
    if row["agent_type"] != agents.DHCP_AGENT or agent.is_disabled:
        raise refusals.absent(
            f"Agent {agent_id} is no DHCP agent, or it is switched off.", "InvalidDHCPAgent"
        )
    is_served = agent.host in dhcp_hosts.with_network(session, network.id)
    if is_served and not dhcp_hosts.is_excluded(session, network.id, agent.host):
        raise refusals.in_use(
            f"Agent {agent_id} serves network {network.id} already.", "NetworkHostedByDHCPAgent"
        )
    dhcp_hosts.say(session, network.id, agent.host, is_served=True)


def _take(session: Session, caller: Caller, agent_id: str, network_id: str) -> None:
    network = _locked(session, caller, network_id)
    agent, row = agents.find(session, agent_id)
    if row["agent_type"] != agents.DHCP_AGENT or agent.host not in dhcp_hosts.hosting(session, network.id):
        raise refusals.in_use(
            f"Agent {agent_id} does not serve network {network.id}.", "NetworkNotHostedByDhcpAgent"
        )
    dhcp_hosts.say(session, network.id, agent.host, is_served=False)


def _locked(session: Session, caller: Caller, network_id: str) -> Network:
    network: Network = collection.find(session, KIND, caller, network_id)
    standard.lock_row(session, network, "network")
    return network
