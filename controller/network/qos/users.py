"""What has a QoS policy, so that it stays: ports, networks, floating IPs, gateways of routers."""

from sqlalchemy import select
from sqlalchemy.orm import Session

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
