"""Which projects use what is another's: while they do, the policy that lets them stays."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from controller.network import refusals
from controller.network.address_groups.model import AddressGroup
from controller.network.address_scopes.model import AddressScope
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports.model import GATEWAY_OWNER, Port, PortGroup
from controller.network.qos.model import QosPolicy
from controller.network.rbac import model as rbac
from controller.network.routers.model import Router
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet

#: Of an object's id, the query of the projects that rely on a policy.
Users = Callable[[str], Select[Any]]


def _with_ports(network_id: str) -> Select[Any]:
    return select(Port.project_id).where(Port.network_id == network_id)


def _with_gateways(network_id: str) -> Select[Any]:
    gateways = select(Port.router_id).where(Port.network_id == network_id, Port.device_owner == GATEWAY_OWNER)
    return select(Router.project_id).where(Router.id.in_(gateways))


def _with_members(group_id: str) -> Select[Any]:
    members = select(PortGroup.port_id).where(PortGroup.group_id == group_id)
    return select(Port.project_id).where(Port.id.in_(members))


def _with_subnets(pool_id: str) -> Select[Any]:
    return select(Subnet.project_id).where(Subnet.subnetpool_id == pool_id)


def _with_pools(scope_id: str) -> Select[Any]:
    return select(SubnetPool.project_id).where(SubnetPool.address_scope_id == scope_id)


def _with_rules(group_id: str) -> Select[Any]:
    return select(SecurityGroupRule.project_id).where(SecurityGroupRule.remote_address_group_id == group_id)


def _with_qos(policy_id: str) -> Select[Any]:
    users = (
        select(model.project_id).where(model.qos_policy_id == policy_id)
        for model in (Port, Network, FloatingIp, Router)
    )
    projects = union(*users).subquery()
    return select(projects.c.project_id)


#: What policies may be about, by its word in the API, with the actions that it knows. A kind more is a line more.
OBJECTS: dict[str, tuple[Any, dict[str, Users]]] = {
    "network": (Network, {rbac.SHARED: _with_ports, rbac.EXTERNAL: _with_gateways}),
    "qos_policy": (QosPolicy, {rbac.SHARED: _with_qos}),
    "security_group": (SecurityGroup, {rbac.SHARED: _with_members}),
    "subnetpool": (SubnetPool, {rbac.SHARED: _with_subnets}),
    "address_group": (AddressGroup, {rbac.SHARED: _with_rules}),
    "address_scope": (AddressScope, {rbac.SHARED: _with_pools}),
}


def check_closed(
    session: Session, object_type: str, row: Any, action: str, target: str, opened: str = ""
) -> None:
    """Refuses to take ``target``'s access away, if a project needs it and has no other.

    ``opened`` is the project that gets it instead. The object is locked. Raises Conflict.
    """
    others = rbac.targets(session, [row.id], action).get(row.id, set()) - {target} | {opened}
    if rbac.EVERYBODY in others:
        return
    needing = set(session.scalars(OBJECTS[object_type][1][action](row.id).distinct()))
    losing = needing if target == rbac.EVERYBODY else needing & {target}
    if losing - others - {row.project_id, ""}:
        raise _in_use(object_type, row, action)


def _in_use(object_type: str, row: Any, action: str) -> Exception:
    if (object_type, action) == ("network", rbac.SHARED):
        return refusals.in_use(
            f"Unable to reconfigure sharing settings for network {row.name or row.id}. "
            "Multiple tenants are using it.",
            "InvalidSharedSetting",
        )
    return refusals.in_use(
        f"RBAC policy on object {row.id} cannot be removed because other objects depend on it.",
        "RbacPolicyInUse",
    )
