"""The database's disk full, in the cloud whose database is a file: what cannot be noted is refused, and says so."""

import contextlib
import shutil
from collections.abc import Callable, Iterator

import openstack
import pytest

from contract.topics import NOVA_COMPUTE
from lab.up import places
from tests.faults import choice, database, host, truth, verbs
from tests.faults.cases import ENGINE
from tests.faults.cloud import Cloud
from tests.faults.small_disk import SmallDisk, small
from tests.faults.verbs import Site
from tests.faults.witness import Witness

pytestmark = choice.needs(choice.SQLITE)
Record = Callable[[str, object], None]

_DISK_MIB = 16
_HELD_AT = "operation.server.boot.place.before"


@choice.full_set_only
def test_no_room_for_the_database(
    cloud: Cloud, site: Site, onlooker: Witness, record_property: Record
) -> None:
    """One server is just about to be placed, others are asked for while nothing can be written."""
    record_property("group", "the database's disk full")
    record_property("case", "(boot)")
    log = cloud.log(ENGINE)
    with _on_small_disk(cloud) as disk:
        cloud.until(cloud.all_are_heard, "the cloud on another disk")
        truth.holds(cloud)
        before, process = host.seen(), onlooker.process()

        def amid() -> None:
            cloud.until_held(_HELD_AT)
            disk.fill()
            cloud.go_on()

        cloud.plan(f"{_HELD_AT} stop")
        with verbs.beside(amid):
            server = cloud.boot(f"{site.name}-begun")
        cloud.until(lambda: log.has("step place of") and log.has("disk is full"), "its word")
        _is_refused(cloud, f"{site.name}-refused")
        cloud.until(lambda: not cloud.is_heard(NOVA_COMPUTE), "heartbeats that cannot be noted")
        _is_refused(cloud, f"{site.name}-refused")
        onlooker.goes_on()
        assert host.seen() == before, "something on the host was changed"

        disk.give_room()
        seconds = cloud.until(lambda: cloud.server_state(server) == "ACTIVE", "the server that was begun")
        record_property("recovery_s", round(seconds, 1))
        verbs.remove(cloud, server)
        truth.holds(cloud)
        _left_nothing(cloud, f"{site.name}-refused")
        verbs.boot(site, verbs.nothing)
        verbs.tidy(site)
        truth.holds(cloud)
    truth.holds(cloud)
    onlooker.goes_on()
    assert onlooker.process() == process, "the guest that looked on was ended"
    assert not log.has("Traceback")


def _is_refused(cloud: Cloud, name: str) -> None:
    """Each service says why; what is looked at is shown."""
    sdk = cloud.sdk
    asked: list[Callable[[], object]] = [
        lambda: sdk.network.create_network(name=name),
        lambda: sdk.block_storage.create_volume(name=name, size=1),
        lambda: sdk.compute.create_server(
            name=name, image_id=cloud.image, flavor_id=cloud.flavor, networks=[{"uuid": cloud.network}]
        ),
        lambda: sdk.image.create_image(name, disk_format="raw", container_format="bare"),
        lambda: sdk.identity.create_project(name=name),
    ]
    for ask in asked:
        with pytest.raises(openstack.exceptions.HttpException) as refusal:
            ask()
        assert refusal.value.status_code == 507, refusal.value
        assert "disk is full: free space" in str(refusal.value)
    _left_nothing(cloud, name)


def _left_nothing(cloud: Cloud, name: str) -> None:
    sdk = cloud.sdk
    there = [
        *sdk.network.networks(name=name),
        *sdk.block_storage.volumes(name=name),
        *sdk.compute.servers(name=f"^{name}$"),
        *sdk.image.images(name=name),
        *sdk.identity.projects(name=name),
    ]
    assert not there


@contextlib.contextmanager
def _on_small_disk(cloud: Cloud) -> Iterator[SmallDisk]:
    """The database is on a disk of its own, where a link leads to."""
    place = places.STATE / "small"
    place.mkdir(exist_ok=True)
    with small(place, _DISK_MIB) as disk:
        with database.controller_stopped(cloud):
            for part in database.parts(database.FILE):
                shutil.move(part, place)
            database.FILE.symlink_to(place / database.FILE.name)
        try:
            yield disk
        finally:
            cloud.go_on()
            disk.give_room()
            with database.controller_stopped(cloud):
                database.FILE.unlink()
                for part in database.parts(place / database.FILE.name):
                    shutil.move(part, places.STATE)
            cloud.until(cloud.all_are_heard, "the cloud on its own disk")
    place.rmdir()
