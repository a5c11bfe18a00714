"""Agents that froze, since their controller speaks for another database than the one that they follow."""

from contract import topics
from controller.db import agents
from tests.faults.cloud import Cloud

AGENTS = (topics.NOVA_COMPUTE, topics.OVS_AGENT, topics.VOLUME_AGENT)
WENT_BACK = "the database went back"


def reasons(cloud: Cloud) -> list[str]:
    """Why agents are frozen, as they said themselves."""
    with cloud.db.read() as session:
        return [row.frozen for name in AGENTS for row in agents.of_kind(session, name) if row.frozen]


def until_all(cloud: Cloud, reason: str) -> None:
    """Waits until each agent is frozen for this reason."""
    cloud.until(lambda: sum(reason in told for told in reasons(cloud)) == len(AGENTS), f"'{reason}'")


def until_none(cloud: Cloud) -> None:
    """Waits until all follow the database."""
    cloud.until(lambda: not reasons(cloud), "agents that follow the database")
