"""Images that reach for files of the host, on the whole cloud: refused with a sentence, and nothing leaks.

The canary is a file of the host that every hostile image names; its content must be in no answer, log or
file of the cloud afterwards.
"""

import pathlib
import struct
import subprocess
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import openstack.exceptions
import pytest

from lab.acts import cloud
from lab.up import places
from tests.system.watch import eventually, output_of

CANARY = f"canary-{uuid.uuid4().hex}"
NAME = f"hostile-{uuid.uuid4().hex[:8]}"
KIB, MIB = 1 << 10, 1 << 20
#: Larger files of the cloud are disks that were there before.
SEARCHED_BYTES = 64 * MIB


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("host") / "secret-of-the-host"
    path.write_text((CANARY + "\n") * (MIB // (len(CANARY) + 1)))
    return path


@pytest.fixture(scope="module")
def connection(openstack: Any) -> Iterator[Any]:
    """The administrator's connection by the SDK; what the tests made is removed."""
    made = cloud()
    yield made
    for server in made.compute.servers(name=NAME):
        made.compute.delete_server(server)
        made.compute.wait_for_delete(server, wait=60)
    for volume in made.block_storage.volumes(name=NAME):
        made.block_storage.delete_volume(volume)
        made.block_storage.wait_for_delete(volume, wait=60)
    for image in made.image.images(name=NAME):
        made.image.delete_image(image)


def _backed(canary: pathlib.Path, directory: pathlib.Path) -> bytes:
    return _created(directory / "backed", "-f", "qcow2", "-b", str(canary), "-F", "raw")


def _with_data_file(canary: pathlib.Path, directory: pathlib.Path) -> bytes:
    data = _created(directory / "data", "-f", "qcow2", "-o", f"data_file={directory}/other")
    return data.replace(str(directory / "other").encode(), str(canary).encode()[: len(str(directory)) + 6])


def _flat_vmdk(canary: pathlib.Path, _directory: pathlib.Path) -> bytes:
    descriptor = (
        "# Disk DescriptorFile\nversion=1\nCID=4c8cf0d5\nparentCID=ffffffff\n"
        f'createType="monolithicFlat"\nRW 2048 FLAT "{canary}" 0\nddb.virtualHWVersion = "4"\n'
    ).encode()
    header = struct.pack("<4sIIQQQQIQQQB", b"KDMV", 1, 3, 2048, 128, 1, 20, 512, 21, 26, 128, 0)
    return header.ljust(512, b"\0") + descriptor.ljust(20 * 512, b"\0") + bytes(512 * KIB)


def _created(path: pathlib.Path, *arguments: str) -> bytes:
    subprocess.run(["qemu-img", "create", "-q", *arguments, str(path), "1M"], check=True)
    return path.read_bytes()


HOSTILE: dict[str, Callable[[pathlib.Path, pathlib.Path], bytes]] = {
    "backing file": _backed,
    "data file": _with_data_file,
    "flat vmdk": _flat_vmdk,
}


def _image(connection: Any, disk_format: str, data: bytes) -> tuple[str, Any]:
    """The id of a new image, and the answer to its data."""
    asked = {"name": NAME, "disk_format": disk_format, "container_format": "bare"}
    image_id = connection.image.post("/images", json=asked).json()["id"]
    headers = {"Content-Type": "application/octet-stream"}
    return image_id, connection.image.put(f"/images/{image_id}/file", data=data, headers=headers)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("claimed", ["qcow2", "raw", "vmdk"])
def test_an_upload_is_refused_with_a_sentence(
    connection: Any, canary: pathlib.Path, tmp_path: pathlib.Path, kind: str, claimed: str
) -> None:
    image_id, answer = _image(connection, claimed, HOSTILE[kind](canary, tmp_path))
    assert answer.status_code == 415, answer.text
    assert len(answer.json()["message"].split()) >= 5 and CANARY not in answer.text
    assert connection.image.get_image(image_id).status == "queued"
    with pytest.raises(openstack.exceptions.BadRequestException):
        connection.compute.create_server(
            name=NAME, image_id=image_id, flavor_id="1", networks=[{"uuid": _network(connection)}]
        )
    with pytest.raises(openstack.exceptions.BadRequestException):
        connection.block_storage.create_volume(name=NAME, size=1, image_id=image_id)


def test_an_image_that_was_changed_on_the_disk_is_not_run(
    connection: Any, canary: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """As if it had come in past the inspection: hosts look at checksum and format themselves."""
    honest = _created(tmp_path / "honest", "-f", "qcow2")
    image_id, answer = _image(connection, "qcow2", honest)
    assert answer.status_code == 204, answer.text
    stored = [p for p in places.STATE.rglob(f"*{image_id}*") if p.is_file()]
    assert stored and all(p.read_bytes() == honest for p in stored)
    hostile = _backed(canary, tmp_path)[: len(honest)].ljust(len(honest), b"\0")
    for path in stored:
        path.write_bytes(hostile)
    server = connection.compute.create_server(
        name=NAME, image_id=image_id, flavor_id="1", networks=[{"uuid": _network(connection)}]
    )
    volume = connection.block_storage.create_volume(name=NAME, size=1, image_id=image_id)
    eventually(lambda: connection.compute.get_server(server).status == "ERROR", "the server's refusal", 120)
    eventually(lambda: connection.block_storage.get_volume(volume).status == "error", "the volume's", 120)
    message = connection.compute.get_server(server).fault["message"]
    assert len(message.split()) >= 5 and CANARY not in message, message
    assert server.id not in output_of("virsh", "list", "--uuid")


def test_an_image_that_would_fill_the_disk_is_refused(connection: Any, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bomb"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "60T"], check=True)
    image_id, answer = _image(connection, "qcow2", path.read_bytes())
    if answer.status_code == 204:
        with pytest.raises(openstack.exceptions.BadRequestException, match="disk"):
            connection.compute.create_server(
                name=NAME, image_id=image_id, flavor_id="1", networks=[{"uuid": _network(connection)}]
            )
        with pytest.raises(openstack.exceptions.BadRequestException, match=r"size|large|GiB"):
            connection.block_storage.create_volume(name=NAME, size=1, image_id=image_id)


def test_the_canary_is_nowhere(connection: Any) -> None:
    word = CANARY.encode()
    for place in (places.STATE, places.LOG):
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= SEARCHED_BYTES:
                assert word not in path.read_bytes(), path
    for server in connection.compute.servers(name=NAME):
        assert CANARY not in str(server.to_dict())


def _network(connection: Any) -> str:
    return str(connection.network.find_network("demo", ignore_missing=False).id)
