"""What has a QoS policy: ports, networks, floating IPs, gateways of routers."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.document import Key
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports.model import Port
from controller.network.routers.model import Router

_USERS = (
    ("port", Port, Port.qos_policy_id),
    ("network", Network, Network.qos_policy_id),
    ("fip", FloatingIp, FloatingIp.qos_policy_id),
    ("router", Router, Router.qos_policy_id),
)


def first_user(session: Session, policy_id: str) -> str:
    """Kind and id of something that has the policy; empty if nothing does."""
    for name, model, column in _USERS:
        found = session.scalar(select(model.id).where(column == policy_id).limit(1))
        if found is not None:
            return f"{name} {found}"
    return ""


def of_policy(session: Session, policy_id: str) -> set[Key]:
    """Documents that tell hosts of the policy."""
    networks = session.scalars(select(Network.id).where(Network.qos_policy_id == policy_id))
    keys = {key for network_id in networks.all() for key in of_network(session, network_id)}
    ports = select(Port.id).where(Port.qos_policy_id == policy_id, Port.binding_host != "")
    routers = select(Router.id).where(Router.qos_policy_id == policy_id)
    carriers = select(FloatingIp.router_id).where(
        FloatingIp.qos_policy_id == policy_id, FloatingIp.router_id.is_not(None)
    )
    keys |= {Key("port", found) for found in session.scalars(ports)}
    return keys | {Key("router", found) for found in session.scalars(routers.union(carriers))}


def of_network(session: Session, network_id: str) -> set[Key]:
    """Documents of what inherits the policy of a network."""
    ports = select(Port.id).where(
        Port.network_id == network_id, Port.qos_policy_id.is_(None), Port.binding_host != ""
    )
    carriers = select(FloatingIp.router_id).where(
        FloatingIp.floating_network_id == network_id,
        FloatingIp.qos_policy_id.is_(None),
        FloatingIp.router_id.is_not(None),
    )
    keys = {Key("port", found) for found in session.scalars(ports)}
    return keys | {Key("router", found) for found in session.scalars(carriers.distinct()) if found}
