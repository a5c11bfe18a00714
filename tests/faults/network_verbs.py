"""The verbs of the network during which harm is done, as those of servers in ``verbs``.

Where each must end is seen from this machine, which is on the external network, and in the router's namespace.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from controller.db.host_documents import HostDocument
from controller.db.outbox import OutboxRow
from lab.contents import EXTERNAL
from ovs_agent.namespaces import names
from tests.faults import stand_in, verbs
from tests.faults.cloud import Cloud, run
from tests.faults.stand_in import StandIn, answers
from tests.faults.verbs import Act, Site, beside, new_name, nothing

ICMP = {"direction": "ingress", "ether_type": "IPv4", "protocol": "icmp"}


@dataclass
class Outlet(Site):
    """A network behind a router with two stand-ins for guests; one floating IP leads to the first."""

    network: Any = None
    subnet: Any = None
    router: Any = None
    opened: Any = None
    closed: Any = None
    first: StandIn | None = None
    second: StandIn | None = None
    floating: Any = None

    def make(self) -> None:
        """All of it; it is there when the floating IP answers."""
        sdk = self.cloud.sdk.network
        self.network, self.subnet = new_network(self)
        self.router = sdk.create_router(
            name=self.name, external_gateway_info={"network_id": sdk.find_network(EXTERNAL).id}
        )
        sdk.add_interface_to_router(self.router, subnet=self.subnet.id)
        self.opened, self.closed = (sdk.create_security_group(name=f"{self.name}-{n}") for n in "oc")
        sdk.create_security_group_rule(security_group_id=self.opened.id, **ICMP)
        hop = self.subnet.gateway_ip
        self.first, self.second = (
            stand_in.make(self.cloud, self.network.id, hop, self.opened.id) for _ in range(2)
        )
        self.floating = sdk.create_ip(floating_network_id=sdk.find_network(EXTERNAL).id)
        self.lead_to(self.first)

    def lead_to(self, guest: StandIn | None) -> None:
        """The floating IP leads there, and to nobody if None."""
        sdk, address = self.cloud.sdk.network, self.floating.floating_ip_address
        sdk.update_ip(self.floating, port_id=guest.port.id if guest else None)
        self.cloud.until(lambda: answers(address) is (guest is not None), "the floating IP")

    def clear(self) -> None:
        """Everything goes."""
        sdk = self.cloud.sdk.network
        sdk.delete_ip(self.floating)
        for guest in (self.first, self.second):
            if guest is not None:
                guest.remove()
        sdk.remove_interface_from_router(self.router, subnet=self.subnet.id)
        sdk.delete_router(self.router)
        sdk.delete_network(self.network)
        for group in (self.opened, self.closed):
            sdk.delete_security_group(group)


@contextlib.contextmanager
def outlet(cloud: Cloud, name: str) -> Iterator[Outlet]:
    """What the cases of a file share; all of it goes at the end."""
    made = Outlet(cloud, name)
    made.make()
    yield made
    made.clear()


def new_network(site: Site) -> tuple[Any, Any]:
    """A network and its subnet; whoever makes it takes it away."""
    sdk = site.cloud.sdk.network
    network = sdk.create_network(name=new_name(site))
    cidr = f"10.{verbs.next_number() % 100 + 100}.0.0/24"
    return network, sdk.create_subnet(network_id=network.id, ip_version=4, cidr=cidr)


def create(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with a gateway, which the outside reaches."""
    cloud, name = site.cloud, new_name(site)
    sdk = cloud.sdk.network
    external = sdk.find_network(EXTERNAL).id
    harm()
    with beside(amid):
        cloud.ask(lambda: sdk.create_router(name=name, external_gateway_info={"network_id": external}))
    site.left.append(lambda: sdk.delete_router(sdk.find_router(name)))
    return cloud.until(lambda: _gateway_answers(cloud, name), "the router's gateway")


def delete(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with a gateway goes."""
    cloud = site.cloud
    router = _router(site, has_gateway=True)
    settle(cloud)
    harm()
    with beside(amid):
        cloud.ask(lambda: cloud.sdk.network.delete_router(router))
    return cloud.until(lambda: not inside(router.id), "the end of its namespace")


def join(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with a gateway gets an interface."""
    cloud, router = site.cloud, _router(site, has_gateway=True)
    subnet = _network(site)
    settle(cloud)
    harm()
    with beside(amid):
        cloud.ask(lambda: cloud.sdk.network.add_interface_to_router(router, subnet=subnet.id))
    site.left.append(lambda: cloud.sdk.network.remove_interface_from_router(router, subnet=subnet.id))
    return cloud.until(lambda: f"{subnet.gateway_ip}/24" in inside(router.id), "the interface's address")


def leave(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with a gateway loses an interface."""
    cloud, router = site.cloud, _router(site, has_gateway=True)
    subnet, address = _network(site), ""
    cloud.sdk.network.add_interface_to_router(router, subnet=subnet.id)
    address = f"{subnet.gateway_ip}/24"
    cloud.until(lambda: address in inside(router.id), "the interface's address")
    settle(cloud)
    harm()
    with beside(amid):
        cloud.ask(lambda: cloud.sdk.network.remove_interface_from_router(router, subnet=subnet.id))
    return cloud.until(lambda: address not in inside(router.id), "the interface's going")


def set_gateway(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with an interface gets a gateway."""
    cloud, router = site.cloud, _router(site, has_gateway=False)
    external = cloud.sdk.network.find_network(EXTERNAL).id
    settle(cloud)
    harm()
    with beside(amid):
        wanted = {"network_id": external}
        cloud.ask(lambda: cloud.sdk.network.update_router(router, external_gateway_info=wanted))
    return cloud.until(lambda: _gateway_answers(cloud, router.name), "the router's gateway")


def clear_gateway(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A router with a gateway loses it."""
    cloud, router = site.cloud, _router(site, has_gateway=True)
    subnet = _network(site)
    cloud.sdk.network.add_interface_to_router(router, subnet=subnet.id)
    site.left.append(lambda: cloud.sdk.network.remove_interface_from_router(router, subnet=subnet.id))
    address = _gateway_address(router)
    settle(cloud)
    harm()
    with beside(amid):
        cloud.ask(lambda: cloud.sdk.network.update_router(router, external_gateway_info={}))
    return cloud.until(lambda: f"{address}/" not in inside(router.id), "the gateway's going")


def associate(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A floating IP for a guest that had none."""
    site.lead_to(None)
    return _led(site, site.first, harm, amid)


def move(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A floating IP from one guest to another."""
    try:
        return _led(site, site.second, harm, amid)
    finally:
        site.left.append(lambda: site.lead_to(site.first))


def rule(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """A rule more in the group of a guest that nothing was let in to."""
    cloud = site.cloud
    _closed(site)
    harm()
    with beside(amid):
        cloud.ask(
            lambda: cloud.sdk.network.create_security_group_rule(security_group_id=site.closed.id, **ICMP)
        )
    site.left.append(lambda: _take_rule_away(site))
    return cloud.until(lambda: answers(site.floating.floating_ip_address), "what the rule lets in")


def port(site: Outlet, harm: Act, amid: Act = nothing) -> float:
    """Another group for the port of a guest that nothing was let in to."""
    cloud, guest = site.cloud, _closed(site)
    harm()
    with beside(amid):
        groups = [site.opened.id]
        cloud.ask(lambda: cloud.sdk.network.update_port(guest.port, security_groups=groups))
    return cloud.until(lambda: answers(site.floating.floating_ip_address), "what the group lets in")


VERBS: Mapping[str, Callable[..., float]] = {
    "router create": create,
    "router delete": delete,
    "interface add": join,
    "interface remove": leave,
    "gateway set": set_gateway,
    "gateway clear": clear_gateway,
    "floating IP associate": associate,
    "floating IP move": move,
    "rule change": rule,
    "port update": port,
}


def settle(cloud: Cloud) -> None:
    """Waits until every host has said that it has all that it should have, so that what comes is the verb's own."""

    def is_settled() -> bool:
        differs = HostDocument.reported_digest != HostDocument.digest
        with cloud.db.read() as session:
            return not session.scalar(select(OutboxRow.id).limit(1)) and not session.scalar(
                select(HostDocument.resource_id).where(differs).limit(1)
            )

    cloud.until(is_settled, "rest")


def inside(router_id: str) -> str:
    """The addresses in a router's namespace, one a line; empty without one."""
    namespace = names.router_namespace(router_id)
    shown = run("ip", "-n", namespace, "-o", "address")
    return shown.stdout if shown.returncode == 0 else ""


def _router(site: Site, has_gateway: bool) -> Any:
    """One of its own; with a gateway it is on its host, without it has an interface."""
    cloud, sdk = site.cloud, site.cloud.sdk.network
    given: dict[str, Any] = {}
    if has_gateway:
        given["external_gateway_info"] = {"network_id": sdk.find_network(EXTERNAL).id}
    router = sdk.create_router(name=new_name(site), **given)
    site.left.append(lambda: sdk.delete_router(router))
    if has_gateway:
        cloud.until(lambda: answers(_gateway_address(router)), "the router's gateway")
    else:
        subnet = _network(site)
        sdk.add_interface_to_router(router, subnet=subnet.id)
        site.left.append(lambda: sdk.remove_interface_from_router(router, subnet=subnet.id))
        cloud.until(lambda: subnet.gateway_ip in inside(router.id), "the interface's address")
    return router


def _network(site: Site) -> Any:
    """A subnet on a network of its own."""
    network, subnet = new_network(site)
    site.left.append(lambda: site.cloud.sdk.network.delete_network(network))
    return subnet


def _gateway_address(router: Any) -> str:
    return str(router.external_gateway_info["external_fixed_ips"][0]["ip_address"])


def _gateway_answers(cloud: Cloud, name: str) -> bool:
    found = cloud.look(lambda: cloud.sdk.network.find_router(name))
    return bool(found and found.external_gateway_info) and answers(_gateway_address(found))


def _led(site: Outlet, guest: StandIn | None, harm: Act, amid: Act) -> float:
    """The floating IP answers, and it is this guest that does."""
    assert guest is not None
    cloud, sdk = site.cloud, site.cloud.sdk.network
    before = guest.pings()
    settle(cloud)
    harm()
    with beside(amid):
        cloud.ask(lambda: sdk.update_ip(site.floating, port_id=guest.port.id))
    address = site.floating.floating_ip_address
    return cloud.until(lambda: answers(address) and guest.pings() > before, "the floating IP's guest")


def _closed(site: Outlet) -> StandIn:
    """The first guest, which lets nothing in by its group."""
    assert site.first is not None
    sdk, guest = site.cloud.sdk.network, site.first
    sdk.update_port(guest.port, security_groups=[site.closed.id])
    site.left.append(lambda: sdk.update_port(guest.port, security_groups=[site.opened.id]))
    site.cloud.until(lambda: not answers(site.floating.floating_ip_address), "the closed group")
    settle(site.cloud)
    return guest


def _take_rule_away(site: Outlet) -> None:
    sdk = site.cloud.sdk.network
    for found in sdk.security_group_rules(security_group_id=site.closed.id, direction="ingress"):
        sdk.delete_security_group_rule(found)
