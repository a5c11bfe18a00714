"""The verbs during which harm is done: what each needs, how it is asked for, and where it must end."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.up import places
from tests.faults.cloud import Cloud

_ranges = itertools.count(1)


@dataclass
class Site:
    """What the cases have in common, made when first needed and again when a case used it up."""

    cloud: Cloud
    name: str
    server: str = ""
    volume: str = ""
    left: list[Callable[[], object]] = field(default_factory=list)

    def guest(self) -> str:
        """A server whose guest has booted, so that it lets go of disks."""
        if not self.server or self.cloud.server_state(self.server) != "ACTIVE":
            if self.server:
                remove(self.cloud, self.server)
            self.server = self.cloud.boot(self.name)
            self.cloud.until(lambda: self.cloud.server_state(self.server) == "ACTIVE", "the guest")
            self.cloud.until(lambda: has_booted(self.cloud, self.server), "its boot")
        return self.server

    def disk(self, is_attached: bool) -> str:
        """A volume in the guest, or beside it."""
        cloud, server = self.cloud, self.guest()
        self.volume = self.volume or cloud.make_volume(self.name)
        wanted = "in-use" if is_attached else "available"
        if cloud.volume_state(self.volume) != wanted:
            (cloud.attach if is_attached else cloud.detach)(server, self.volume)
            cloud.until(lambda: cloud.volume_state(self.volume) == wanted, f"the volume {wanted}")
        return self.volume

    def clear(self) -> None:
        """Everything goes."""
        if self.server:
            remove(self.cloud, self.server)
        if self.volume:
            self.cloud.until(lambda: self.cloud.volume_state(self.volume) == "available", "a free volume")
            self.cloud.sdk.block_storage.delete_volume(self.volume)
            self.cloud.until(lambda: self.cloud.volume_state(self.volume) == "gone", "no volume")


def has_booted(cloud: Cloud, server_id: str) -> bool:
    """Whether the guest's console says so."""
    text = cloud.sdk.compute.get_server_console_output(server_id)
    return " login:" in (text["output"] if isinstance(text, dict) else str(text))


def remove(cloud: Cloud, server_id: str) -> None:
    """Deletes a server to its end."""
    cloud.delete(server_id)
    cloud.until(lambda: cloud.server_state(server_id) == "gone", "the server's going")


def boot(site: Site, harm: Callable[[], None]) -> float:
    """A server on a network that no host has yet, from an image that is not on the host."""
    cloud, network = site.cloud, make_network(site)
    for path in (places.STATE / "images").glob(f"{cloud.image}.json"):
        path.unlink()
    harm()
    server = cloud.boot(f"{site.name}-boot", network)
    seconds = cloud.until(lambda: cloud.server_state(server) in ("ACTIVE", "ERROR"), "the server")
    state, fault = cloud.server_state(server), cloud.fault(server)
    site.left += [lambda: remove(cloud, server), lambda: cloud.sdk.network.delete_network(network)]
    assert state == "ACTIVE" or fault, "ERROR without a reason"
    assert state == "ACTIVE", fault
    return seconds


def delete(site: Site, harm: Callable[[], None]) -> float:
    """A server that is alone on its network."""
    cloud, network = site.cloud, make_network(site)
    server = cloud.boot(f"{site.name}-delete", network)
    cloud.until(lambda: cloud.server_state(server) == "ACTIVE", "the server")
    harm()
    cloud.delete(server)
    seconds = cloud.until(lambda: cloud.server_state(server) in ("gone", "ERROR"), "its going")
    site.left.append(lambda: cloud.sdk.network.delete_network(network))
    assert cloud.server_state(server) == "gone", cloud.fault(server)
    return seconds


def attach(site: Site, harm: Callable[[], None]) -> float:
    """A volume into a guest."""
    cloud, volume, server = site.cloud, site.disk(is_attached=False), site.guest()
    harm()
    cloud.attach(server, volume)
    return cloud.until(lambda: cloud.volume_state(volume) == "in-use", "the volume in use")


def detach(site: Site, harm: Callable[[], None]) -> float:
    """A volume out of a guest."""
    cloud, volume, server = site.cloud, site.disk(is_attached=True), site.guest()
    harm()
    cloud.detach(server, volume)
    return cloud.until(lambda: cloud.volume_state(volume) == "available", "the volume free")


def make_network(site: Site) -> str:
    """A network with a subnet; its id."""
    made = site.cloud.sdk.network.create_network(name=site.name)
    cidr = f"10.{100 + next(_ranges) % 100}.0.0/24"
    site.cloud.sdk.network.create_subnet(network_id=made.id, ip_version=4, cidr=cidr, name=site.name)
    return str(made.id)


def tidy(site: Site) -> None:
    """Takes away what the verb left, now that it was looked at."""
    while site.left:
        site.left.pop(0)()


VERBS = {"boot": boot, "delete": delete, "attach": attach, "detach": detach}
