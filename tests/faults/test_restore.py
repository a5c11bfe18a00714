"""A database that knows less than the hosts: an older copy, and a new one. Nothing on a host may be destroyed."""

import contextlib
import pathlib
import socket
from collections.abc import Callable, Iterator

from lab.up import places, supervisor
from tests.faults import choice, database, frozen, host, truth, verbs
from tests.faults.cloud import Cloud, doctor, output_of
from tests.faults.verbs import Site
from tests.faults.witness import Witness

Record = Callable[[str, object], None]

_HOST_KEY = places.CONFIG / "host.key"


def test_older_copy(
    cloud: Cloud, site: Site, onlooker: Witness, tmp_path: pathlib.Path, record_property: Record
) -> None:
    record_property("group", "the database restored from an older copy")
    late_volume, gone = cloud.make_volume(site.name), verbs.active(cloud, f"{site.name}-gone")
    truth.holds(cloud)
    database.of(cloud).dump(tmp_path / "older")
    unknown = verbs.active(cloud, f"{site.name}-unknown")
    verbs.remove(cloud, gone)
    cloud.attach(onlooker.server, late_volume)
    cloud.until(lambda: cloud.volume_state(late_volume) == "in-use", "the later volume")
    truth.holds(cloud)
    before, process = host.seen(), onlooker.process()

    with database.controller_stopped(cloud):
        database.of(cloud).load(tmp_path / "older")
    frozen.until_all(cloud, frozen.WENT_BACK)
    assert host.seen() == before, "something on the host was changed"
    onlooker.goes_on()
    status, text = doctor("--dry-run")
    assert status == 1 and text.count(f"is frozen: {frozen.WENT_BACK}") == len(frozen.AGENTS)
    assert "remedy: the agent adopts this database" in text

    doctor()
    frozen.until_none(cloud)
    cloud.until(lambda: cloud.server_state(gone) == "ACTIVE" and host.process_of(gone), "what the copy knows")
    cloud.until(lambda: f"server {unknown}" in doctor("--dry-run")[1], "the doctor's word on the rest")
    assert host.process_of(unknown), "a guest that the copy does not know was ended"
    doctor("--remove-unknown")
    seconds = cloud.until(lambda: not host.process_of(unknown), "the order by hand")
    record_property("recovery_s", round(seconds, 1))
    truth.holds(cloud)
    onlooker.goes_on()
    assert onlooker.process() == process, "the guest that looked on was ended"
    verbs.remove(cloud, gone)
    verbs.remove_volume(cloud, late_volume)
    truth.holds(cloud)


@choice.full_set_only
def test_new_and_empty_one(
    cloud: Cloud, site: Site, onlooker: Witness, tmp_path: pathlib.Path, record_property: Record
) -> None:
    """Somebody even gave the hosts the new database's keys."""
    record_property("group", "the database lost, a new and empty one in its place")
    truth.holds(cloud)
    database.of(cloud).dump(tmp_path / "right")
    before, process, key = host.seen(), onlooker.process(), _HOST_KEY.read_text()

    with _keys_exchanged(cloud):
        database.make_new(cloud)
        _HOST_KEY.write_text(output_of(places.tool("controller-manage"), "host-key", socket.gethostname()))
    frozen.until_all(cloud, "this host follows database")
    assert host.seen() == before, "something on the host was changed"
    onlooker.goes_on()
    status, text = doctor("--dry-run")
    assert status == 1 and text.count("is frozen: this host follows database") == len(frozen.AGENTS)

    with _keys_exchanged(cloud):
        database.of(cloud).load(tmp_path / "right")
        _HOST_KEY.write_text(key)
    cloud.until(cloud.all_are_heard, "the agents' voices")
    seconds = cloud.until(lambda: doctor()[0] == 0, "agents that follow the database again")
    record_property("recovery_s", round(seconds, 1))
    truth.holds(cloud)
    onlooker.goes_on()
    assert onlooker.process() == process, "the guest that looked on was ended"


@contextlib.contextmanager
def _keys_exchanged(cloud: Cloud) -> Iterator[None]:
    """Nobody of the controller runs meanwhile, and no agent: these read their key when they start."""
    agents = sorted({cloud.process_of(agent) for agent in frozen.AGENTS})
    supervisor.stop_programs(agents)
    with database.controller_stopped(cloud):
        yield
    supervisor.start_programs(agents)
