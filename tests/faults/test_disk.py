"""Full disks of a host: what cannot be made ends in ERROR with that reason, and leaves no half of itself;
an agent that cannot even note what it was told waits for room."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from contract import topics
from controller.db import agents
from controller.volume.volumes.model import Volume
from lab.up import places, supervisor
from tests.faults import choice, truth, verbs
from tests.faults.cloud import Cloud
from tests.faults.small_disk import SmallDisk, moved, small
from tests.faults.verbs import Site

Record = Callable[[str, object], None]

#: Less than the guest image needs.
_TOO_LITTLE_MIB = 4


def test_no_room_for_the_image_of_a_server(cloud: Cloud, site: Site, record_property: Record) -> None:
    record_property("group", "a host's disk full")
    record_property("case", "(boot)")
    with small(places.STATE / "images", 64) as disk:
        disk.fill(but_mib=_TOO_LITTLE_MIB)
        refused = cloud.boot(f"{site.name}-refused")
        cloud.until(lambda: cloud.server_state(refused) == "ERROR", "the refusal")
        assert "The disk of the host is full" in cloud.fault(refused)
        assert not disk.files(), "a part of the image was left"
        disk.give_room()
        taken = cloud.boot(f"{site.name}-taken")
        seconds = cloud.until(lambda: cloud.server_state(taken) == "ACTIVE", "a server with room")
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        for server in (refused, taken):
            verbs.remove(cloud, server)
    truth.holds(cloud)


@choice.full_set_only
def test_no_room_for_a_volume_from_an_image(cloud: Cloud, site: Site, record_property: Record) -> None:
    """The room is gone when the host was chosen already."""
    record_property("group", "a host's disk full")
    record_property("case", "(volume from an image)")
    point = "volume.fill.before"
    with small(places.STATE / "volumes", 1100) as disk:
        cloud.until(lambda: _free_gib(cloud) == 1, "the host's word on its free room")
        cloud.plan(f"{point} stop")

        def amid() -> None:
            cloud.until_held(point)
            disk.fill(but_mib=_TOO_LITTLE_MIB)
            cloud.go_on()

        with verbs.beside(amid):
            refused = cloud.ask_volume(f"{site.name}-refused", image_id=cloud.image)
        cloud.until(lambda: cloud.volume_state(refused) == "error", "the refusal")
        assert "The storage of this host is full" in _fault(cloud, refused)
        truth.holds(cloud)
        assert not disk.files(), "a part of the volume was left"
        disk.give_room()
        cloud.until(lambda: _free_gib(cloud) == 1, "the host's word on its free room")
        taken = cloud.ask_volume(f"{site.name}-taken", image_id=cloud.image)
        seconds = cloud.until(lambda: cloud.volume_state(taken) == "available", "a volume with room")
        record_property("recovery_s", round(seconds, 1))
        for volume in (refused, taken):
            verbs.remove_volume(cloud, volume)
    truth.holds(cloud)


@choice.full_set_only
@pytest.mark.parametrize(
    ("agent", "verb"),
    [(topics.NOVA_COMPUTE, "boot"), (topics.OVS_AGENT, "boot"), (topics.VOLUME_AGENT, "attach")],
)
def test_no_room_for_what_an_agent_is_told(
    cloud: Cloud, site: Site, agent: str, verb: str, record_property: Record
) -> None:
    record_property("group", "a host's disk full")
    record_property("case", f"({verb}, {agent} cannot write its ledger)")
    if verb == "attach":
        site.disk(is_attached=False)
    with _on_small_disk(cloud.process_of(agent), places.STATE / agent) as disk:
        cloud.until(cloud.all_are_heard, f"{agent} anew")
        truth.holds(cloud)
        log = cloud.log(agent)

        def amid() -> None:
            cloud.until(lambda: log.has("disk is full"), f"{agent}'s trouble")
            disk.give_room()

        with verbs.tidied(site):
            record_property("recovery_s", round(verbs.VERBS[verb](site, disk.fill, amid), 1))
            truth.holds(cloud)
        truth.holds(cloud)
    truth.holds(cloud)


@contextlib.contextmanager
def _on_small_disk(program: str, path: pathlib.Path) -> Iterator[SmallDisk]:
    """A directory of a program on a small disk; it does not run while that is moved."""
    supervisor.stop_programs([program])
    try:
        with moved(path, 16) as disk:
            supervisor.start_programs([program])
            try:
                yield disk
            finally:
                supervisor.stop_programs([program])
    finally:
        supervisor.start_programs([program])


def _free_gib(cloud: Cloud) -> int:
    with cloud.db.read() as session:
        (row,) = agents.of_kind(session, topics.VOLUME_AGENT)
        return int(row.capabilities.get("free_gib", 0))


def _fault(cloud: Cloud, volume_id: str) -> str:
    with cloud.db.read() as session:
        return session.scalars(select(Volume.fault).where(Volume.id == volume_id)).one() or ""
