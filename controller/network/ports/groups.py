"""Which security groups ports are in; those of a server's ports are changed all at once."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network.ports.model import Port, PortGroup


def groups_of(session: Session, port_ids: Sequence[str]) -> dict[str, list[str]]:
    """Security groups by port."""
    found: dict[str, list[str]] = {}
    statement = (
        select(PortGroup.port_id, PortGroup.group_id)
        .where(PortGroup.port_id.in_(port_ids))
        .order_by(PortGroup.group_id)
    )
    for port_id, group_id in session.execute(statement):
        found.setdefault(port_id, []).append(group_id)
    return found


def change_group(session: Session, server_id: str, group_id: str, is_added: bool) -> bool:
    """Puts every port of the server into the group, or takes them out; whether any port changed."""
    statement = select(Port.id).where(Port.server_id == server_id, Port.is_port_security)
    ports = set(session.scalars(statement))
    members = set(
        session.scalars(
            select(PortGroup.port_id).where(PortGroup.group_id == group_id, PortGroup.port_id.in_(ports))
        )
    )
    touched = ports - members if is_added else members
    if is_added:
        session.add_all(PortGroup(port_id=port_id, group_id=group_id) for port_id in touched)
    else:
        session.execute(
            delete(PortGroup).where(PortGroup.group_id == group_id, PortGroup.port_id.in_(touched))
        )
    session.flush()
    outbox.changed(session, "port", *sorted(touched))
    outbox.changed(session, "security_group", *([group_id] if touched else []))
    return bool(touched) or is_added
