"""Volumes and attachments as the compute service uses them, with an engine and a pretended storage host."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from controller.db.session import Database
from controller.volume.attachments import server
from controller.volume.attachments.model import Attachment
from controller.volume.volumes.create import Wish, create
from controller.volume.volumes.delete import delete
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict, NotFound, TooLarge

ALPHA, BETA = "a" * 32, "b" * 32
SERVER = "5e5e5e5e-0000-4000-8000-000000000001"
CALLER = Caller(user_id="u" * 32, user_name="u", user_domain_id="default", project_id=ALPHA)
Until = Callable[[Callable[[], bool]], None]


def status(db: Database, volume_id: str) -> str:
    with db.read() as session:
        return str(session.scalar(select(Volume.status).where(Volume.id == volume_id)))


def row(db: Database, volume_id: str) -> Volume:
    with db.read() as session:
        found = session.get(Volume, volume_id)
        assert found is not None
        return found


def made(engine: Any, until: Until, size_gib: int = 1) -> str:
    volume_id: str = engine.db.write(lambda s: create(s, CALLER, Wish(size_gib=size_gib)).id)
    until(lambda: status(engine.db, volume_id) == "available")
    return volume_id


def test_create_and_delete(engine: Any, until: Until) -> None:
    host = engine.host()
    volume_id = made(engine, until)
    assert row(engine.db, volume_id).host == "store1"
    assert host.volumes[volume_id].size_gib == 1
    engine.db.write(lambda s: delete(s, CALLER, volume_id))
    until(lambda: status(engine.db, volume_id) == "deleted")
    assert volume_id not in host.volumes
    with pytest.raises(NotFound):
        engine.db.write(lambda s: delete(s, CALLER, volume_id))


def test_no_host_is_an_error_that_says_so(engine: Any, until: Until) -> None:
    volume_id = engine.db.write(lambda s: create(s, CALLER, Wish(size_gib=1)).id)
    until(lambda: status(engine.db, volume_id) == "error")
    assert "No storage host" in str(row(engine.db, volume_id).fault)
    engine.db.write(lambda s: delete(s, CALLER, volume_id))
    assert status(engine.db, volume_id) == "deleted"


def test_refused_volume_is_cleaned_up(engine: Any, until: Until) -> None:
    host = engine.host()
    host.refuses["volume"] = "the volume group is full"
    volume_id = engine.db.write(lambda s: create(s, CALLER, Wish(size_gib=1)).id)
    until(lambda: status(engine.db, volume_id) == "error")
    assert "full" in str(row(engine.db, volume_id).fault)
    until(lambda: row(engine.db, volume_id).host is None)
    engine.db.write(lambda s: delete(s, CALLER, volume_id))
    assert status(engine.db, volume_id) == "deleted"


def test_a_silent_host_confirms_later(engine: Any, until: Until) -> None:
    host = engine.host()
    volume_id = made(engine, until)
    host.is_silent = True
    engine.db.write(lambda s: delete(s, CALLER, volume_id))
    until(lambda: engine.outbox.flush() == 0)
    assert status(engine.db, volume_id) == "deleting"
    host.speak()
    until(lambda: status(engine.db, volume_id) == "deleted")


def test_attach_and_detach(engine: Any, until: Until) -> None:
    host, db = engine.host(), engine.db
    volume_id = made(engine, until)
    attachment = db.write(lambda s: server.reserve(s, ALPHA, volume_id, SERVER, None))
    assert (attachment.device, status(db, volume_id)) == ("vdb", "reserved")
    db.write(lambda s: server.export(s, attachment.id, "compute1", "iqn.host"))
    assert status(db, volume_id) == "attaching"
    until(lambda: db.write(lambda s: server.is_exported(s, attachment.id)) == ("applied", ""))
    exported = host.exports[attachment.id]
    assert (exported.volume_id, exported.initiator) == (volume_id, "iqn.host")
    assert len(exported.chap_password) == 16
    with db.read() as session:
        assert server.disks(session, SERVER) == []
        stored = session.scalar(select(Attachment.chap_password))
        assert exported.chap_password not in str(stored)
    db.write(lambda s: server.want_in_guest(s, attachment.id, True))
    with db.read() as session:
        (disk,) = server.disks(session, SERVER)
    assert (disk.device, disk.serial, disk.target.portal) == ("vdb", volume_id, "192.0.2.1:3260")
    assert disk.target.chap_password == exported.chap_password
    assert disk.target.iqn == f"iqn.2026-01.org.cumulet:{attachment.id}"
    db.write(lambda s: server.mark_attached(s, attachment.id))
    assert status(db, volume_id) == "in-use"
    with pytest.raises(BadRequest):
        db.write(lambda s: delete(s, CALLER, volume_id))
    with pytest.raises(BadRequest):
        db.write(lambda s: server.reserve(s, ALPHA, volume_id, "other", None))
    db.write(lambda s: server.begin_detach(s, attachment.id))
    assert status(db, volume_id) == "detaching"
    db.write(lambda s: server.abort_detach(s, attachment.id))
    assert status(db, volume_id) == "in-use"
    db.write(lambda s: server.begin_detach(s, attachment.id))
    db.write(lambda s: server.want_in_guest(s, attachment.id, False))
    db.write(lambda s: server.unexport(s, attachment.id))
    until(lambda: db.write(lambda s: server.is_unexported(s, attachment.id)))
    assert attachment.id not in host.exports
    db.write(lambda s: server.finish_detach(s, attachment.id))
    db.write(lambda s: server.finish_detach(s, attachment.id))
    assert status(db, volume_id) == "available"
    with db.read() as session:
        assert server.by_volume(session, SERVER, volume_id) is None


def test_devices_are_given_in_order(engine: Any, until: Until) -> None:
    engine.host()
    volumes = [made(engine, until) for _ in range(4)]
    wanted = [("/dev/vdb", None), (None, None), (None, 0)]
    names = [
        engine.db.write(
            lambda s, v=volume, d=device, b=boot: server.reserve(s, ALPHA, v, SERVER, d, boot_index=b)
        ).device
        for volume, (device, boot) in zip(volumes, wanted, strict=False)
    ]
    assert names == ["vdb", "vdc", "vda"]
    with pytest.raises(Conflict):
        engine.db.write(lambda s: server.reserve(s, ALPHA, volumes[3], SERVER, "vdc"))


def test_other_projects_volume_is_not_found(engine: Any, until: Until) -> None:
    engine.host()
    volume_id = made(engine, until)
    with pytest.raises(NotFound):
        engine.db.write(lambda s: server.reserve(s, BETA, volume_id, SERVER, None))


def test_boot_volume_is_reserved_before_it_is_made(engine: Any, until: Until) -> None:
    db = engine.db

    def boot(session: Any) -> tuple[str, str]:
        volume_id = server.create_for_boot(session, CALLER, 2, None, None)
        attachment = server.reserve(
            session, ALPHA, volume_id, SERVER, None, boot_index=0, delete_on_termination=True
        )
        return volume_id, attachment.id

    engine.host()
    volume_id, attachment_id = db.write(boot)
    with db.read() as session:
        assert set(server.boot_volume_states(session, SERVER)) == {volume_id}
    until(lambda: status(db, volume_id) == "reserved")
    with pytest.raises(BadRequest):
        db.write(lambda s: server.reserve(s, ALPHA, volume_id, "other", None))
    assert db.write(lambda s: server.release_all(s, SERVER)) == [attachment_id]
    db.write(lambda s: server.finish_detach(s, attachment_id))
    until(lambda: status(db, volume_id) == "deleted")


def test_boot_volume_goes_while_it_is_made(engine: Any, until: Until) -> None:
    host, db = engine.host(), engine.db
    host.is_silent = True
    volume_id = db.write(lambda s: server.create_for_boot(s, CALLER, 2, None, None))
    attachment = db.write(
        lambda s: server.reserve(s, ALPHA, volume_id, SERVER, None, delete_on_termination=True)
    )
    until(lambda: row(db, volume_id).host is not None)
    db.write(lambda s: server.release_all(s, SERVER))
    db.write(lambda s: server.finish_detach(s, attachment.id))
    assert status(db, volume_id) == "deleting"
    host.speak()
    until(lambda: status(db, volume_id) == "deleted")


def test_quota_counts_what_is_still_deleting(engine: Any, until: Until) -> None:
    host, db = engine.host(free_gib=5000), engine.db
    volume_id = made(engine, until, 1000)
    with pytest.raises(TooLarge):
        db.write(lambda s: create(s, CALLER, Wish(size_gib=1)))
    host.is_silent = True
    db.write(lambda s: delete(s, CALLER, volume_id))
    with pytest.raises(TooLarge):
        db.write(lambda s: create(s, CALLER, Wish(size_gib=1)))
    host.speak()
    until(lambda: status(db, volume_id) == "deleted")
    db.write(lambda s: create(s, CALLER, Wish(size_gib=1)))
