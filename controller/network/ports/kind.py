"""What is special about ports in lists and look-ups."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from controller.network.collection import Kind, Params, Related
from controller.network.networks.model import network_policies
from controller.network.ports import dns
from controller.network.ports.fields import PORT
from controller.network.ports.groups import groups_of
from controller.network.ports.model import Port, PortAddress, PortGroup
from controller.network.tags import model as tags
from controller.network.trunks.kind import details


def _related(session: Session, rows: Sequence[Any]) -> Related:
    ids = [row.id for row in rows]
    fixed_ips: dict[str, list[dict[str, str]]] = {}
    statement = (
        select(PortAddress.port_id, PortAddress.subnet_id, PortAddress.ip_address)
        .where(PortAddress.port_id.in_(ids))
        .order_by(PortAddress.ordinal)
    )
    for port_id, subnet_id, ip_address in session.execute(statement):
        fixed_ips.setdefault(port_id, []).append({"subnet_id": subnet_id, "ip_address": ip_address})
    return {
        "fixed_ips": fixed_ips,
        "network_policies": network_policies(session, {row.network_id for row in rows}),
        "trunks": details(session, ids),
        "groups": groups_of(session, ids),
        "tags": tags.of(session, ids),
        "domains": dns.domains(session, rows),
    }


def _refine(statement: Select[Any], params: Params) -> Select[Any]:
    """Narrows by ``fixed_ips=ip_address=…`` and the like, and by security_groups."""
    wanted: dict[str, list[str]] = {}
    for text in params.get("fixed_ips", []):
        name, _, value = text.partition("=")
        wanted.setdefault(name, []).append(value)
    having = select(PortAddress.port_id)
    if "ip_address" in wanted:
        statement = statement.where(
            Port.id.in_(having.where(PortAddress.ip_address.in_([_normal(t) for t in wanted["ip_address"]])))
        )
    if "subnet_id" in wanted:
        statement = statement.where(Port.id.in_(having.where(PortAddress.subnet_id.in_(wanted["subnet_id"]))))
    for part in wanted.get("ip_address_substr", []):
        statement = statement.where(
            Port.id.in_(having.where(PortAddress.ip_address.contains(part, autoescape=True)))
        )
    groups = [g for text in params.get("security_groups", []) for g in text.split(",")]
    if groups:
        statement = statement.where(
            Port.id.in_(select(PortGroup.port_id).where(PortGroup.group_id.in_(groups)))
        )
    return statement


def _normal(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


KIND = Kind(name="port", fields=PORT, model=Port, related=_related, refine=_refine)
