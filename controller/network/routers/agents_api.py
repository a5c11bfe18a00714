"""Which agents carry which routers: shown, and changed by hand."""

import falcon
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.agents import Agent
from controller.network import agents, collection, refusals
from controller.network.routers import attached, host
from controller.network.routers.kind import KIND
from controller.network.routers.model import Router
from controller.web import schema
from controller.web.caller import Caller
from controller.web.resource import Resource, answer, body_of, no_content

_CHECK = schema.compile_schema(
    {
        "type": "object",
        "properties": {"router_id": schema.UUID},
        "required": ["router_id"],
        "additionalProperties": False,
    }
)


class RouterAgents(Resource):
    """``/routers/{row_id}/l3-agents``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, row_id: str) -> None:
        """The agent that carries the router, in a list."""
        caller = self.allow(req, "network:router:carrier")
        with self.db.read() as session:
            router = collection.find(session, KIND, caller, row_id)
            rows = agents.on_hosts(session, agents.L3_AGENT, [router.host])
        answer(resp, {"agents": rows})


class AgentRouters(Resource):
    """``/agents/{agent_id}/l3-routers``."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """The routers that the agent carries."""
        self.allow(req, "network:router:carrier")
        with self.db.read() as session:
            agent = _l3_agent(session, agent_id)
            rows = session.scalars(select(Router).where(Router.host == agent.host).order_by(Router.id)).all()
            related = KIND.related(session, rows)
        answer(resp, KIND.fields.many(rows, self.view(req, related)))

    def on_post(self, req: falcon.Request, resp: falcon.Response, agent_id: str) -> None:
        """Gives the agent a router that no other has."""
        caller = self.allow(req, "network:router:schedule")
        router_id = _CHECK(body_of(req))["router_id"]
        self.db.write(lambda session: _give(session, caller, agent_id, router_id))
        answer(resp, None, 201)


class AgentRouter(Resource):
    """``/agents/{agent_id}/l3-routers/{row_id}``."""

    def on_delete(self, req: falcon.Request, resp: falcon.Response, agent_id: str, row_id: str) -> None:
        """Takes the router from the agent; another one gets it, if there is one."""
        caller = self.allow(req, "network:router:schedule")
        self.db.write(lambda session: _take(session, caller, agent_id, row_id))
        no_content(resp)


def _l3_agent(session: Session, agent_id: str) -> Agent:
    agent, row = agents.find(session, agent_id)
    if row["agent_type"] != agents.L3_AGENT:
        raise _invalid(agent_id)
    return agent


def _invalid(agent_id: str) -> Exception:
    return refusals.absent(f"Agent {agent_id} carries no routers.", "InvalidL3Agent")


def _give(session: Session, caller: Caller, agent_id: str, router_id: str) -> None:
    agent = _l3_agent(session, agent_id)
    if agent.is_disabled or not agent.is_up:
        raise _invalid(agent_id)
    router = _locked(session, caller, router_id)
    if router.host and router.host != agent.host:
        raise refusals.in_use(
            f"Router {router.id} is on host {router.host}: take it from the agent there first.",
            "RouterHostedByL3Agent",
        )
    host.put(session, router, agent.host)


def _take(session: Session, caller: Caller, agent_id: str, router_id: str) -> None:
    agent = _l3_agent(session, agent_id)
    router = _locked(session, caller, router_id)
    if router.host != agent.host:
        raise refusals.in_use(
            f"Agent {agent_id} does not carry router {router.id}.", "RouterNotHostedByL3Agent"
        )
    host.leave(session, router)


def _locked(session: Session, caller: Caller, router_id: str) -> Router:
    router: Router = collection.find(session, KIND, caller, router_id)
    attached.lock(session, router)
    return router
