"""Subports join a trunk and leave it: while they are in it, they are where its parent is."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, refusals, standard
from controller.network.networks.model import Network
from controller.network.ports.kind import KIND as PORTS
from controller.network.ports.model import Port
from controller.network.ports.place import place
from controller.network.trunks.model import SubPort, Trunk
from controller.web.caller import Caller

#: Owner of ports that are in a trunk.
OWNER = "trunk:subport"

Asked = Sequence[dict[str, Any]]


def add(session: Session, caller: Caller, trunk: Trunk, asked: Asked) -> None:
    """Takes ports into a trunk, which is locked. Raises BadRequest, NotFound, Conflict."""
    _check_distinct(asked)
    standard.lock(session, Port, [trunk.port_id, *(one["port_id"] for one in asked)])
    parent = session.get_one(Port, trunk.port_id, populate_existing=True)
    mtu = session.get_one(Network, parent.network_id).mtu
    for one in asked:
        port: Port = collection.find(session, PORTS, caller, one["port_id"])
        session.refresh(port)
        network = session.get_one(Network, port.network_id)
        segmentation_id = _segmentation_id(one, network)
        _check_port(session, trunk, port)
        _check_mtu(trunk, port, network.mtu, mtu)
        _check_free(session, trunk, segmentation_id)
        session.add(SubPort(port_id=port.id, trunk_id=trunk.id, segmentation_id=segmentation_id))
        port.device_owner = OWNER
        session.flush()
        place(session, [port.id], parent.binding_host)


def remove(session: Session, trunk: Trunk, port_ids: Sequence[str]) -> None:
    """Takes ports out of a trunk, which is locked; they are on no host then. Raises NotFound."""
    standard.lock(session, Port, [trunk.port_id, *port_ids])
    for port_id in port_ids:
        subport = session.get(SubPort, port_id, populate_existing=True)
        if subport is None or subport.trunk_id != trunk.id:
            raise refusals.absent(
                f"SubPort {port_id} on trunk {trunk.id} could not be found.", "SubPortNotFound"
            )
        session.delete(subport)
        session.get_one(Port, port_id, populate_existing=True).device_owner = ""
        session.flush()
        place(session, [port_id], "")


def _check_distinct(asked: Asked) -> None:
    ids = [one["port_id"] for one in asked]
    if len(set(ids)) != len(ids):
        raise refusals.invalid("Invalid input for operation: Non unique UUID for subport.")
    tags = [one["segmentation_id"] for one in asked if one.get("segmentation_id") is not None]
    if len({int(tag) for tag in tags}) != len(tags):
        raise refusals.invalid("Invalid input for operation: Segmentation ID is not unique.")


def _segmentation_id(one: dict[str, Any], network: Network) -> int:
    """The tag that is asked for, or that of the port's network."""
    if one.get("segmentation_type") == "inherit":
        if network.network_type != "vlan" or network.segmentation_id is None:
            raise refusals.invalid(
                f"Invalid input for operation: Unknown segmentation_type '{network.network_type}': name a tag."
            )
        return network.segmentation_id
    if "segmentation_type" not in one or one.get("segmentation_id") is None:
        raise refusals.invalid(
            "Invalid input for operation: Invalid subport details: missing segmentation information. "
            "Must specify both segmentation_id and segmentation_type."
        )
    return int(one["segmentation_id"])


def _check_port(session: Session, trunk: Trunk, port: Port) -> None:
    if port.id == trunk.port_id or session.scalar(select(Trunk.id).where(Trunk.port_id == port.id)):
        raise refusals.in_use(
            f"Port {port.id} is currently in use and is not eligible for use as a parent port.",
            "ParentPortInUse",
        )
    if session.get(SubPort, port.id) is not None:
        raise refusals.in_use(f"Port {port.id} is in use by another trunk.", "TrunkPortInUse")
    if port.device_id or port.server_id or port.router_id or port.binding_host:
        raise refusals.in_use(
            f"Unable to complete operation on port {port.id} for network {port.network_id}. "
            f"Port already has an attached device {port.device_id}.",
            "PortInUse",
        )


def _check_mtu(trunk: Trunk, port: Port, mtu: int, most: int) -> None:
    if mtu > most:
        raise refusals.in_use(
            f"MTU {mtu} of subport {port.id} cannot be greater than MTU {most} of trunk {trunk.port_id}.",
            "SubPortMtuGreaterThanTrunkPortMtu",
        )


def _check_free(session: Session, trunk: Trunk, segmentation_id: int) -> None:
    statement = select(SubPort.port_id).where(
        SubPort.trunk_id == trunk.id, SubPort.segmentation_id == segmentation_id
    )
    if session.scalar(statement) is not None:
        raise refusals.in_use(
            f"segmentation_type vlan and segmentation_id {segmentation_id} already in use on trunk {trunk.id}.",
            "DuplicateSubPort",
        )
