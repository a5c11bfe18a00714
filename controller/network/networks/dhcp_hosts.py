"""Which hosts answer DHCP and metadata of a network: those with a port on it, unless an operator says otherwise."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, delete, literal, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from contract import topics
from controller.db import agents, outbox
from controller.db.agents import Agent
from controller.db.columns import Base, Id
from controller.network.networks.model import Network
from controller.network.ports.model import Port


class DhcpHost(Base):
    """An operator's word about a network on a host: served also without a port, or not served at all."""

    __tablename__ = "network_dhcp_hosts"

    network_id: Mapped[Id] = mapped_column(ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True)
    host: Mapped[Id] = mapped_column(primary_key=True, index=True)
    is_served: Mapped[bool]


_BOUND = select(Port.network_id).where(Port.binding_host != "")
_CHOSEN = select(DhcpHost.network_id).where(DhcpHost.is_served)


def say(session: Session, network_id: str, host: str, *, is_served: bool) -> None:
    """Writes the word down, or takes the opposite one back where it stands: what is so without a word stays free to
    follow the ports. The network is locked by the verb."""
    is_bound = session.scalar(_BOUND.where(Port.network_id == network_id, Port.binding_host == host).limit(1))
    word = session.get(DhcpHost, (network_id, host), populate_existing=True)
    if word is not None and word.is_served != is_served and bool(is_bound) == is_served:
        session.delete(word)
    else:
        session.merge(DhcpHost(network_id=network_id, host=host, is_served=is_served))
    session.flush()
    outbox.changed(session, "segment", network_id)


def forget(session: Session, host: str) -> None:
    """The host is no more."""
    told = session.scalars(select(DhcpHost.network_id).where(DhcpHost.host == host)).all()
    session.execute(delete(DhcpHost).where(DhcpHost.host == host))
    outbox.changed(session, "segment", *told)


def with_network(session: Session, network_id: str) -> set[str]:
    """Hosts that have the network: by a port of it, or because they are to serve it."""
    ports = select(Port.binding_host).where(Port.network_id == network_id, Port.binding_host != "")
    return {*session.scalars(ports.distinct()), *_said(session, network_id, is_served=True)}


def is_excluded(session: Session, network_id: str, host: str) -> bool:
    """Whether the host is not to serve the network."""
    return host in _said(session, network_id, is_served=False)


def hosting(session: Session, network_id: str) -> set[str]:
    """Hosts on which guests of the network are served: where it is; everywhere that a first port of it may come to
    while it is nowhere."""
    found = with_network(session, network_id)
    if not found:
        found = {agent.host for agent in agents.of_kind(session, topics.OVS_AGENT) if _takes_ports(agent)}
    return found - set(_said(session, network_id, is_served=False))


def hosted(session: Session, agent: Agent) -> Sequence[Network]:
    """The networks whose ``hosting`` has the host of this agent."""
    is_bound = Network.id.in_(_BOUND.where(Port.binding_host == agent.host))
    is_chosen = Network.id.in_(_CHOSEN.where(DhcpHost.host == agent.host))
    is_awaited = Network.id.not_in(_BOUND) & Network.id.not_in(_CHOSEN) & literal(_takes_ports(agent))
    excluded = select(DhcpHost.network_id).where(DhcpHost.host == agent.host, ~DhcpHost.is_served)
    statement = (
        select(Network)
        .where(or_(is_bound, is_chosen, is_awaited), Network.id.not_in(excluded))
        .order_by(Network.id)
    )
    return session.scalars(statement).all()


def _takes_ports(agent: Agent) -> bool:
    return agent.is_up and not agent.is_disabled


def _said(session: Session, network_id: str, *, is_served: bool) -> Sequence[str]:
    statement = select(DhcpHost.host).where(
        DhcpHost.network_id == network_id, DhcpHost.is_served == is_served
    )
    return session.scalars(statement).all()
