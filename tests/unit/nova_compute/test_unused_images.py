"""What goes from the image cache and when; and that nothing goes that anything stands on."""

import os
import pathlib
import subprocess
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from oslo_config import cfg

from contract.document import Envelope
from contract.server import Server
from nova_compute import options, unused_images
from nova_compute.host.libvirt import UnreachableError
from nova_compute.images import ImageBusyError, ImageCache
from nova_compute.unused_images import UnusedImages, Users
from runtime.reconcile.ledger import Ledger

OLD, NEW = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"
SERVER = "33333333-aaaa-4bbb-8ccc-000000000003"
DAY_S = 86400.0


class Domains:
    """Stands for the hypervisor: definitions, or no libvirtd."""

    def __init__(self) -> None:
        self.xml: list[str] = []
        self.is_away = False

    def domains(self) -> list[Any]:
        if self.is_away:
            raise UnreachableError("away")
        return [types.SimpleNamespace(definition=xml, live=None) for xml in self.xml]


class Host:
    """An image cache with one image unused for two days and one just used, and what may stand on them."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.images, self.servers = directory / "images", directory / "servers"
        self.images.mkdir()
        self.servers.mkdir()
        self.ledger = Ledger(directory / "ledger.db")
        self.domains = Domains()
        self.cache = ImageCache(self.images, self._fetch, lambda _: None)
        for image_id, age_s in ((OLD, 2 * DAY_S), (NEW, 0.0)):
            self.cache.make_plain_ready((image_id, "sha"), SERVER)
            self.age(image_id, age_s)
        self.unused = self.begin()

    def begin(self, **changed: Any) -> UnusedImages:
        """As the agent begins."""
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf([], default_config_files=[])
        for name, value in changed.items():
            conf.set_override(name, value, group=options.IMAGE_CACHE_GROUP)
        users = Users(self.ledger, self.domains, self.servers)  # type: ignore[arg-type]
        return UnusedImages(self.cache, users, conf)

    def age(self, image_id: str, age_s: float) -> None:
        """Makes its last use so many seconds old."""
        then = time.time() - age_s
        os.utime(self.images / f"{image_id}.json", (then, then))

    def has(self) -> set[str]:
        return {path.name for path in self.images.iterdir()}

    def store(self, revision: int, body: bytes) -> None:
        self.ledger.store(
            Envelope(
                kind=Server.KIND, id=SERVER, version=99, digest=str(revision), revision=revision, body=body
            )
        )

    @staticmethod
    def _fetch(_image: tuple[str, str], target: pathlib.Path) -> None:
        target.write_bytes(bytes(1 << 16))


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.ledger.close()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


BOTH = {OLD, f"{OLD}.json", NEW, f"{NEW}.json"}
YOUNG = {NEW, f"{NEW}.json"}


def by_document(host: Host) -> None:
    """Of a newer controller, in words that this agent does not know."""
    host.store(1, f'{{"disks_of": ["{OLD}"]}}'.encode())


def by_overlay(host: Host) -> None:
    """Of a server that no document and no domain names."""
    home = host.servers / SERVER
    home.mkdir()
    base = ["-F", "raw", "-b", str(host.images / OLD)]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *base, str(home / "disk")], check=True)


def by_domain(host: Host) -> None:
    """As its kernel."""
    host.domains.xml = [f"<domain><os><kernel>{host.images / OLD}</kernel></os></domain>"]


def unknown_for_libvirt(host: Host) -> None:
    host.domains.is_away = True


def unknown_for_an_overlay(host: Host) -> None:
    (host.servers / SERVER).mkdir()
    (host.servers / SERVER / "disk").write_bytes(b"what is this?")


def test_what_is_unused_long_enough_goes(host: Host) -> None:
    next_s = host.unused.look()
    assert host.has() == YOUNG
    assert next_s == pytest.approx(DAY_S, abs=60)
    host.age(NEW, DAY_S)
    assert host.unused.look() is None
    assert host.has() == set()


@pytest.mark.parametrize(
    "used", [by_document, by_overlay, by_domain, unknown_for_libvirt, unknown_for_an_overlay]
)
def test_what_may_be_stood_on_stays(host: Host, used: Callable[[Host], None]) -> None:
    used(host)
    host.unused.look()
    host.unused.make_room(1 << 62)
    assert {OLD, f"{OLD}.json"} <= host.has()


def test_it_is_asked_again_when_it_could_not_be_known(host: Host) -> None:
    host.domains.is_away = True
    assert host.unused.look() == unused_images._AGAIN_S
    host.domains.is_away = False
    host.unused.look()
    assert host.has() == YOUNG


def test_the_time_counts_from_the_last_use(host: Host) -> None:
    by_document(host)
    host.unused.look()
    host.age(OLD, 2 * DAY_S)
    host.store(2, b"{}")
    assert host.unused.look() == pytest.approx(DAY_S, abs=60)
    assert host.has() == BOTH
    host.age(OLD, DAY_S)
    host.unused.look()
    assert host.has() == YOUNG


def test_all_that_is_unused_makes_room(host: Host) -> None:
    host.unused.make_room(1)
    assert host.has() == BOTH
    host.unused.make_room(1 << 62)
    assert host.has() == set()


def test_room_is_made_before_an_image_is_streamed(make: Any, tmp_path: pathlib.Path) -> None:
    asked: list[int] = []

    def fetch(_image: Any, _target: pathlib.Path) -> None:
        assert asked == [12345]
        raise OSError("no more of this test")

    cache = ImageCache(tmp_path, fetch, lambda _: None, asked.append)
    with pytest.raises(OSError, match="no more"):
        cache.make_ready(make.image(size_bytes=12345), 1, SERVER)


def test_nothing_goes_where_it_was_switched_off(host: Host) -> None:
    host.unused = host.begin(remove_unused_base_images=False)
    assert host.unused.look() is None
    host.unused.make_room(1 << 62)
    assert host.has() == BOTH


def test_an_image_that_a_server_is_made_of_now_stays(host: Host) -> None:
    """Its document came after the look at documents, and its overlay is not there yet."""

    def overlays() -> set[str]:
        by_document(host)
        return set()

    host.unused._users.paths = overlays  # type: ignore[method-assign]
    host.unused.look()
    assert host.has() == BOTH


def test_one_that_is_being_made_ready_is_left_alone(host: Host) -> None:
    host.cache._enter(OLD, SERVER)
    host.unused.look()
    with pytest.raises(ImageBusyError):
        host.cache.drop(OLD, unless=lambda _: False)
    assert host.has() == BOTH


def test_it_is_looked_at_when_a_server_left(host: Host) -> None:
    by_document(host)
    host.unused = host.begin(remove_unused_original_minimum_age_seconds=0.0)
    host.age(NEW, -60.0)  # not due in this test
    host.unused.start()
    until(lambda: host.cache.ages()[OLD] < DAY_S)  # it was looked at, and found to be used
    host.store(2, b"{}")
    host.unused.wake()
    until(lambda: f"{OLD}.json" not in host.has() and OLD not in host.has())
    host.unused.stop()
    assert host.has() == YOUNG
