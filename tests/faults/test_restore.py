"""A database that knows less than the hosts: an older copy, and a new one. Nothing on a host may be destroyed."""

import pathlib
import socket
from collections.abc import Callable, Iterator

import pytest

from contract import topics
from controller.db import agents
from lab.up import places
from tests.faults import choice, database, host, truth, verbs, witness
from tests.faults.cloud import Cloud, doctor, output_of
from tests.faults.verbs import Site
from tests.faults.witness import Witness

Record = Callable[[str, object], None]

_AGENTS = (topics.NOVA_COMPUTE, topics.OVS_AGENT, topics.VOLUME_AGENT)
_HOST_KEY = places.CONFIG / "host.key"


@pytest.fixture(scope="module")
def site(cloud: Cloud) -> Iterator[Site]:
    with verbs.site(cloud) as made:
        yield made


@pytest.fixture(scope="module")
def onlooker(cloud: Cloud, site: Site) -> Iterator[Witness]:
    with witness.writing(cloud, f"{site.name}-witness") as made:
        yield made


def test_older_copy(
    cloud: Cloud, site: Site, onlooker: Witness, tmp_path: pathlib.Path, record_property: Record
) -> None:
    record_property("group", "the database restored from an older copy")
    late_volume, gone = cloud.make_volume(site.name), _active(cloud, f"{site.name}-gone")
    truth.holds(cloud)
    database.dump(tmp_path / "older.sql")
    unknown = _active(cloud, f"{site.name}-unknown")
    verbs.remove(cloud, gone)
    cloud.attach(onlooker.server, late_volume)
    cloud.until(lambda: cloud.volume_state(late_volume) == "in-use", "the later volume")
    truth.holds(cloud)
    before, process = host.seen(), onlooker.process()

    with database.controller_stopped(cloud):
        database.load(tmp_path / "older.sql")
    _until_frozen(cloud, "the database went back")
    assert host.seen() == before, "something on the host was changed"
    onlooker.goes_on()
    status, text = doctor("--dry-run")
    assert status == 1 and text.count("is frozen: the database went back") == len(_AGENTS)
    assert "remedy: the agent adopts this database" in text

    doctor()
    cloud.until(lambda: not _frozen(cloud), "agents that follow the database")
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
    database.dump(tmp_path / "right.sql")
    before, process, key = host.seen(), onlooker.process(), _HOST_KEY.read_text()

    with database.controller_stopped(cloud):
        database.empty()
        _give_key(cloud, output_of(places.tool("controller-manage"), "host-key", socket.gethostname()))
    _until_frozen(cloud, "this host follows database")
    assert host.seen() == before, "something on the host was changed"
    onlooker.goes_on()
    status, text = doctor("--dry-run")
    assert status == 1 and text.count("is frozen: this host follows database") == len(_AGENTS)

    with database.controller_stopped(cloud):
        database.load(tmp_path / "right.sql")
        _give_key(cloud, key)
    cloud.until(cloud.all_are_heard, "the agents' voices")
    seconds = cloud.until(lambda: doctor()[0] == 0, "agents that follow the database again")
    record_property("recovery_s", round(seconds, 1))
    truth.holds(cloud)
    onlooker.goes_on()
    assert onlooker.process() == process, "the guest that looked on was ended"


def _active(cloud: Cloud, name: str) -> str:
    server = cloud.boot(name)
    cloud.until(lambda: cloud.server_state(server) == "ACTIVE", name)
    return server


def _give_key(cloud: Cloud, key: str) -> None:
    """The agents read it when they start."""
    _HOST_KEY.write_text(key)
    for agent in _AGENTS:
        cloud.kill(agent)


def _frozen(cloud: Cloud) -> list[str]:
    """Why agents are frozen, as they said themselves."""
    with cloud.db.read() as session:
        return [row.frozen for name in _AGENTS for row in agents.of_kind(session, name) if row.frozen]


def _until_frozen(cloud: Cloud, reason: str) -> None:
    cloud.until(lambda: sum(reason in told for told in _frozen(cloud)) == len(_AGENTS), f"'{reason}'")
