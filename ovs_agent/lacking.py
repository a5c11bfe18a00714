"""What this host lacks of its networks and routers, for the doctor: what would be done if they were looked at now."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from contract.calls import Finding
from contract.network import Network
from contract.router import Router
from ovs_agent import plan
from ovs_agent.desired import Desired
from ovs_agent.host import dnsmasq, netns, nft, ofctl, ovsdb
from ovs_agent.namespaces import names
from ovs_agent.routers import Routers
from ovs_agent.services import Services

_TROUBLE = (OSError, ValueError, ofctl.SwitchError, ovsdb.OvsdbError, netns.NamespaceError, nft.NftError)
Thing = TypeVar("Thing", Network, Router)


def findings(desired: Desired, services: Services, routers: Routers) -> Iterable[Finding]:
    """One for each network and router that is not as its document says."""
    for network in desired.networks():
        yield from _lacking(network, names.namespace(network.id), services.lacking)
    for router in desired.routers():
        yield from _lacking(router, names.router_namespace(router.id), routers.lacking)


def _lacking(thing: Thing, place: str, look: Callable[[Thing], tuple[plan.Action, ...]]) -> Iterable[Finding]:
    try:
        told = ", ".join(dict.fromkeys(type(action).__name__ for action in look(thing)))
        lacks = f"to be done: {told}" if told else ""
    except (*_TROUBLE, dnsmasq.DnsmasqError) as error:
        lacks = f"it cannot be looked at: {error}"
    if lacks:
        yield Finding(kind=thing.KIND, id=thing.id, place=place, is_known=True, lacks=lacks)
