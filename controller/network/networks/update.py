"""Changing a network."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.networks.create import checked_mtu, make_default
from controller.network.networks.model import Network
from controller.network.networks.segments import Segment
from controller.network.ports.model import FLOATING_IP_OWNER, GATEWAY_OWNER, Port
from controller.network.qos import attach
from controller.network.rbac import model as rbac
from controller.network.rbac import users
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller

_PROVIDER = ("network_type", "physical_network", "segmentation_id")


def update(session: Session, caller: Caller, network: Network, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, Forbidden, NotFound, Conflict."""
    standard.lock_row(session, network, "network")
    for name in _PROVIDER:
        if name in values and values.pop(name) != getattr(network, name):
            raise refusals.invalid("Plugin does not support updating provider attributes")
    if "mtu" in values:
        segment = Segment(network.network_type, network.physical_network, network.segmentation_id)
        values["mtu"] = checked_mtu(values["mtu"], segment)
        _check_ipv6_fits(session, network, values["mtu"])
    _open(session, network, values)
    policy_id = values.get("qos_policy_id", network.qos_policy_id)
    if policy_id != network.qos_policy_id:
        attach.check(session, caller, policy_id, network.qos_policy_id)
        outbox.changed(session, "network_qos", network.id)
    _be_default(session, network, values)
    for name, value in values.items():
        setattr(network, name, value)
    standard.touch(network)
    outbox.changed(session, "network", network.id)


def _open(session: Session, network: Network, values: dict[str, Any]) -> None:
    """To everybody, or no longer, as shared network and as the way outside."""
    match values.pop("is_shared", None):
        case True:
            rbac.open_to_all(session, "network", network)
        case False:
            users.check_closed(session, "network", network, rbac.SHARED, rbac.EVERYBODY)
            rbac.close_to_all(session, network.id)
    if "is_external" in values and values["is_external"] != network.is_external:
        if values["is_external"]:
            rbac.open_to_all(session, "network", network, rbac.EXTERNAL)
        else:
            check_not_outside(session, network)
            rbac.forget(session, network.id, rbac.EXTERNAL)


def _be_default(session: Session, network: Network, values: dict[str, Any]) -> None:
    """A network that is no longer external is no longer the default one."""
    network.is_external = values.pop("is_external", network.is_external)
    is_default = values.pop("is_default", bool(network.is_default))
    if is_default and network.is_external:
        make_default(session, network)
    else:
        network.is_default = None


def _check_ipv6_fits(session: Session, network: Network, mtu: int) -> None:
    statement = select(Subnet.id).where(Subnet.network_id == network.id, Subnet.ip_version == 6)
    if mtu < 1280 and session.scalar(statement.limit(1)):
        raise refusals.in_use(
            f"Network MTU {mtu} is too small for IPv6 subnets of {network.id}: 1280 is the least.",
            "NetworkMTUSubnetConflict",
        )


def check_not_outside(session: Session, network: Network) -> None:
    """Raises Conflict while something of the cloud's own leads outside on it."""
    statement = select(Port.id).where(
        Port.network_id == network.id, Port.device_owner.in_((GATEWAY_OWNER, FLOATING_IP_OWNER))
    )
    if session.scalar(statement.limit(1)):
        raise refusals.in_use(
            f"Routers have gateways on network {network.id}: clear them before it stops being external.",
            "ExternalNetworkInUse",
        )
