"""Making, changing and deleting trunks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import collection, limits, refusals, standard
from controller.network.ports.kind import KIND as PORTS
from controller.network.ports.model import Port
from controller.network.tags import model as tags
from controller.network.trunks import subports
from controller.network.trunks.model import SubPort, Trunk
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Trunk:
    """A new trunk with its first subports. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "trunk")
    asked: Sequence[dict[str, Any]] = values.pop("sub_ports")
    standard.lock(session, Port, [values["port_id"]])
    parent: Port = collection.find(session, PORTS, caller, values["port_id"])
    _check_parent(session, parent)
    trunk = Trunk(**values, revision_number=1)
    session.add(trunk)
    session.flush()
    subports.add(session, caller, trunk, asked)
    return trunk


def update(session: Session, trunk: Trunk, values: dict[str, Any]) -> None:
    """Writes the change."""
    _lock(session, trunk)
    for name, value in values.items():
        setattr(trunk, name, value)
    standard.touch(trunk)


def delete(session: Session, trunk: Trunk) -> None:
    """Removes a trunk; its subports are free then. Raises Conflict while it is switched off."""
    _lock(session, trunk)
    _check_managed(trunk)
    _dissolve(session, trunk)


def let_go(session: Session, port_id: str) -> None:
    """A port goes, whatever it is in a trunk: as subport it leaves, as parent it takes the trunk along."""
    subport = session.get(SubPort, port_id)
    if subport is not None:
        subports.remove(session, session.get_one(Trunk, subport.trunk_id), [port_id])
    trunk = session.scalar(select(Trunk).where(Trunk.port_id == port_id))
    if trunk is not None:
        _dissolve(session, trunk)


def _dissolve(session: Session, trunk: Trunk) -> None:
    held = session.scalars(select(SubPort.port_id).where(SubPort.trunk_id == trunk.id)).all()
    subports.remove(session, trunk, held)
    session.delete(trunk)
    session.flush()
    tags.forget(session, trunk.id)


def add_subports(session: Session, caller: Caller, trunk: Trunk, asked: Sequence[dict[str, Any]]) -> None:
    """Takes ports in. Raises BadRequest, NotFound, Conflict."""
    _lock(session, trunk)
    _check_managed(trunk)
    subports.add(session, caller, trunk, asked)
    standard.touch(trunk)


def remove_subports(session: Session, trunk: Trunk, asked: Sequence[dict[str, Any]]) -> None:
    """Takes ports out. Raises NotFound, Conflict."""
    _lock(session, trunk)
    _check_managed(trunk)
    subports.remove(session, trunk, [one["port_id"] for one in asked])
    standard.touch(trunk)


def _lock(session: Session, trunk: Trunk) -> None:
    standard.lock_row(session, trunk, "trunk")


def _check_managed(trunk: Trunk) -> None:
    if not trunk.is_admin_up:
        raise refusals.in_use(f"Trunk {trunk.id} is currently disabled.", "TrunkDisabled")


def _check_parent(session: Session, port: Port) -> None:
    if session.get(SubPort, port.id) is not None:
        raise refusals.in_use(f"Port {port.id} is in use by another trunk.", "TrunkPortInUse")
    is_taken = session.scalar(select(Trunk.id).where(Trunk.port_id == port.id)) is not None
    if is_taken or port.router_id or port.device_owner.startswith("network:"):
        raise refusals.in_use(
            f"Port {port.id} is currently in use and is not eligible for use as a parent port.",
            "ParentPortInUse",
        )
