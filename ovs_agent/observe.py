"""What is on this host now: taps, services, and everything that the doctor should hear of."""

import pathlib
from collections.abc import Iterable

from contract.calls import Finding
from contract.document import Key
from ovs_agent import plan
from ovs_agent.desired import Desired
from ovs_agent.host import dnsmasq, links, netns
from ovs_agent.host.ovsdb import Interface, Ovsdb
from ovs_agent.metadata_server import MetadataServer
from ovs_agent.namespaces import names
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior
from ovs_agent.switch import Switch

_FILES = ("config", "hosts", "options", "names")


def port(ovsdb: Ovsdb, switch: Switch, desired: Desired, port_id: str) -> plan.PortSeen:
    """A port's tap and flows."""
    tap = _tap(ovsdb.tap(port_id))
    return plan.PortSeen(tap, switch.ofport(port_id), switch.epoch, desired.highest_zone())


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


def findings(ovsdb: Ovsdb, desired: Desired) -> Iterable[Finding]:
    """Namespaces, service links and taps of this host, with whether a document accounts for them."""
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
    return sorted(keys)


def _essence(row: Interface) -> tuple[object, ...]:
    return row.name, row.ofport, row.iface_id, row.network_id


def _tap(row: Interface | None) -> plan.Tap | None:
    return plan.Tap(row.name, row.ofport, row.mark) if row is not None and row.ofport is not None else None


def files(directory: pathlib.Path) -> Files | None:
    """The DHCP files of a network as they are on disk; None unless all are there."""
    try:
        return Files(*((directory / name).read_text() for name in _FILES))
    except OSError:
        return None
