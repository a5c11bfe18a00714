"""Volumes made of images, killed at every point, and images that must never become one."""

import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.report import Report
from contract.volume import VolumeImage
from runtime.reconcile.outcome import Failed, Retry

MIB = 1 << 20
CANARY = b"canary: a file of the host"
Make = Callable[[pathlib.Path, pathlib.Path], None]


@pytest.fixture
def qcow2(tmp_path: pathlib.Path) -> pathlib.Path:
    """A small honest image: 8 MiB of which the second is filled."""
    raw, image = tmp_path / "raw", tmp_path / "image.qcow2"
    raw.write_bytes(bytes(MIB) + b"\x77" * MIB + bytes(6 * MIB))
    subprocess.run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, image], check=True)
    return image


def _bytes(lab: Any, volume_id: str, offset: int, length: int = 4096) -> bytes:
    with lab.host.backend.path(volume_id).open("rb") as file:
        file.seek(offset)
        return bytes(file.read(length))


def _leftovers(lab: Any) -> list[str]:
    """Everything in the agent's directories that is not a volume."""
    files = [*(lab.state / "images").iterdir(), *(lab.state / "volumes").glob("*.part*")]
    return [file.name for file in files]


def _last(lab: Any, kind: str) -> Report:
    report = lab.host.reports[-1]
    assert report.kind == kind
    return report  # type: ignore[no-any-return]


def test_filled_from_an_image_sparse_and_private(lab: Any, qcow2: pathlib.Path) -> None:
    volume = lab.volume(lab.images.add(qcow2, "qcow2"))
    seen = lab.host.volumes.apply(volume)
    assert (seen.state, seen.size_bytes) == ("available", 1 << 30)
    assert _bytes(lab, volume.id, MIB) == b"\x77" * 4096
    assert _bytes(lab, volume.id, 0) + _bytes(lab, volume.id, 100 * MIB) == bytes(8192)
    status = lab.host.backend.path(volume.id).stat()
    assert status.st_blocks * 512 < 4 * MIB
    assert status.st_mode & 0o777 == 0o600
    assert _leftovers(lab) == []


def test_raw_images_are_filled_too(lab: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "r").write_bytes(b"\x33" * MIB)
    volume = lab.volume(lab.images.add(tmp_path / "r", "raw"))
    lab.host.volumes.apply(volume)
    assert _bytes(lab, volume.id, 0) == b"\x33" * 4096


def test_never_filled_again(lab: Any, qcow2: pathlib.Path) -> None:
    volume = lab.volume(lab.images.add(qcow2, "qcow2"))
    lab.host.volumes.apply(volume)
    with lab.host.backend.path(volume.id).open("rb+") as file:
        file.write(b"the guest's")
    lab.host.volumes.apply(volume)
    assert _bytes(lab, volume.id, 0).startswith(b"the guest's")
    assert lab.images.requests == 1


def test_a_volume_whose_storage_is_away_waits_for_it(lab: Any) -> None:
    """An empty one in its place would be taken for it by its guest."""
    volume = lab.volume()
    lab.put(volume)
    lab.host.volumes.apply(volume)
    path = lab.host.backend.path(volume.id)
    path.write_bytes(b"the guest's")
    away = path.with_name("away")
    path.rename(away)
    with pytest.raises(Retry, match="Is its storage mounted"):
        lab.host.volumes.apply(volume)
    assert not path.exists()
    away.rename(path)
    lab.host.volumes.apply(volume)
    assert path.read_bytes().startswith(b"the guest's")


@pytest.mark.parametrize(
    "place",
    ["volume.fill.before", "volume.fill.filled", "volume.fill.after", "agent.volume.apply.after"],
)
def test_killed_while_filling(lab: Any, qcow2: pathlib.Path, tmp_path: pathlib.Path, place: str) -> None:
    volume = lab.volume(lab.images.add(qcow2, "qcow2"))
    lab.put(volume)
    (tmp_path / "faults").write_text(f"{place} kill\n")
    assert lab.inside(tmp_path / "faults").returncode == -9
    if place in ("volume.fill.after", "agent.volume.apply.after"):
        with lab.host.backend.path(volume.id).open("rb+") as file:
            file.write(b"the guest's")
    else:
        assert lab.host.backend.find(volume.id) is None
    again = lab.inside(tmp_path / "faults")
    assert "volume applied" in again.stdout, again.stderr
    assert _bytes(lab, volume.id, MIB) == b"\x77" * 4096
    assert _leftovers(lab) == []
    if place in ("volume.fill.after", "agent.volume.apply.after"):
        assert _bytes(lab, volume.id, 0).startswith(b"the guest's")


@pytest.mark.parametrize("place", ["volume.export.before", "volume.export.after", "volume.make.after"])
def test_killed_while_exporting(lab: Any, tmp_path: pathlib.Path, place: str) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    lab.put(volume)
    lab.put(export)
    (tmp_path / "faults").write_text(f"{place} kill\n")
    assert lab.inside(tmp_path / "faults").returncode == -9
    again = lab.inside(tmp_path / "faults")
    assert "export applied" in again.stdout, again.stderr
    assert lab.tgtd.shown().count("Target ") == 1


@pytest.mark.parametrize(
    "place", ["volume.unexport.before", "volume.unexport.after", "volume.wipe.before", "volume.wipe.after"]
)
def test_killed_while_removing(lab: Any, tmp_path: pathlib.Path, place: str) -> None:
    volume = lab.volume()
    export = lab.export(volume)
    keys = [lab.put(volume), lab.put(export)]
    assert "export applied" in lab.inside().stdout
    for key in keys:
        lab.bury(key)
    (tmp_path / "faults").write_text(f"{place} kill\n")
    assert lab.inside(tmp_path / "faults").returncode == -9
    lab.inside(tmp_path / "faults")
    assert lab.host.backend.find(volume.id) is None
    assert "Target" not in lab.tgtd.shown()
    assert export.chap_username not in lab.tgtd.shown()


def test_tampered_bytes_are_refused(lab: Any, qcow2: pathlib.Path) -> None:
    image = lab.images.add(qcow2, "qcow2")
    served = lab.images.directory / image.id
    served.write_bytes(served.read_bytes()[:-1] + b"X")
    volume = lab.volume(image)
    with pytest.raises(Failed):
        lab.host.volumes.apply(volume)
    assert lab.host.backend.find(volume.id) is None
    assert _leftovers(lab) == []


def test_missing_image_is_tried_again(lab: Any) -> None:
    missing = VolumeImage(
        id="00000000-0000-4000-8000-000000000000", sha512="0", size_bytes=1, disk_format="raw"
    )
    with pytest.raises(Retry) as later:
        lab.host.volumes.apply(lab.volume(missing))
    assert later.value.fault
    assert _leftovers(lab) == []


def _backing(image: pathlib.Path, canary: pathlib.Path) -> None:
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", canary, image, "8M"]
    subprocess.run(command, check=True)


def _data_file(image: pathlib.Path, canary: pathlib.Path) -> None:
    copy = canary.with_name("other")
    options = f"data_file={copy},data_file_raw=on"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image, "1M"], check=True)
    body = image.read_bytes().replace(bytes(copy), bytes(canary).ljust(len(bytes(copy)), b"\0"))
    image.write_bytes(body)


def _vmdk(image: pathlib.Path, canary: pathlib.Path) -> None:
    image.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        f'createType="monolithicFlat"\n\nRW 2048 FLAT "{canary}" 0\n'
    )


@pytest.mark.parametrize("claimed", ["qcow2", "raw", "vmdk"])
@pytest.mark.parametrize("make", [_backing, _data_file, _vmdk])
def test_canary_is_never_in_a_volume(lab: Any, tmp_path: pathlib.Path, make: Make, claimed: str) -> None:
    canary, image = tmp_path / "cafe", tmp_path / "hostile"
    canary.write_bytes(CANARY.ljust(MIB, b"\n"))
    make(image, canary)
    volume = lab.volume(lab.images.add(image, claimed))
    try:
        lab.host.volumes.apply(volume)
    except Failed:
        assert lab.host.backend.find(volume.id) is None
    else:
        assert claimed == "raw", "only as its own plain bytes may it become a volume"
        assert CANARY not in lab.host.backend.path(volume.id).read_bytes()[: 16 * MIB]
    assert _leftovers(lab) == []


def test_header_written_by_the_guest_changes_nothing(lab: Any, tmp_path: pathlib.Path) -> None:
    """A guest writes a qcow2 header with a backing file onto its disk: the volume stays raw."""
    canary, image = tmp_path / "cafe", tmp_path / "hostile"
    canary.write_bytes(CANARY.ljust(MIB, b"\n"))
    _backing(image, canary)
    volume = lab.volume()
    lab.host.volumes.apply(volume)
    with lab.host.backend.path(volume.id).open("rb+") as file:
        file.write(image.read_bytes())
    seen = lab.host.volumes.apply(type(volume)(**{**_fields(volume), "size_gib": 2}))
    assert seen.size_bytes == 2 << 30
    lab.host.exports.apply(lab.export(volume))
    assert CANARY not in _bytes(lab, volume.id, 0, MIB)
    assert "Size: 2147 MB" in lab.tgtd.shown()


def _fields(volume: Any) -> dict[str, Any]:
    return {name: getattr(volume, name) for name in volume.__struct_fields__}


@pytest.fixture
def small_disk(lab: Any) -> Iterator[None]:
    """The volumes' directory on a file system of 3 MiB."""
    directory = lab.state / "volumes"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3M,mode=700", "tmpfs", directory], check=True)
    yield
    subprocess.run(["umount", directory], check=True)


def test_full_disk_is_a_clear_fault(lab: Any, tmp_path: pathlib.Path, small_disk: None) -> None:
    (tmp_path / "r").write_bytes(os.urandom(6 * MIB))
    volume = lab.volume(lab.images.add(tmp_path / "r", "raw"))
    with pytest.raises(Failed) as failed:
        lab.host.volumes.apply(volume)
    assert "full" in failed.value.fault.message
    assert lab.host.backend.find(volume.id) is None
    assert _leftovers(lab) == []


def test_other_backends_documents_are_refused(lab: Any) -> None:
    volume = lab.volume()
    with pytest.raises(Failed):
        lab.host.volumes.apply(type(volume)(**{**_fields(volume), "backend": "ssd"}))
