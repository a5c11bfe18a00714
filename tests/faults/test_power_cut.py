"""The power goes in the middle of a write: what is on the disk then is a whole database, and an older one later."""

import contextlib
import hashlib
import pathlib
import random
import shutil
import sqlite3
import time
from collections.abc import Callable

from controller.db.session import Database
from lab.up import places
from tests.faults import choice, churn, database, frozen, host, truth, verbs
from tests.faults.cases import ENGINE
from tests.faults.cloud import Cloud, doctor
from tests.faults.verbs import Site
from tests.faults.witness import Witness

pytestmark = choice.needs(choice.SQLITE)
Record = Callable[[str, object], None]

_INSTANTS = 40
#: At every so many of them the process is killed as well.
_KILLED = 20
_LONGEST_PAUSE_S = 0.5


def test_power_cut_in_the_middle_of_writes(
    cloud: Cloud, site: Site, onlooker: Witness, tmp_path: pathlib.Path, record_property: Record
) -> None:
    record_property("group", "power cut in the middle of writes")
    record_property("case", f"({_INSTANTS} instants)")
    dice = random.Random(choice.SEED)
    print(f"instants of seed {choice.SEED}")
    passing = f"{site.name}-passing"
    with churn.going(cloud, passing):
        copies = [_copy_at(cloud, dice, number, tmp_path) for number in range(_INSTANTS)]
    in_the_middle = [copy for copy in copies if _is_whole(copy, tmp_path / "opened.db")]
    assert len(in_the_middle) > _INSTANTS / 2, "the cloud was idle"
    truth.holds(cloud)

    later, volume = verbs.active(cloud, f"{site.name}-later"), cloud.make_volume(f"{site.name}-later")
    file = places.STATE / "volumes" / volume
    with file.open("r+b") as content_of:
        content_of.write(dice.randbytes(1 << 20))
    truth.holds(cloud)
    before, process, content = host.seen(), onlooker.process(), _digest(file)
    _kill(cloud)
    with database.controller_stopped(cloud):
        database.of(cloud).load(dice.choice(in_the_middle))
    frozen.until_all(cloud, frozen.WENT_BACK)
    assert host.seen() == before, "something on the host was changed"
    onlooker.goes_on()

    doctor()
    frozen.until_none(cloud)
    cloud.until(lambda: f"server {later}" in doctor("--dry-run")[1], "the doctor's word on what came later")
    assert host.process_of(later), "a guest that the copy does not know was ended"
    assert _digest(file) == content, "a volume that the copy does not know was touched"
    record_property("recovery_s", round(verbs.boot(site, verbs.nothing), 1))
    verbs.tidy(site)
    doctor("--remove-unknown")
    churn.clear(cloud, passing)
    truth.holds(cloud)
    onlooker.goes_on()
    assert onlooker.process() == process, "the guest that looked on was ended"


def _copy_at(cloud: Cloud, dice: random.Random, number: int, directory: pathlib.Path) -> pathlib.Path:
    """What is on the disk at some instant: the process is stopped while its files are read, one after the other. Then
    it goes on, or is killed."""
    time.sleep(dice.uniform(0, _LONGEST_PAUSE_S))  # the instant is the case that is tested
    cloud.stop(ENGINE)
    cloud.until(lambda: cloud.is_stopped(ENGINE), "its stop")
    copy = directory / f"{number}.db"
    _copy(database.FILE, copy)
    if number % _KILLED:
        cloud.go_on(ENGINE)
    else:
        _kill(cloud)
        cloud.until(cloud.all_are_heard, "what was killed")
    return copy


def _kill(cloud: Cloud) -> None:
    """Kills the process, to another one's beginning."""
    before = cloud.pid(ENGINE)
    cloud.kill(ENGINE)
    cloud.until(lambda: cloud.pid(ENGINE) != before, "another process")


def _is_whole(copy: pathlib.Path, opened: pathlib.Path) -> bool:
    """Opens a copy of the copy, which must be in order; whether anything was under way."""
    for part in database.parts(opened):
        part.unlink()
    _copy(copy, opened)
    with contextlib.closing(sqlite3.connect(opened)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], copy.name
        assert not connection.execute("PRAGMA foreign_key_check").fetchall(), copy.name
    db = Database(f"sqlite:///{opened}")
    try:
        with db.read() as session:
            assert not truth.between_rows(session), copy.name
            return bool(truth.at_rest(session))
    finally:
        db.close()


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    for part in database.parts(source):
        shutil.copy(part, target.with_name(part.name.replace(source.name, target.name)))


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(1 << 20)).hexdigest()
