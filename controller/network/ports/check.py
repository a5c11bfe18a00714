"""What may be said of a port, by whom: rules shared by create and update.

All raise BadRequest, Forbidden, NotFound or Conflict with neutron's type of error.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from controller.network import options, refusals, standard
from controller.network.networks.model import Network
from controller.network.ports import mac
from controller.network.rbac import model as rbac
from controller.network.security_groups.model import SecurityGroup

#: What only the network's owner may choose: on a shared network these would take what is others'.
OWNERS_CHOICE = ("mac_address", "is_port_security", "allowed_address_pairs")


def device_owner(owner: str, is_admin: bool) -> None:
    """Owners that begin with "network:" are the cloud's own devices."""
    if owner.startswith("network:") and not is_admin:
        raise refusals.disallowed("create_port:device_owner", f"{owner} is for the cloud's own devices.")


def owners_choice(network: Network, project_id: str, given: dict[str, Any]) -> None:
    """Refuses what only the network's owner may choose. Admins are not asked."""
    if network.project_id == project_id:
        return
    for name in OWNERS_CHOICE:
        if given.get(name) is not None:
            raise refusals.disallowed(f"create_port:{name}", "the network belongs to another project.")
    if any(one.get("ip_address") for one in given.get("fixed_ips") or ()):
        raise refusals.disallowed(
            "create_port:fixed_ips:ip_address", "the network belongs to another project."
        )


def fixed_ips(wanted: Sequence[dict[str, str]]) -> None:
    """Not too many, none twice."""
    if len(wanted) > options.settings().max_fixed_ips:
        raise refusals.invalid("Exceeded maximum amount of fixed ips per port.")
    texts = [one["ip_address"] for one in wanted if one.get("ip_address")]
    if len(set(texts)) != len(texts):
        raise refusals.malformed("Invalid input for fixed_ips. Reason: Duplicate IP address.")


def address_pairs(given: Sequence[dict[str, str]], own_mac: str) -> list[dict[str, str]]:
    """Pairs as rows have them: each with a MAC, prefixes in their usual writing."""
    if len(given) > options.settings().max_address_pairs:
        raise refusals.invalid("Exceeded the number of allowed address pairs.", "AddressPairsExhausted")
    found = []
    for pair in given:
        try:
            interface = ipaddress.ip_interface(pair["ip_address"])
        except ValueError:
            raise refusals.malformed(
                f"Invalid input for allowed_address_pairs. '{pair['ip_address']}' is no IP or subnet."
            ) from None
        if getattr(interface, "scope_id", None):
            raise refusals.malformed("Invalid input for allowed_address_pairs: an address with a zone.")
        text = str(interface.network) if "/" in pair["ip_address"] else str(interface.ip)
        mac_address = mac.normal(pair["mac_address"]) if pair.get("mac_address") else own_mac
        found.append({"ip_address": text, "mac_address": mac_address})
    if len({(p["ip_address"], p["mac_address"]) for p in found}) != len(found):
        raise refusals.invalid("Request contains duplicate address pair.", "DuplicateAddressPairInRequest")
    return found


def security(is_port_security: bool, pairs: Sequence[Any], group_ids: Sequence[str]) -> None:
    """Pairs and groups are obeyed by port security alone."""
    if is_port_security:
        return
    if pairs:
        raise refusals.in_use(
            "Port Security must be enabled in order to have allowed address pairs on a port.",
            "AddressPairAndPortSecurityRequired",
        )
    if group_ids:
        raise refusals.invalid(
            "Port security must be enabled in order to use security groups.",
            "PortSecurityAndIPRequiredForSecurityGroups",
        )


def groups(session: Session, project_id: str, group_ids: Sequence[str], is_admin: bool) -> tuple[str, ...]:
    """Existing groups that the port's project may use, each once; nobody deletes them or ends the access meanwhile."""
    wanted = tuple(dict.fromkeys(group_ids))
    standard.lock(session, SecurityGroup, wanted)
    rows = session.execute(
        select(SecurityGroup.id, SecurityGroup.is_stateful).where(
            SecurityGroup.id.in_(wanted),
            true()
            if is_admin
            else (SecurityGroup.project_id == project_id) | rbac.granted(SecurityGroup.id, project_id),
        )
    ).all()
    known = {row.id for row in rows}
    for group_id in wanted:
        if group_id not in known:
            raise refusals.missing("security group", group_id)
    if len({row.is_stateful for row in rows}) > 1:
        raise refusals.in_use(
            "A port may be in stateful or in stateless security groups, not in both at the same time.",
            "SecurityGroupConflict",
        )
    return wanted
