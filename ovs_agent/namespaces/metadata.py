"""Network → what its namespace holds: one link with the service's MAC and addresses, and metadata's."""

import ipaddress

import msgspec

from contract.network import Network
from ovs_agent.flows import addresses
from ovs_agent.namespaces import names

IPV4 = "169.254.169.254"
IPV6 = "fe80::a9fe:a9fe"


class Interior(msgspec.Struct, frozen=True):
    """A namespace and its one link. ``addresses`` are with prefix length."""

    namespace: str
    outer: str
    inner: str
    mac_address: str
    mtu: int
    addresses: tuple[str, ...]


def interior(network: Network) -> Interior | None:
    """What the namespace should hold; None for a network without service port.

    Raises ValueError for addresses that are none.
    """
    service = network.service_port
    if service is None:
        return None
    given = {str(ipaddress.ip_interface(text)) for text in service.addresses}
    hardware = addresses.mac(service.mac_address)
    own = {f"{IPV4}/32", f"{IPV6}/64", f"{addresses.link_local(hardware)}/64"}
    return Interior(
        namespace=names.namespace(network.id),
        outer=names.outer(service.id),
        inner=names.inner(service.id),
        mac_address=hardware,
        mtu=network.mtu,
        addresses=tuple(sorted(given | own)),
    )
