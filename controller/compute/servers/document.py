"""Rows → documents of a server: what nova-compute makes of it, and what metadata and config drive tell.

Fields are filled from the row by name; named here are those that are computed.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract import server as contract
from contract.document import Document, Key
from contract.instance_data import InstanceData, PublicKey
from controller.compute.servers.model import Server
from controller.db.host_documents import Dependents, DocumentKind, filled
from controller.network.ports import server as server_ports
from controller.operations.model import LIVE, Operation
from controller.volume.attachments import server as server_volumes

#: Which operation asks for which imperative.
_IMPERATIVES = {"server.reboot_soft": "reboot_soft", "server.reboot_hard": "reboot_hard"}


def hosts(session: Session, server_id: str) -> set[str]:
    """The host that the server was given to, unless it is to go from there."""
    row = session.execute(
        select(Server.host, Server.leaving_host).where(Server.id == server_id, ~Server.is_deleted)
    ).one_or_none()
    return {row.host} if row is not None and row.host and row.leaving_host is None else set()


def render(session: Session, _host: str, server_id: str) -> Document | None:
    """The server's document."""
    row = session.get(Server, server_id, populate_existing=True)
    if row is None or row.is_deleted:
        return None
    return filled(
        contract.Server,
        row,
        flavor=filled(contract.Flavor, row),
        power=row.power_wanted,
        image=row.boot_image,
        disks=sorted(server_volumes.disks(session, row.id), key=lambda disk: disk.device),
        interfaces=_interfaces(session, row),
        config_drive=instance_data(session, row) if row.is_config_drive else None,
        imperatives=_imperatives(session, row),
    )


def render_instance_data(session: Session, _host: str, server_id: str) -> Document | None:
    """What the guest is told of itself."""
    row = session.get(Server, server_id, populate_existing=True)
    return None if row is None or row.is_deleted else instance_data(session, row)


def instance_data(session: Session, row: Server) -> InstanceData:
    """What the guest is told of itself."""
    keys = (
        (PublicKey(name=row.key_name, type=row.key_type or "ssh", data=row.key_data),)
        if (row.key_name and row.key_data)
        else ()
    )
    return filled(
        InstanceData,
        row,
        availability_zone=row.availability_zone or "nova",
        instance_type=row.flavor_name,
        public_keys=keys,
        metadata=row.meta,
        nics=server_ports.instance_nics(session, row.id),
        security_groups=server_ports.security_group_names(session, [row.id]).get(row.id, ()),
    )


def _interfaces(session: Session, row: Server) -> tuple[contract.Interface, ...]:
    ports = server_ports.of_servers(session, [row.id]).get(row.id, ())
    return tuple(filled(contract.Interface, port) for port in ports if port.port_id not in row.unplugging)


def _imperatives(session: Session, row: Server) -> tuple[contract.Imperative, ...]:
    live = session.execute(
        select(Operation.id, Operation.kind)
        .where(
            Operation.subject == f"server:{row.id}",
            Operation.kind.in_(_IMPERATIVES),
            Operation.state.in_(LIVE),
            Operation.direction == "do",
        )
        .order_by(Operation.id)
    )
    return tuple(
        contract.Imperative(operation_id=i, kind=_IMPERATIVES[kind])  # type: ignore[arg-type]
        for i, kind in live
    )


def dependents(_session: Session, server_id: str) -> set[Key]:
    """A server's row is in both documents."""
    return {Key("server", server_id), Key("instance_data", server_id)}


DOCUMENTS: dict[str, DocumentKind] = {
    "server": DocumentKind(hosts, render),
    "instance_data": DocumentKind(hosts, render_instance_data),
}
DEPENDENTS: dict[str, Dependents] = {
    "server": dependents,
    # what the network tells a server's metadata of: an address that changed
    "instance_data": lambda _session, server_id: {Key("instance_data", server_id)},
}
