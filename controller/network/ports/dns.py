"""Names of ports: in the domain of the port, of its network, or of the cloud, whichever is said first.

Every host of a network serves the names of its ports (``contract/dns.py`` says which).
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract import dns
from controller.network import options, refusals
from controller.network.networks.model import Network


def domain_of_network(network: Any) -> str:
    """What its guests are told."""
    return network.dns_domain or _default()


def own_domain(port: Any, network: Any) -> str:
    """The port's own domain. On a network of another project it is only shown: whoever shares a network must not name
    what its other guests look up."""
    return port.dns_domain if port.project_id == network.project_id else ""


def check(port: Any, network: Network) -> None:
    """Refuses a name that cannot be in the port's domain. Raises BadRequest."""
    domain = own_domain(port, network) or domain_of_network(network)
    if not port.dns_name or dns.is_within(port.dns_name, domain):
        return
    raise refusals.malformed(
        f"Invalid input for dns_name. Reason: {port.dns_name} is no name in the domain {domain or '.'}: if it ends "
        f"with a dot it ends with the domain, and both together have {dns.MOST} characters at most."
    )


def domains(session: Session, ports: Iterable[Any]) -> dict[str, str]:
    """The domain of each port, by its id."""
    rows = list(ports)
    networks = {
        network.id: network
        for network in session.execute(
            select(Network.id, Network.project_id, Network.dns_domain).where(
                Network.id.in_({row.network_id for row in rows})
            )
        )
    }
    found = {}
    for row in rows:
        network = networks[row.network_id]
        found[row.id] = own_domain(row, network) or domain_of_network(network)
    return found


def _default() -> str:
    text = str(options.settings().dns_domain).strip(".").lower()
    return f"{text}." if text else ""
