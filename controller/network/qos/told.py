"""Which documents tell hosts of a QoS policy."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from contract.document import Key
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports.model import Port
from controller.network.routers.model import Router


def of_policy(session: Session, policy_id: str) -> set[Key]:
    """Documents of what has the policy, itself or by its network."""
    networks = select(Network.id).where(Network.qos_policy_id == policy_id)
    routers = session.scalars(select(Router.id).where(Router.qos_policy_id == policy_id))
    return (
        _documents(session, Port.qos_policy_id == policy_id, FloatingIp.qos_policy_id == policy_id)
        | _inheriting(session, networks)
        | {Key("router", found) for found in routers}
    )


def of_network(session: Session, network_id: str) -> set[Key]:
    """Documents of what inherits the policy of a network."""
    return _inheriting(session, select(Network.id).where(Network.id == network_id))


def _inheriting(session: Session, networks: Select[Any]) -> set[Key]:
    return _documents(
        session,
        Port.network_id.in_(networks) & Port.qos_policy_id.is_(None),
        FloatingIp.floating_network_id.in_(networks) & FloatingIp.qos_policy_id.is_(None),
    )


def _documents(session: Session, ports: ColumnElement[bool], floating_ips: ColumnElement[bool]) -> set[Key]:
    """Of the ports on hosts, and of the routers that do the floating IPs."""
    bound = select(Port.id).where(ports, Port.binding_host != "")
    carriers = select(FloatingIp.router_id).where(floating_ips, FloatingIp.router_id.is_not(None)).distinct()
    keys = {Key("port", found) for found in session.scalars(bound)}
    return keys | {Key("router", found) for found in session.scalars(carriers) if found}
