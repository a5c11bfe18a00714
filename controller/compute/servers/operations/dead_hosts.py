"""When a host that a step waits for is taken for dead."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db.agents import Agent
from controller.operations.step import Run

#: A host that was not heard for so long while it was waited for is taken for dead. Longer than engines, broker
#: or database take to be back: after their absence every host is silent for a moment.
SILENCE_S = 45.0
#: Silence has no word that would end the waiting for it.
LISTEN_AGAIN_S = 5.0


def is_dead(session: Session, run: Run, host: str, agent: str = "nova-compute") -> bool:
    """Whether a host that the step waits for has been silent for too long."""
    return run.waited_s > SILENCE_S and not is_heard(session, host, agent)


def is_heard(session: Session, host: str, agent: str = "nova-compute") -> bool:
    """Whether the host's agent answers at the moment."""
    row = session.scalars(select(Agent).where(Agent.host == host, Agent.agent == agent)).one_or_none()
    return row is not None and row.is_up
