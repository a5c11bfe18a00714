"""Ports in servers: taken into one, bound to its host, set free again. Compute calls these.

A port belongs to a server by ``server_id``, which nothing else sets. What such ports look like is in
``in_servers.py``, and offered here too.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import delete as ports_delete
from controller.network.ports.create import next_nic
from controller.network.ports.in_servers import (
    ServerAddress,
    ServerPort,
    addresses_of,
    instance_nics,
    of_servers,
)
from controller.network.ports.model import Port, PortAddress, PortGroup
from controller.network.ports.place import place
from controller.network.rbac import model as rbac
from controller.network.security_groups import default
from controller.network.security_groups.model import DEFAULT_NAME, SecurityGroup
from controller.network.subnets.model import Subnet
from controller.network.trunks.model import place_of
from controller.web.errors import BadRequest

__all__ = [
    "ServerAddress",
    "ServerPort",
    "addresses_of",
    "bind",
    "bind_port",
    "claim",
    "instance_nics",
    "is_wired",
    "networks_for_boot",
    "of_servers",
    "release",
    "release_port",
    "resolve_groups",
    "security_group_ids",
    "security_group_names",
    "unbind",
]


def claim(
    session: Session, project_id: str, port_id: str, server_id: str, device_owner: str, tag: str | None = None
) -> Port:
    """Takes an existing port of a project into a server. The same server may claim it again.

    Raises NotFound for a port that is not there for the project, Conflict for one in use, BadRequest for
    one on a network with subnets that has no address.
    """
    standard.lock(session, Port, [port_id])
    port = session.get(Port, port_id, populate_existing=True)
    if port is None or port.project_id != project_id:
        raise refusals.missing("port", port_id)
    if port.server_id == server_id:
        return port
    is_taken = port.server_id or port.device_id or port.device_owner.startswith("network:")
    if is_taken or place_of(session, port_id):
        raise refusals.in_use(f"Port {port_id} is still in use.", "PortInUse")
    _check_address(session, port)
    port.server_id = port.device_id = server_id
    port.device_owner = device_owner
    port.nic_index = next_nic(session, server_id)
    port.nic_tag = tag
    port.status = "DOWN"
    standard.touch(port)
    session.flush()
    return port


def bind(session: Session, server_id: str, host: str) -> None:
    """All ports of a server are on ``host`` now; they are DOWN until the host says otherwise."""
    place(session, _ids(session, server_id), host)


def bind_port(session: Session, port_id: str, host: str) -> None:
    """One port is on ``host`` now."""
    place(session, [port_id], host)


def unbind(session: Session, server_id: str) -> None:
    """The server's ports are on no host any more; they stay its ports."""
    place(session, _ids(session, server_id), "")


def release(session: Session, server_id: str) -> None:
    """The server goes: ports made for it are deleted, given ones are set free."""
    for port_id in _ids(session, server_id):
        release_port(session, port_id)


def release_port(session: Session, port_id: str) -> None:
    """One port leaves its server. Nothing happens if it is gone already."""
    port = session.get(Port, port_id, populate_existing=True)
    if port is None:
        return
    if port.is_created_by_server:
        ports_delete.remove(session, port)
        return
    place(session, [port.id], "")
    ports_delete.tell_groups(session, port.id)
    outbox.changed(session, "port", port.id)
    port.server_id, port.device_id, port.device_owner = None, "", ""
    port.status, port.nic_tag, port.nic_index = "DOWN", None, 0
    standard.touch(port)
    session.flush()


def is_wired(session: Session, server_id: str) -> bool:
    """Whether every port of the server that is switched on is in the switch of its host."""
    statement = select(Port.id).where(Port.server_id == server_id, Port.is_admin_up, Port.status != "ACTIVE")
    return session.scalar(statement.limit(1)) is None


def networks_for_boot(session: Session, project_id: str) -> list[str]:
    """Networks that a server may be put on when its creator names none, the project's own first."""
    statement = (
        select(Network.id)
        .where(
            (Network.project_id == project_id) | rbac.granted(Network.id, project_id),
            ~Network.is_external,
            select(Subnet.id).where(Subnet.network_id == Network.id).exists(),
        )
        .order_by(Network.project_id != project_id, Network.created_at, Network.id)
    )
    return list(session.scalars(statement))


def resolve_groups(session: Session, project_id: str, names_or_ids: Iterable[str]) -> list[str]:
    """Ids of groups that a project may use from names or ids. Raises BadRequest for unknown and ambiguous ones.

    Naming the default group makes it, if the project (which is locked) has none yet.
    """
    wanted = list(dict.fromkeys(names_or_ids))
    if DEFAULT_NAME in wanted:
        default.ensure(session, project_id)
    rows = session.execute(
        select(SecurityGroup.id, SecurityGroup.name).where(
            (SecurityGroup.project_id == project_id) | rbac.granted(SecurityGroup.id, project_id),
            SecurityGroup.id.in_(wanted) | SecurityGroup.name.in_(wanted),
        )
    ).all()
    return [_one_group([(row.id, row.name) for row in rows], text) for text in wanted]


def _one_group(rows: Sequence[tuple[str, str]], text: str) -> str:
    by_id = [group_id for group_id, _ in rows if group_id == text]
    found = by_id or [group_id for group_id, name in rows if name == text]
    if not found:
        raise BadRequest(f"Security group {text} not found.", kind="SecurityGroupNotFound")
    if len(found) > 1:
        raise BadRequest(
            f"Multiple security groups found matching '{text}'. Use an ID to be more specific.",
            kind="NoUniqueMatch",
        )
    return found[0]


def security_group_names(session: Session, server_ids: Sequence[str]) -> dict[str, list[str]]:
    """Names of the groups that the ports of each server are in, each once."""
    statement = (
        select(Port.server_id, SecurityGroup.name)
        .join(PortGroup, PortGroup.port_id == Port.id)
        .join(SecurityGroup, SecurityGroup.id == PortGroup.group_id)
        .where(Port.server_id.in_(server_ids))
        .distinct()
        .order_by(SecurityGroup.name)
    )
    found: dict[str, list[str]] = {server_id: [] for server_id in server_ids}
    for server_id, name in session.execute(statement):
        found[server_id].append(name)
    return found


def security_group_ids(session: Session, server_id: str) -> list[str]:
    """Ids of the groups that the ports of a server are in."""
    statement = select(PortGroup.group_id).join(Port, Port.id == PortGroup.port_id)
    return list(session.scalars(statement.where(Port.server_id == server_id).distinct()))


def _ids(session: Session, server_id: str) -> list[str]:
    return list(session.scalars(select(Port.id).where(Port.server_id == server_id).order_by(Port.nic_index)))


def _check_address(session: Session, port: Port) -> None:
    has = select(PortAddress.port_id).where(PortAddress.port_id == port.id)
    subnets = select(Subnet.id).where(Subnet.network_id == port.network_id)
    if session.scalar(has.limit(1)) is None and session.scalar(subnets.limit(1)) is not None:
        raise refusals.invalid(
            f"Port {port.id} requires a FixedIP in order to be used.", "PortRequiresFixedIP"
        )
