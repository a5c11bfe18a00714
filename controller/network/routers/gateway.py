"""The way outside of a router: a port of its own on an external network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import collection, refusals, standard
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.kind import KIND as NETWORKS
from controller.network.networks.model import Network
from controller.network.ports import delete as ports_delete
from controller.network.ports.create import NewPort, create_own, locked_subnets
from controller.network.ports.model import GATEWAY_OWNER, Port
from controller.network.ports.update import replace_addresses
from controller.network.qos import attach
from controller.network.routers import attached
from controller.network.routers.model import Router
from controller.network.subnets.model import Subnet
from controller.web import schema
from controller.web.caller import Caller
from controller.web.policy import Policy

FixedIps = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Gateway:
    """What ``external_gateway_info`` asks for; no ``fixed_ips`` means those that are there, or any.

    The QoS policy stays where none is named.
    """

    network_id: str
    is_snat: bool = True
    fixed_ips: FixedIps = ()
    qos_policy_id: str | None = None
    is_qos_named: bool = False


def asked(info: dict[str, Any] | None) -> Gateway | None:
    """The gateway that a body asks for; None for none."""
    if not info:
        return None
    return Gateway(
        network_id=info["network_id"],
        is_snat=schema.as_bool(info.get("enable_snat", True)),
        fixed_ips=tuple(info.get("external_fixed_ips", ())),
        qos_policy_id=info.get("qos_policy_id"),
        is_qos_named="qos_policy_id" in info,
    )


def check_allowed(policy: Policy, caller: Caller, info: dict[str, Any] | None) -> None:
    """Refuses the parts of ``external_gateway_info`` that the caller's role may not give."""
    for name, rule in (
        ("enable_snat", "network:router:snat"),
        ("external_fixed_ips", "network:router:external_fixed_ips"),
    ):
        if info and name in info and not policy.allows(caller, rule):
            raise refusals.disallowed(rule, f"{name} may not be given by your role.")


def set_gateway(session: Session, caller: Caller, router: Router, wanted: Gateway | None) -> None:
    """Gives the router this gateway alone; the router is locked. Raises BadRequest, NotFound, Conflict."""
    if wanted is None:
        clear(session, router)
        return
    network = _external(session, caller, wanted)
    before = router.qos_policy_id
    policy_id = wanted.qos_policy_id if wanted.is_qos_named else before
    port = attached.gateway(session, router.id)
    if port is not None and port.network_id == network.id:
        _readdress(session, port, wanted.fixed_ips)
    else:
        clear(session, router)
        _join(session, router, wanted)
    attach.check(session, caller, policy_id, before)
    router.is_snat, router.qos_policy_id = wanted.is_snat, policy_id


def clear(session: Session, router: Router) -> None:
    """Takes the gateway away, if there is one. Raises Conflict while floating IPs need it."""
    port = attached.gateway(session, router.id)
    router.is_snat, router.qos_policy_id = True, None
    if port is None:
        return
    needed = select(FloatingIp.id).where(FloatingIp.router_id == router.id)
    if session.scalar(needed.limit(1)):
        raise refusals.in_use(
            f"Floating IPs of network {port.network_id} lead through this gateway of router {router.id}: "
            "disassociate them first.",
            "RouterExternalGatewayInUseByFloatingIp",
        )
    ports_delete.remove(session, port)


def _external(session: Session, caller: Caller, wanted: Gateway) -> Network:
    network: Network = collection.find(session, NETWORKS, caller, wanted.network_id)
    if not network.is_external:
        raise refusals.bad("router", f"Network {network.id} has no router:external: it cannot be a gateway.")
    texts = {one["ip_address"] for one in wanted.fixed_ips if "ip_address" in one}
    statement = select(Subnet.gateway_ip).where(Subnet.network_id == network.id, Subnet.gateway_ip.in_(texts))
    taken = session.scalar(statement.limit(1))
    if taken is not None:
        raise refusals.bad("router", f"{taken} is the gateway_ip of its subnet: choose another address.")
    return network


def _join(session: Session, router: Router, wanted: Gateway) -> None:
    subnets = session.scalars(select(Subnet).where(Subnet.network_id == wanted.network_id)).all()
    attached.check_subnets(session, router.id, subnets)
    new = NewPort(
        network_id=wanted.network_id,
        fixed_ips=wanted.fixed_ips,
        device_id=router.id,
        device_owner=GATEWAY_OWNER,
        is_port_security=False,
        security_group_ids=(),
        extra={"router_id": router.id},
    )
    create_own(session, wanted.network_id, new)


def _readdress(session: Session, port: Port, wanted: Sequence[dict[str, str]]) -> None:
    if not wanted:
        return
    standard.lock(session, Network, [port.network_id])
    replace_addresses(session, port, locked_subnets(session, port.network_id), wanted)
    standard.touch(port)
    outbox.changed(session, "port", port.id)
