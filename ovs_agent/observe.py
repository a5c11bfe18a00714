"""What is on this host now: taps, services, and everything that the doctor should hear of."""

import pathlib
from collections.abc import Iterable

from contract.calls import Finding
from contract.document import Key
from contract.network import Network
from contract.port import Port
from contract.router import Router
from ovs_agent import plan
from ovs_agent.desired import Desired
from ovs_agent.host import dnsmasq, links, netns, nft, routing
from ovs_agent.host.ovsdb import Interface, Ovsdb
from ovs_agent.metadata_server import MetadataServer
from ovs_agent.namespaces import names
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior
from ovs_agent.namespaces.router import legs
from ovs_agent.switch import Switch

_FILES = ("config", "hosts", "options", "names")


def port(ovsdb: Ovsdb, switch: Switch, desired: Desired, wanted: Port) -> plan.PortSeen:
    """A port's tap, or that of its parent, and its flows."""
    tap = _tap(ovsdb.tap(wanted.parent_port_id or wanted.id))
    return plan.PortSeen(tap, switch.ofport(wanted.id), switch.epoch, desired.highest_zone())


def service(
    ovsdb: Ovsdb, server: MetadataServer, directory: pathlib.Path, network_id: str, interior: Interior
) -> plan.ServiceSeen:
    """A network's namespace, DHCP and metadata."""
    plugged = ovsdb.service(network_id)
    has_link = links.exists(interior.outer)
    return plan.ServiceSeen(
        is_namespace=netns.exists(interior.namespace) and has_link,
        is_plugged=plugged is not None and plugged.name == interior.outer,
        files=files(directory),
        is_dnsmasq=dnsmasq.pid(directory) is not None,
        is_metadata=server.serves(network_id, interior),
    )


def router(ovsdb: Ovsdb, desired: Desired, router_id: str, directory: pathlib.Path) -> plan.RouterSeen:
    """A router's namespace and links; which are wired and announced is the caller's to say."""
    namespace = names.router_namespace(router_id)
    is_namespace = netns.exists(namespace)
    rows = {row.name for row in ovsdb.interfaces() if row.router_id == router_id}
    mtus = {name: links.mtu_if_up(name) for name in rows}
    return plan.RouterSeen(
        is_namespace=is_namespace,
        files=files(directory),
        is_dnsmasq=dnsmasq.pid(directory) is not None,
        inside=routing.look(namespace) if is_namespace else None,
        outer={name: mtu for name, mtu in mtus.items() if mtu is not None},
        plugged=frozenset(rows),
        nat=_nat(desired.note(Router.KIND, router_id), namespace) if is_namespace else "",
        wired=frozenset(),
        announced=frozenset(),
    )


def _nat(note: bytes | None, namespace: str) -> str:
    """The digest of the rules that were last applied, if nobody changed any since."""
    digest, _, generation = (note or b"").decode().partition(" ")
    return digest if generation and int(generation) == nft.generation(namespace) else ""


def findings(ovsdb: Ovsdb, desired: Desired) -> Iterable[Finding]:
    """Namespaces, their links, and taps of this host, with whether a document accounts for them."""
    yield from _router_findings(desired)
    networks = {network.id: network for network in desired.networks()}
    for name in netns.names():
        if name.startswith(names.PREFIX):
            network_id = name.removeprefix(names.PREFIX)
            yield Finding(kind="network", id=network_id, place=name, is_known=network_id in networks)
    outer = {
        names.outer(network.service_port.id): network.id
        for network in networks.values()
        if network.service_port
    }
    for name in links.names():
        if name.startswith(names.OUTER_PREFIX):
            yield Finding(kind="network", id=outer.get(name, ""), place=name, is_known=name in outer)
    for row in ovsdb.interfaces():
        if row.iface_id:
            known = desired.port(row.iface_id) is not None
            details = f"ofport {row.ofport}, wired {row.mark or 'never'}"
            yield Finding(kind="port", id=row.iface_id, place=row.name, is_known=known, details=details)


def _router_findings(desired: Desired) -> Iterable[Finding]:
    routers = desired.routers()
    known = {router.id for router in routers if router.is_admin_up}
    for name in netns.names():
        if name.startswith(names.ROUTER_PREFIX):
            router_id = name.removeprefix(names.ROUTER_PREFIX)
            yield Finding(kind="router", id=router_id, place=name, is_known=router_id in known)
    outer = {names.router_outer(leg.port_id): router.id for router in routers for leg in legs(router)}
    for name in links.names():
        if name.startswith(names.ROUTER_OUTER_PREFIX):
            yield Finding(kind="router", id=outer.get(name, ""), place=name, is_known=name in outer)


def changed_keys(before: Interface | None, after: Interface | None) -> list[Key]:
    """Whose business a changed row is. A mark of our own is nobody's."""
    if before is not None and after is not None and _essence(before) == _essence(after):
        return []
    keys = set()
    for row in (before, after):
        if row is not None and row.iface_id:
            keys.add(Key("port", row.iface_id))
        if row is not None and row.network_id:
            keys.add(Key("network", row.network_id))
        if row is not None and row.router_id:
            keys.add(Key("router", row.router_id))
    return sorted(keys)


def keys_of(namespaces: Iterable[str]) -> list[Key]:
    """Whose namespaces these are; those of others are nobody's."""
    kinds = {names.PREFIX: Network.KIND, names.ROUTER_PREFIX: Router.KIND}
    return sorted(
        Key(kind, name.removeprefix(prefix))
        for name in namespaces
        for prefix, kind in kinds.items()
        if name.startswith(prefix)
    )


def _essence(row: Interface) -> tuple[object, ...]:
    """A link of ours that somebody took away keeps its ofport; a guest's tap is its maker's."""
    link = row.ifindex if row.network_id or row.router_id else 0
    return row.name, row.ofport, row.iface_id, row.network_id, row.router_id, link


def _tap(row: Interface | None) -> plan.Tap | None:
    return plan.Tap(row.name, row.ofport, row.mark) if row is not None and row.ofport is not None else None


def files(directory: pathlib.Path) -> Files | None:
    """The DHCP files of a network as they are on disk; None unless all are there."""
    try:
        return Files(*((directory / name).read_text() for name in _FILES))
    except OSError:
        return None
