"""Images whose bytes changed on a disk: nothing is ever made of them."""

import hashlib
import pathlib
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from controller.volume.volumes.model import Volume
from lab.up import places
from tests.faults import choice, truth, verbs
from tests.faults.cloud import Cloud

Record = Callable[[str, object], None]

_AT, _LENGTH = 1 << 20, 4096


@pytest.fixture
def image(cloud: Cloud) -> Iterator[str]:
    """An image of its own, as good as the cloud's."""
    name = f"faults-{uuid.uuid4().hex[:6]}"
    made = cloud.sdk.image.create_image(
        name, filename=str(places.GUEST_IMAGE), disk_format="qcow2", container_format="bare"
    )
    yield made.id
    cloud.sdk.image.delete_image(made.id)


def test_stored_image_is_damaged(cloud: Cloud, image: str, record_property: Record) -> None:
    record_property("group", "an image's bytes changed on a disk")
    record_property("case", "(the controller's)")
    stored = places.STATE / "images-store" / image
    _damage(stored)
    server = cloud.boot("faults-damaged", image_id=image)
    volume = cloud.ask_volume("faults-damaged", image_id=image)
    cloud.until(lambda: cloud.server_state(server) == "ERROR", "the server's refusal")
    cloud.until(lambda: cloud.volume_state(volume) == "error", "the volume's refusal")
    assert "checksum" in cloud.fault(server)
    with cloud.db.read() as session:
        assert "sha512" in str(session.scalar(select(Volume.fault).where(Volume.id == volume)))
    truth.holds(cloud)
    assert not list((places.STATE / "images").glob(f"{image}*")), "a damaged image was kept"
    verbs.remove(cloud, server)
    verbs.remove_volume(cloud, volume)
    _damage(stored)
    sound = cloud.boot("faults-sound", image_id=image)
    seconds = cloud.until(lambda: cloud.server_state(sound) == "ACTIVE", "a server of the sound image")
    record_property("recovery_s", round(seconds, 1))
    verbs.remove(cloud, sound)
    truth.holds(cloud)


@choice.full_set_only
def test_cached_image_is_damaged(cloud: Cloud, image: str, record_property: Record) -> None:
    """The host has it anew."""
    record_property("group", "an image's bytes changed on a disk")
    record_property("case", "(the host's)")
    first = cloud.boot("faults-first", image_id=image)
    cloud.until(lambda: cloud.server_state(first) == "ACTIVE", "the first server")
    verbs.remove(cloud, first)
    cached = places.STATE / "images" / image
    _damage(cached)
    second = cloud.boot("faults-second", image_id=image)
    seconds = cloud.until(lambda: cloud.server_state(second) == "ACTIVE", "the second server")
    record_property("recovery_s", round(seconds, 1))
    assert _sha512(cached) == _sha512(places.STATE / "images-store" / image)
    verbs.remove(cloud, second)
    truth.holds(cloud)


def _damage(path: pathlib.Path) -> None:
    """Inverts some bytes in the middle; done twice it mends them."""
    with path.open("r+b") as file:
        file.seek(_AT)
        found = file.read(_LENGTH)
        file.seek(_AT)
        file.write(bytes(byte ^ 0xFF for byte in found))


def _sha512(path: pathlib.Path) -> str:
    return hashlib.sha512(path.read_bytes()).hexdigest()
