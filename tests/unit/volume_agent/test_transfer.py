"""Images that must not become volumes: refused by inspection, before any converter sees them."""

import os
import pathlib
import subprocess

import pytest

from volume_agent import transfer
from volume_agent.host import qemu_img

MIB = 1 << 20
GIB = 1 << 30
CANARY = b"canary: this is a file of the host"


@pytest.fixture
def canary(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "canary"
    path.write_bytes(CANARY.ljust(MIB, b"\n"))
    return path


def _create(path: pathlib.Path, *options: str, size: str = "8M") -> pathlib.Path:
    subprocess.run(["qemu-img", "create", "-q", *options, str(path), size], check=True)
    return path


def _backing(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    return _create(directory / "i", "-f", "qcow2", "-F", "raw", "-b", str(canary))


def _data_file(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    image = _create(directory / "i", "-f", "qcow2", "-o", f"data_file={directory / 'data'},data_file_raw=on")
    subprocess.run(["qemu-img", "amend", "-f", "qcow2", "-o", f"data_file={canary}", str(image)], check=False)
    return image


def _vmdk_flat(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    (directory / "i").write_text(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        f'createType="monolithicFlat"\n\nRW 2048 FLAT "{canary}" 0\n'
    )
    return directory / "i"


def _qcow2(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    return _create(directory / "i", "-f", "qcow2")


def _bomb(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    return _create(directory / "i", "-f", "qcow2", size="8T")


def _text(directory: pathlib.Path, canary: pathlib.Path) -> pathlib.Path:
    (directory / "i").write_bytes(b"hello" * 1000)
    return directory / "i"


@pytest.mark.parametrize(
    ("make", "claimed"),
    [
        (_backing, "qcow2"),
        (_backing, "raw"),
        (_data_file, "qcow2"),
        (_vmdk_flat, "vmdk"),
        (_vmdk_flat, "qcow2"),
        (_qcow2, "raw"),
        (_qcow2, "vmdk"),
        (_bomb, "qcow2"),
        (_text, "qcow2"),
        (_text, "vhd"),
        (_text, "luks"),
        (_text, "made up"),
    ],
)
def test_hostile_images_are_refused(
    make: object, claimed: str, tmp_path: pathlib.Path, canary: pathlib.Path
) -> None:
    image = make(tmp_path, canary)  # type: ignore[operator]
    with pytest.raises(transfer.RefusedError):
        transfer.inspect(image, claimed, GIB)


@pytest.mark.parametrize(
    ("name", "driver"), [("qcow2", "qcow2"), ("vdi", "vdi"), ("vhdx", "vhdx"), ("vmdk", "vmdk")]
)
def test_honest_images_are_taken(name: str, driver: str, tmp_path: pathlib.Path) -> None:
    image = _create(tmp_path / "i", "-f", driver)
    assert transfer.inspect(image, name, GIB) == driver


def test_raw_is_taken_and_measured(tmp_path: pathlib.Path) -> None:
    image = tmp_path / "i"
    image.write_bytes(bytes(MIB))
    assert transfer.inspect(image, "raw", MIB) == "raw"
    with pytest.raises(transfer.RefusedError, match="needs"):
        transfer.inspect(image, "raw", MIB - 1)


def test_a_conversion_needs_little_address_space(tmp_path: pathlib.Path) -> None:
    """Without bounds on arenas and stacks each thread took 64 MiB and 8, and the limit was hit by chance."""
    image = _create(tmp_path / "i.qcow2", "-f", "qcow2", size="256M")
    writes = [word for n in range(0, 256, 2) for word in ("-c", f"write -P {n + 1} {n}M 1M")]
    subprocess.run(["qemu-io", "-f", "qcow2", *writes, str(image)], check=True, capture_output=True)
    target = tmp_path / "target"
    target.write_bytes(b"")
    os.truncate(target, 256 << 20)
    for _ in range(5):
        qemu_img.convert(image, "qcow2", target, qemu_img.Limits(cpu_s=60, address_space_bytes=256 << 20))
