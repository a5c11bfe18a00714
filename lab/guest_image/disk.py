"""Makes the bootable disk without mounting anything: MBR, a FAT partition that syslinux boots, an ext4 root.

The root is partition 1 though it lies behind partition 2: it is what tools expect, and it can grow to the
end of the disk. A boot partition of its own lets syslinux be installed from outside, and the root have
all of ext4's features.
"""

import os
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20
SECTOR = 512
BOOT_MIB, ROOT_MIB = 24, 96
BOOT_START, ROOT_START = MIB, (1 + BOOT_MIB) * MIB
_SIGNATURE = b"CMLT"
_ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "E2FSPROGS_FAKE_TIME": "1700000000"}
_UUID = "c0000000-0000-4000-8000-000000000001"


def write(
    stage: pathlib.Path, parts: tuple[pathlib.Path, bytes, pathlib.Path], work: pathlib.Path
) -> pathlib.Path:
    """The raw disk made of (kernel, initramfs, root directory), in the directory ``work``."""
    kernel, initramfs, root = parts
    disk = work / "disk.raw"
    with disk.open("wb") as file:
        file.truncate(ROOT_START + ROOT_MIB * MIB)
        file.write(_master_boot_record(stage))
    (work / "initrd").write_bytes(initramfs)
    _write_boot(
        stage,
        disk,
        {"vmlinuz": kernel, "initrd": work / "initrd", "syslinux.cfg": HERE / "boot/syslinux.cfg"},
    )
    _write_root(root, disk)
    return disk


def to_qcow2(disk: pathlib.Path, target: pathlib.Path) -> None:
    """Compresses the disk into ``target``, which appears complete or not at all."""
    partial = target.with_name(target.name + ".part")
    _run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", str(disk), str(partial)])
    partial.replace(target)


def _master_boot_record(stage: pathlib.Path) -> bytes:
    code = (stage / "usr/lib/syslinux/mbr/mbr.bin").read_bytes()[:440]
    root = _partition(0x83, ROOT_START, ROOT_MIB * MIB, is_active=False)
    boot = _partition(0x0C, BOOT_START, BOOT_MIB * MIB, is_active=True)
    return code.ljust(440, b"\0") + _SIGNATURE + b"\0\0" + root + boot + b"\0" * 32 + b"\x55\xaa"


def _partition(kind: int, start: int, size: int, is_active: bool) -> bytes:
    """A table entry with addresses in sectors; cylinders, heads and sectors say "too big for us"."""
    beyond = b"\xfe\xff\xff"
    flag = b"\x80" if is_active else b"\0"
    return flag + beyond + bytes([kind]) + beyond + struct.pack("<II", start // SECTOR, size // SECTOR)


def _write_boot(stage: pathlib.Path, disk: pathlib.Path, files: dict[str, pathlib.Path]) -> None:
    mkfs, place = stage / "sbin/mkfs.fat", f"{disk}@@{BOOT_START}"
    options = [
        "-F",
        "16",
        "-n",
        "BOOT",
        "-i",
        "c0000002",
        "--invariant",
        "--mbr=n",
        "-h",
        str(BOOT_START // SECTOR),
    ]
    offset = ["--offset", str(BOOT_START // SECTOR)]
    _run([str(mkfs), *options, *offset, str(disk), str(BOOT_MIB * 1024)])
    for name, source in files.items():
        _run([str(stage / "usr/bin/mtools"), "-c", "mcopy", "-i", place, "-m", str(source), f"::{name}"])
    _run([str(stage / "usr/bin/syslinux"), "--install", "--offset", str(BOOT_START), str(disk)])


def _write_root(root: pathlib.Path, disk: pathlib.Path) -> None:
    """An ext4 made from a directory; ``resize`` keeps room for growing to a TiB while mounted."""
    extended = f"offset={ROOT_START},resize=268435456,hash_seed={_UUID},root_owner=0:0"
    options = ["-q", "-F", "-t", "ext4", "-b", "4096", "-i", "16384", "-m", "0", "-L", "cumulet-root"]
    _run(["mke2fs", *options, "-U", _UUID, "-E", extended, "-d", str(root), str(disk), f"{ROOT_MIB}M"])


def _run(command: list[str]) -> None:
    environment = {**_ENVIRONMENT, "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
