"""Which ports a new server gets: read from the body, then made or claimed in the same transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from controller.compute.servers.model import Server
from controller.network import refusals
from controller.network.ports import server as server_ports
from controller.network.ports.create import NewPort
from controller.network.ports.create import create as create_port
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, OverQuota


@dataclass(frozen=True, kw_only=True)
class NicPlan:
    """One NIC: an existing port, or a new one on a network."""

    port_id: str | None = None
    network_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


@dataclass(frozen=True)
class NetworkPlan:
    """All NICs in order, and the groups that new ports join (None: the project's default group)."""

    nics: list[NicPlan]
    group_ids: tuple[str, ...] | None


DEVICE_OWNER = "compute:nova"


def resolve(session: Session, caller: Caller, values: dict[str, Any]) -> NetworkPlan:
    """Reads ``networks`` and ``security_groups``, both taken out of ``values``.

    Raises BadRequest, and Conflict where the choice of a network would be a guess.
    """
    wanted, groups = values.pop("networks", None), values.pop("security_groups", None)
    if groups is not None and any("name" not in g for g in groups):
        raise BadRequest("Each security group must have a name.")
    group_ids = None
    if groups:
        names = list(dict.fromkeys(g["name"] for g in groups))
        group_ids = tuple(server_ports.resolve_groups(session, caller.own_project, names))
    if wanted == "none":
        return NetworkPlan([], group_ids)
    if wanted in (None, "auto") or wanted == []:
        return NetworkPlan(_automatic(session, caller, wanted), group_ids)
    return NetworkPlan([_nic(given) for given in wanted], group_ids)


def attach(session: Session, caller: Caller, server: Server, plan: NetworkPlan) -> None:
    """Makes or claims the ports of ``server``."""
    for nic in plan.nics:
        plug(session, caller, server, nic, plan.group_ids)


def plug(
    session: Session, caller: Caller, server: Server, nic: NicPlan, group_ids: tuple[str, ...] | None
) -> str:
    """Makes or claims one port for a server; returns its id.

    Raises OverQuota: a project that may have no more ports is 409 in network, but 403 in compute.
    """
    if nic.port_id:
        return server_ports.claim(
            session, server.project_id, nic.port_id, server.id, DEVICE_OWNER, nic.tag
        ).id
    new = NewPort(
        network_id=nic.network_id or "",
        fixed_ips=({"ip_address": nic.fixed_ip},) if nic.fixed_ip else (),
        security_group_ids=group_ids,
        device_id=server.id,
        device_owner=DEVICE_OWNER,
        dns_name=server.hostname or "",
        tag=nic.tag,
        created_by_server=True,
    )
    try:
        return create_port(session, server.project_id, new, is_admin=caller.is_admin).id
    except refusals.OverQuota as error:
        raise OverQuota(f"Maximum number of ports exceeded. {error.message}") from None


def _automatic(session: Session, caller: Caller, wanted: str | list[Any] | None) -> list[NicPlan]:
    """The project's only network; none at all is fine unless one was asked for."""
    found = server_ports.networks_for_boot(session, caller.own_project)
    if len(found) > 1:
        raise Conflict("Multiple possible networks found, use a Network ID to be more specific.")
    if not found and wanted == "auto":
        raise BadRequest(
            "Unable to automatically allocate a network for project "
            f"{caller.own_project}: create one and name it."
        )
    return [NicPlan(network_id=n) for n in found]


def _nic(given: dict[str, Any]) -> NicPlan:
    if not given.get("uuid") and not given.get("port"):
        raise BadRequest("Each of networks must have uuid or port.")
    if given.get("port") and given.get("fixed_ip"):
        raise BadRequest(
            f"Specified Fixed IP '{given['fixed_ip']}' cannot be used with port "
            f"'{given['port']}': the two cannot be specified together."
        )
    return NicPlan(
        port_id=given.get("port"),
        network_id=given.get("uuid"),
        fixed_ip=given.get("fixed_ip"),
        tag=given.get("tag"),
    )
