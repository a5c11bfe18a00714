"""Changing a port."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import refusals, standard
from controller.network.floating_ips.model import FloatingIp
from controller.network.networks.model import Network
from controller.network.port_forwardings.delete import delete_of_port
from controller.network.ports import check, dhcp_options, dns, ipam, mac
from controller.network.ports.create import locked_subnets
from controller.network.ports.model import GIVEN_ADDRESS_OWNERS, Port, PortAddress, PortGroup
from controller.network.ports.place import place
from controller.network.qos import attach
from controller.network.trunks.model import children
from controller.web.caller import Caller


def update(session: Session, caller: Caller, port: Port, values: dict[str, Any]) -> None:
    """Writes the change. Raises BadRequest, Forbidden, NotFound, Conflict."""
    standard.lock(session, Network, [port.network_id])
    subnets = locked_subnets(session, port.network_id) if "fixed_ips" in values else ()
    standard.lock_row(session, port, "port")
    _check_device(caller, port, values)
    if not caller.is_admin:
        network = session.get_one(Network, port.network_id)
        check.owners_choice(network, port.project_id, _changed(port, values))
    attach.check(session, caller, values.get("qos_policy_id", port.qos_policy_id), port.qos_policy_id)
    _mac(session, port, values)
    fixed_ips = values.pop("fixed_ips", _ABSENT)
    if fixed_ips is not _ABSENT:
        replace_addresses(session, port, subnets, fixed_ips or ())
    touched_groups = _security(session, caller, port, values)
    _bind(session, port, values)
    _dhcp_options(port, values)
    for name, value in values.items():
        setattr(port, name, value)
    if {"dns_name", "dns_domain"} & set(values):
        dns.check(port, session.get_one(Network, port.network_id))
    standard.touch(port)
    session.flush()
    outbox.changed(session, "port", port.id)
    outbox.changed(session, "security_group", *touched_groups)


_ABSENT: Any = object()


def _check_device(caller: Caller, port: Port, values: dict[str, Any]) -> None:
    owner, device = values.get("device_owner"), values.get("device_id")
    if owner is not None and owner != port.device_owner:
        check.device_owner(owner, caller.is_admin)
    is_changed = any(
        values.get(n, getattr(port, n)) != getattr(port, n) for n in ("device_id", "device_owner")
    )
    holder = f"server {port.server_id}" if port.server_id else f"router {port.router_id}"
    if (port.server_id or port.router_id) and is_changed:
        raise refusals.in_use(
            f"Port {port.id} is in use by {holder}: detach it from there instead.", "PortInUse"
        )
    if port.device_owner.startswith("network:") and not caller.is_admin and (owner or device):
        raise refusals.disallowed("update_port:device_owner", "the port is the cloud's own.")


def _changed(port: Port, values: dict[str, Any]) -> dict[str, Any]:
    """What is asked for and differs from what is."""
    return {n: v for n, v in values.items() if n == "fixed_ips" or getattr(port, n, _ABSENT) != v}


def _mac(session: Session, port: Port, values: dict[str, Any]) -> None:
    if "mac_address" not in values:
        return
    wanted = mac.normal(values.pop("mac_address"))
    if wanted == port.mac_address:
        return
    if port.binding_host:
        raise refusals.in_use(
            f"Unable to complete operation on port {port.id}, port is already bound.", "PortBound"
        )
    port.mac_address = mac.checked(session, port.network_id, wanted)


def replace_addresses(
    session: Session, port: Port, subnets: Sequence[Any], wanted: Sequence[dict[str, str]]
) -> None:
    """Keeps the addresses that are asked for again, gives back the others, then gives the new ones.

    The port's network and its ``subnets`` are locked. Raises BadRequest, Conflict.
    """
    check.fixed_ips(wanted)
    if port.router_id and not wanted:
        raise refusals.bad("port", "Router port must have at least one fixed IP")
    has = session.scalars(
        select(PortAddress).where(PortAddress.port_id == port.id).order_by(PortAddress.ordinal)
    ).all()
    kept, asked = _matched(has, wanted)
    going = [held for held in has if held not in kept]
    _check_no_floating_ip(session, port, going)
    standard.lock(session, Port, [port.id] if going else [])
    delete_of_port(session, port.id, kept=[held.ip_address for held in kept])
    for held in going:
        session.delete(held)
    session.flush()
    for one in asked:
        ipam.give(session, port, subnets, one)
    removed = {held.subnet_id for held in going}
    if port.device_owner not in GIVEN_ADDRESS_OWNERS:
        ipam.give_auto_addresses(session, port, [s for s in subnets if s.id not in removed])


def _check_no_floating_ip(session: Session, port: Port, going: Sequence[PortAddress]) -> None:
    texts = [held.ip_address for held in going]
    statement = select(FloatingIp.id).where(
        FloatingIp.port_id == port.id, FloatingIp.fixed_ip_address.in_(texts)
    )
    if texts and session.scalar(statement.limit(1)):
        raise refusals.bad(
            "port",
            f"Cannot update the fixed_ips of the port {port.id}, because its original fixed_ip has been "
            "associated to a floating ip",
        )


def _matched(
    has: Sequence[PortAddress], wanted: Sequence[dict[str, str]]
) -> tuple[list[PortAddress], list[dict[str, str]]]:
    """Which rows stay, and which wishes need a new address: by address first, then by subnet."""
    kept: list[PortAddress] = []
    asked: list[dict[str, str]] = []
    for one in sorted(wanted, key=lambda w: "ip_address" not in w):
        held = next((h for h in has if h not in kept and _fits(h, one)), None)
        if held is None:
            asked.append(one)
        else:
            kept.append(held)
    return kept, asked


def _fits(held: PortAddress, wanted: dict[str, str]) -> bool:
    if wanted.get("subnet_id", held.subnet_id) != held.subnet_id:
        return False
    text = wanted.get("ip_address")
    if text is None:
        return "subnet_id" in wanted
    try:
        return str(ipaddress.ip_address(text)) == held.ip_address
    except ValueError:
        return False


def _security(session: Session, caller: Caller, port: Port, values: dict[str, Any]) -> set[str]:
    """Groups, pairs and port security; returns the groups that lost or gained the port."""
    if values.get("allowed_address_pairs", _ABSENT) is not _ABSENT:
        pairs = values["allowed_address_pairs"] or ()
        values["allowed_address_pairs"] = check.address_pairs(pairs, port.mac_address)
    before = set(session.scalars(select(PortGroup.group_id).where(PortGroup.port_id == port.id)))
    after = before
    given = values.pop("security_group_ids", _ABSENT)
    if given is not _ABSENT:
        after = set(check.groups(session, port.project_id, given or (), caller.is_admin))
    is_secure = values.get("is_port_security", port.is_port_security)
    pairs = values.get("allowed_address_pairs", port.allowed_address_pairs)
    check.security(is_secure, pairs, sorted(after))
    if before - after:
        session.execute(
            delete(PortGroup).where(PortGroup.port_id == port.id, PortGroup.group_id.in_(before - after))
        )
    if after - before:
        session.execute(
            insert(PortGroup), [{"port_id": port.id, "group_id": g} for g in sorted(after - before)]
        )
    return before ^ after


def _bind(session: Session, port: Port, values: dict[str, Any]) -> None:
    for name, empty in (("binding_host", ""), ("binding_profile", {})):
        if name in values and values[name] is None:
            values[name] = empty
    if values.get("binding_host", port.binding_host) != port.binding_host:
        values["status"] = "DOWN"
        place(session, children(session, [port.id]), values["binding_host"])


def _dhcp_options(port: Port, values: dict[str, Any]) -> None:
    if "extra_dhcp_opts" in values:
        values["extra_dhcp_opts"] = dhcp_options.changed(port.extra_dhcp_opts, values["extra_dhcp_opts"])
