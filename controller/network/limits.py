"""Quotas of the network service: which rows count, and the check that all creations make."""

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.ports.model import SERVICE_OWNER, Port
from controller.network.rbac.model import RbacPolicy
from controller.network.refusals import OverQuota
from controller.network.routers.model import Router
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.network.subnet_pools.model import SubnetPool
from controller.network.subnets.model import Subnet
from controller.network.trunks.model import Trunk
from controller.operations import quota
from controller.web import errors

#: What counts, by its name in the quota API. A network's own service port is ours, not the user's.
COUNTED: dict[str, tuple[Any, ColumnElement[bool] | None]] = {
    "network": (Network, None),
    "subnet": (Subnet, None),
    "port": (Port, Port.device_owner != SERVICE_OWNER),
    "security_group": (SecurityGroup, None),
    "security_group_rule": (SecurityGroupRule, None),
    "router": (Router, None),
    "subnetpool": (SubnetPool, None),
    "trunk": (Trunk, None),
    "rbac_policy": (RbacPolicy, None),
    "floatingip": (FloatingIp, None),
}


def used(session: Session, project_id: str, resource: str) -> int:
    """How many a project has."""
    model, condition = COUNTED[resource]
    statement = select(func.count()).select_from(model).where(model.project_id == project_id)
    return session.scalar(statement if condition is None else statement.where(condition)) or 0


def check(session: Session, project_id: str, resource: str, adding: int = 1) -> None:
    """Raises OverQuota if the project may not have ``adding`` more. The project is locked already."""
    try:
        after = used(session, project_id, resource) + adding
        quota.check(session, project_id, "network", {resource: after})
    except errors.OverQuota as error:
        raise OverQuota(error.message, kind="OverQuota") from None
