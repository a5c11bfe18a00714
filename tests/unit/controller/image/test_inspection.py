"""A corpus of hostile images: none of them gets in, whatever it claims to be."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.image.images.inspection import Expectation, Inspection
from controller.web.errors import UnsupportedMedia

CLAIMS = ("raw", "qcow2", "vmdk", "vhd", "iso", "ami", "aki")
KIB = 1024


def verdict(data: bytes, claimed: str, is_strict: bool = False, chunk: int = 64 * KIB) -> int | None:
    inspection = Inspection()
    for at in range(0, len(data), chunk):
        inspection.take(data[at : at + chunk])
    return inspection.verdict(Expectation(claimed, is_strict))


def made(path: Path, *arguments: str) -> bytes:
    """What qemu-img makes."""
    subprocess.run(["qemu-img", "create", "-q", *arguments, str(path), "1M"], check=True)
    return path.read_bytes()


def qcow2_with_backing_file() -> bytes:
    name = b"/etc/passwd"
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, 512, len(name), 16, 1 << 20, 0, 1, 0x30000, 0x10000, 1, 0, 0
    )
    tail = struct.pack(">QQQII", 0, 0, 0, 4, 104)
    return (header + tail).ljust(512, b"\0") + name.ljust(512 * KIB, b"\0")


def qcow2_with_features(features: int, version: int = 3) -> bytes:
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", version, 0, 0, 16, 1 << 20, 0, 1, 0x30000, 0x10000, 1, 0, 0
    )
    return (header + struct.pack(">QQQII", features, 0, 0, 4, 104)).ljust(512 * KIB, b"\0")


def vmdk(descriptor: bytes) -> bytes:
    header = struct.pack("<4sIIQQQQIQQQB", b"KDMV", 1, 3, 2048, 128, 1, 20, 512, 21, 26, 128, 0)
    return header.ljust(512, b"\0") + descriptor.ljust(20 * 512, b"\0") + bytes(512 * KIB)


VMDK_GOOD = b"""# Disk DescriptorFile
version=1
CID=4c8cf0d5
parentCID=ffffffff
createType="monolithicSparse"
RW 2048 SPARSE "disk.vmdk"
ddb.virtualHWVersion = "4"
"""

HOSTILE: dict[str, Callable[[], bytes]] = {
    "qcow2 with a backing file": qcow2_with_backing_file,
    "qcow2 with a data file": lambda: qcow2_with_features(4),
    "qcow2 with unknown features": lambda: qcow2_with_features(1 << 40),
    "qcow2 of version 1": lambda: qcow2_with_features(0, version=1),
    "qed": lambda: b"QED\0".ljust(512 * KIB, b"\0"),
    "vmdk that is flat": lambda: vmdk(
        VMDK_GOOD.replace(b"monolithicSparse", b"monolithicFlat").replace(b"SPARSE", b"FLAT")
    ),
    "vmdk with a path as extent": lambda: vmdk(VMDK_GOOD.replace(b"disk.vmdk", b"/etc/passwd")),
    "vmdk without extents": lambda: vmdk(VMDK_GOOD.replace(b"RW 2048", b"# 2048")),
    "vmdk without a descriptor": lambda: vmdk(b""),
    "vmdk with other lines": lambda: vmdk(VMDK_GOOD + b"include /etc/passwd\n"),
}


@pytest.mark.parametrize("claimed", CLAIMS)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("chunk", [64 * KIB, 97])
def test_hostile_images_are_refused_whatever_they_claim(name: str, claimed: str, chunk: int) -> None:
    data = HOSTILE[name]()
    with pytest.raises(UnsupportedMedia):
        verdict(data[: 64 * KIB] if chunk == 97 else data, claimed, chunk=chunk)


def test_an_image_of_two_formats_is_refused() -> None:
    data = bytearray(qcow2_with_features(0))
    data[0x8000:0x8006] = b"\x01CD001"
    with pytest.raises(UnsupportedMedia, match="several formats"):
        verdict(bytes(data), "qcow2")


@pytest.mark.parametrize(
    ("claimed", "arguments"),
    [
        ("qcow2", ("-f", "qcow2")),
        ("vdi", ("-f", "vdi")),
        ("vhdx", ("-f", "vhdx")),
        ("vmdk", ("-f", "vmdk", "-o", "subformat=monolithicSparse")),
        ("raw", ("-f", "raw")),
    ],
)
def test_honest_images_are_taken_with_their_size(
    tmp_path: Path, claimed: str, arguments: tuple[str, ...]
) -> None:
    assert verdict(made(tmp_path / "disk", *arguments), claimed, is_strict=True) == 1 << 20


def test_backing_and_data_files_as_qemu_makes_them(tmp_path: Path) -> None:
    made(tmp_path / "base", "-f", "raw")
    backed = made(tmp_path / "backed", "-f", "qcow2", "-b", str(tmp_path / "base"), "-F", "raw")
    data = made(tmp_path / "data", "-f", "qcow2", "-o", f"data_file={tmp_path}/canary")
    for hostile in (backed, data):
        for claimed in CLAIMS:
            with pytest.raises(UnsupportedMedia):
                verdict(hostile, claimed)


def test_another_format_is_refused_when_asked_to(tmp_path: Path) -> None:
    data = made(tmp_path / "disk", "-f", "qcow2")
    assert verdict(data, "vhd") is None
    assert verdict(bytes(KIB), "ami", is_strict=True) is None
    for content, claimed in ((data, "vhd"), (bytes(KIB), "qcow2")):
        with pytest.raises(UnsupportedMedia, match="does not match"):
            verdict(content, claimed, is_strict=True)


def test_a_kernel_may_look_like_a_bad_partition_table() -> None:
    kernel = bytearray(64 * KIB)
    kernel[510:512] = b"\x55\xaa"
    kernel[446] = 7
    assert verdict(bytes(kernel), "aki") is None
    with pytest.raises(UnsupportedMedia):
        verdict(bytes(kernel), "raw")


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(0, 2000),
    noise=st.binary(min_size=1, max_size=64),
    name=st.sampled_from(sorted(HOSTILE)),
    claimed=st.sampled_from(CLAIMS),
)
def test_damaged_headers_are_judged_not_crashed_on(at: int, noise: bytes, name: str, claimed: str) -> None:
    data = bytearray(HOSTILE[name]()[: 64 * KIB])
    data[at : at + len(noise)] = noise
    try:
        verdict(bytes(data), claimed)
    except UnsupportedMedia:
        return
