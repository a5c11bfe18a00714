"""The verbs during which harm is done: what each needs, how it is asked for, and where it must end.

``harm`` is called when all is ready; ``amid`` runs beside the verb's request, which a process that is stopped does not
answer. What a verb returns is how long it took from then on until it was where it must end.
"""

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field

from lab.up import places
from tests.faults.cloud import Cloud

_numbers = itertools.count(1)
Act = Callable[[], object]


@dataclass
class Site:
    """What the cases have in common, made when first needed and again when a case used it up."""

    cloud: Cloud
    name: str
    server: str = ""
    volume: str = ""
    left: list[Act] = field(default_factory=list)

    def guest(self) -> str:
        """A server whose guest has booted, so that it lets go of disks."""
        if not self.server or self.cloud.server_state(self.server) != "ACTIVE":
            if self.server:
                remove(self.cloud, self.server)
            self.server = active(self.cloud, self.name)
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
            remove_volume(self.cloud, self.volume)


@contextlib.contextmanager
def site(cloud: Cloud) -> Iterator[Site]:
    """What the cases of a file share; all of it goes at the end."""
    made = Site(cloud, f"faults-{uuid.uuid4().hex[:6]}")
    yield made
    made.clear()


@contextlib.contextmanager
def tidied(site: Site) -> Iterator[None]:
    """However a case ends, nothing is stopped any more, no fault point fires, and what its verb left is gone."""
    try:
        yield
    finally:
        site.cloud.unplan()
        site.cloud.go_on()
        site.cloud.until(site.cloud.all_are_heard, "all that run")
        tidy(site)


@contextlib.contextmanager
def beside(act: Act) -> Iterator[None]:
    """``act`` happens meanwhile, and to its end."""
    with futures.ThreadPoolExecutor(1) as thread:
        done = thread.submit(act)
        yield
        done.result()


def nothing() -> None:
    """No harm, or none yet."""


def active(cloud: Cloud, name: str) -> str:
    """A server that runs; its id."""
    server = cloud.boot(name)
    cloud.until(lambda: cloud.server_state(server) == "ACTIVE", name)
    return server


def has_booted(cloud: Cloud, server_id: str) -> bool:
    """Whether the guest's console says so."""
    text = cloud.sdk.compute.get_server_console_output(server_id)
    return " login:" in (text["output"] if isinstance(text, dict) else str(text))


def remove(cloud: Cloud, server_id: str) -> None:
    """Deletes a server to its end."""
    cloud.delete(server_id)
    cloud.until(lambda: cloud.server_state(server_id) == "gone", "the server's going")


def remove_volume(cloud: Cloud, volume_id: str) -> None:
    """Deletes a volume to its end, when it is free."""
    cloud.until(lambda: cloud.volume_state(volume_id) in ("available", "error"), "a free volume")
    cloud.sdk.block_storage.delete_volume(volume_id)
    cloud.until(lambda: cloud.volume_state(volume_id) == "gone", "the volume's going")


def boot(site: Site, harm: Act, amid: Act = nothing) -> float:
    """A server on a network that no host has yet, from an image that is not on the host."""
    cloud = site.cloud
    network, group = make_network(site), make_group(site)
    for path in (places.STATE / "images").glob(f"{cloud.image}.json"):
        path.unlink()
    harm()
    with beside(amid):
        server = cloud.boot(new_name(site), network, security_groups=[{"name": group}])
        site.left.append(lambda: remove(cloud, server))
    state, seconds = _ended(cloud, server, "ACTIVE")
    assert state == "ACTIVE", cloud.fault(server) or "ERROR without a reason"
    return seconds


def delete(site: Site, harm: Act, amid: Act = nothing) -> float:
    """A server that is alone on its network and in its security group."""
    cloud = site.cloud
    network, group = make_network(site), make_group(site)
    server = cloud.boot(new_name(site), network, security_groups=[{"name": group}])
    cloud.until(lambda: cloud.server_state(server) == "ACTIVE", "the server")
    harm()
    with beside(amid):
        cloud.delete(server)
    state, seconds = _ended(cloud, server, "gone")
    assert state == "gone", cloud.fault(server) or "ERROR without a reason"
    return seconds


def attach(site: Site, harm: Act, amid: Act = nothing) -> float:
    """A volume into a guest."""
    cloud, volume, server = site.cloud, site.disk(is_attached=False), site.guest()
    harm()
    with beside(amid):
        cloud.attach(server, volume)
    return cloud.until(lambda: cloud.volume_state(volume) == "in-use", "the volume in use")


def detach(site: Site, harm: Act, amid: Act = nothing) -> float:
    """A volume out of a guest."""
    cloud, volume, server = site.cloud, site.disk(is_attached=True), site.guest()
    harm()
    with beside(amid):
        cloud.detach(server, volume)
    return cloud.until(lambda: cloud.volume_state(volume) == "available", "the volume free")


def _ended(cloud: Cloud, server_id: str, goal: str) -> tuple[str, float]:
    """The goal or ERROR, whichever a server came to, and in how many seconds."""
    seen: list[str] = []

    def has_ended() -> bool:
        seen.append(cloud.server_state(server_id))
        return seen[-1] in (goal, "ERROR")

    seconds = cloud.until(has_ended, f"the server {goal}")
    return seen[-1], seconds


def make_network(site: Site) -> str:
    """A network with a subnet; its id."""
    made = site.cloud.sdk.network.create_network(name=site.name)
    cidr = f"10.{100 + next_number() % 100}.0.0/24"
    site.cloud.sdk.network.create_subnet(network_id=made.id, ip_version=4, cidr=cidr, name=site.name)
    site.left.append(lambda: site.cloud.sdk.network.delete_network(made))
    return str(made.id)


def make_group(site: Site) -> str:
    """A security group; its name."""
    name = new_name(site)
    made = site.cloud.sdk.network.create_security_group(name=name)
    site.left.append(lambda: site.cloud.sdk.network.delete_security_group(made))
    return name


def new_name(site: Site) -> str:
    """A name that nothing had before."""
    return f"{site.name}-{next_number()}"


def next_number() -> int:
    """One that was not given before."""
    return next(_numbers)


def tidy(site: Site) -> None:
    """Takes away what the verb left, the last first."""
    while site.left:
        site.left.pop()()


VERBS = {"boot": boot, "delete": delete, "attach": attach, "detach": detach}
