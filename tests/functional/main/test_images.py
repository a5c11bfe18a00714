"""Which hosts may read an image, and how long a deleted one is kept for them."""

from typing import Any

import pytest

from controller.compute.servers.model import Server
from controller.db.columns import new_uuid
from controller.db.session import Database
from controller.main.images import is_image_in_use, may_read_image
from controller.volume.volumes.model import Volume

PROJECT = "a" * 32


def server(**values: Any) -> Server:
    given = {"host": "one", "boot_image": {"id": "image", "kernel_id": "kernel"}, **values}
    return Server(
        id=new_uuid(),
        project_id=PROJECT,
        user_id=PROJECT,
        name="s",
        hostname="s",
        vcpus=1,
        ram_mib=1,
        disk_gib=1,
        flavor_id="1",
        flavor_name="f",
        reservation_id="r",
        **given,
    )


def volume(**values: Any) -> Volume:
    given = {"host": "one", "status": "downloading", "source_image": {"id": "image"}, **values}
    return Volume(
        id=new_uuid(),
        project_id=PROJECT,
        user_id=PROJECT,
        size_gib=1,
        wanted_gib=1,
        volume_type_id="t",
        **given,
    )


@pytest.mark.parametrize(
    ("row", "is_allowed", "is_kept"),
    [
        (server(), True, True),
        (server(is_deleted=True), False, False),
        (server(host=None), False, True),
        (volume(), True, True),
        (volume(status="creating", host=None), False, True),
        (volume(status="available"), False, False),
        (volume(status="in-use"), False, False),
        (volume(status="error", is_removal_wanted=True), False, False),
        (volume(is_deleted=True, status="deleted"), False, False),
    ],
)
def test_only_what_is_of_it_or_being_made_of_it(
    db: Database, row: Any, is_allowed: bool, is_kept: bool
) -> None:
    db.write(lambda session: session.add(row))
    with db.read() as session:
        assert may_read_image(session, "one", "image") is is_allowed
        assert may_read_image(session, "two", "image") is False
        assert is_image_in_use(session, "image") is is_kept
        assert is_image_in_use(session, "other") is False


def test_a_kernel_is_part_of_it(db: Database) -> None:
    db.write(lambda session: session.add(server()))
    with db.read() as session:
        assert may_read_image(session, "one", "kernel")
