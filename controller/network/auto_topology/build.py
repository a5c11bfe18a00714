"""Making and deleting the topology of a project, each in one transaction: there is all of it or nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import bodies, refusals
from controller.network.auto_topology.model import AutoTopology
from controller.network.networks import delete as networks_delete
from controller.network.networks.create import create as create_network
from controller.network.networks.fields import NETWORK
from controller.network.networks.model import Network
from controller.network.routers import attached
from controller.network.routers import delete as routers_delete
from controller.network.routers.add_interface import add_interface
from controller.network.routers.create import create as create_router
from controller.network.routers.fields import ROUTER
from controller.network.routers.model import Router
from controller.network.routers.remove_interface import remove_interface
from controller.network.subnet_pools.allocate import default_pool
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.create import create as create_subnet
from controller.network.subnets.fields import SUBNET
from controller.network.subnets.model import Subnet
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound
from controller.web.policy import Policy


def existing(session: Session, project_id: str) -> str | None:
    """The network that was made for the project."""
    return session.scalar(select(AutoTopology.network_id).where(AutoTopology.project_id == project_id))


def check(session: Session, caller: Caller) -> tuple[str, Sequence[SubnetPool]]:
    """The network outside and the pools that a topology is made of. Raises Conflict for a cloud without them."""
    outside = session.scalar(select(Network.id).where(Network.is_default.is_not(None)))
    if outside is None:
        raise _failure("No default router:external network")
    pools = [pool for version in (4, 6) if (pool := default_pool(session, caller, version))]
    if not pools:
        raise _failure("No default subnetpools defined")
    return outside, pools


def build(session: Session, caller: Caller, policy: Policy, project_id: str) -> str:
    """The project's network; makes it if it is not there. Raises Conflict."""
    projects.lock(session, project_id)
    if found := existing(session, project_id):
        return found
    outside, pools = check(session, caller)
    maker = _Maker(session, caller, policy, project_id)
    try:
        network = maker.network()
        subnets = [maker.subnet(network, pool) for pool in pools]
    except (BadRequest, NotFound):
        raise _failure("Unable to provide project private network") from None
    try:
        router = maker.router(outside, subnets)
    except (BadRequest, NotFound):
        raise _failure("Unable to provide external connectivity") from None
    session.add(AutoTopology(project_id=project_id, network_id=network.id, router_id=router.id))
    return network.id


def delete(session: Session, caller: Caller, project_id: str) -> None:
    """Takes it all away; nothing happens when there is none. Raises Conflict while somebody uses it."""
    projects.lock(session, project_id)
    topology = session.get(AutoTopology, project_id)
    if topology is None:
        return
    network = session.get_one(Network, topology.network_id)
    router = session.get(Router, topology.router_id) if topology.router_id else None
    session.delete(topology)
    session.flush()
    if router is not None:
        attached.lock(session, router)
        for port in attached.interfaces(session, router.id):
            if port.network_id == network.id:
                remove_interface(session, caller, router, {"port_id": port.id})
        routers_delete.delete(session, router)
    networks_delete.delete(session, network)


class _Maker:
    """Makes the parts as if the project had asked for each."""

    def __init__(self, session: Session, caller: Caller, policy: Policy, project_id: str) -> None:
        self._session, self._caller, self._policy, self._project_id = session, caller, policy, project_id

    def network(self) -> Network:
        """The network."""
        values = self._values(NETWORK, name="auto_allocated_network")
        return create_network(self._session, self._caller, values)

    def subnet(self, network: Network, pool: SubnetPool) -> Subnet:
        """A subnet of the pool."""
        values = self._values(
            SUBNET,
            name=f"auto_allocated_subnet_v{pool.ip_version}",
            network_id=network.id,
            ip_version=pool.ip_version,
            subnetpool_id=pool.id,
        )
        return create_subnet(self._session, self._caller, values)

    def router(self, outside: str, subnets: Sequence[Subnet]) -> Router:
        """The router between the subnets and the outside."""
        gateway = {"network_id": outside}
        values = self._values(ROUTER, name="auto_allocated_router", external_gateway_info=gateway)
        router = create_router(self._session, self._caller, values)
        for subnet in subnets:
            add_interface(self._session, self._caller, router, {"subnet_id": subnet.id})
        return router

    def _values(self, fields: Any, **given: Any) -> dict[str, Any]:
        given["project_id"] = self._project_id
        return bodies.created(fields, given, self._caller, self._policy)


def _failure(why: str) -> Exception:
    return refusals.in_use(f"Deployment error: {why}.", "AutoAllocationFailure")
