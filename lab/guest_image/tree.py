"""Puts the guest's root directory and its initramfs together from unpacked packages and our own files."""

import gzip
import os
import pathlib
import re
import shutil
import stat
import subprocess

from lab.guest_image import packages

HERE = pathlib.Path(__file__).parent
LIBRARIES = "lib/x86_64-linux-gnu"

PROGRAMS = (
    *(
        "dropbear",
        "dropbearkey",
        "dbclient",
        "sudo",
        "curl",
        "jq",
        "nc.openbsd",
        "iperf3",
        "ping",
        "ping6",
        "dhcpcd",
    ),
    *("su", "lsblk", "blkid", "mkfs", "mke2fs", "mkfs.ext4", "resize2fs", "mkfs.fat", "mkfs.vfat"),
)
#: Loaded by the initramfs to find the root.
DISK_MODULES = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "ata_piix")
#: Loaded by the guest itself, with stock options.
MODULES = (
    *("virtio_net", "virtio_console", "virtio_rng", "virtio_balloon", "sr_mod", "isofs", "vfat"),
    *("nls_cp437", "nls_ascii", "nls_iso8859-1", "evdev", "button", "8021q"),
)
_DIRECTORIES = (
    *("dev", "proc", "sys", "run", "tmp", "mnt", "root/.ssh", "home/cumulet/.ssh", "etc/dropbear"),
    *("var/lib/cumulet-guest", "var/log", "usr/bin", f"usr/{LIBRARIES}/security", "usr/lib64"),
    *("usr/lib/modules", "usr/libexec/sudo"),
)
#: The static busybox runs its applets without starting a program: an emulated CPU takes 70 ms to start one.
_BOOT_SHELL = "usr/lib/cumulet-guest/sh"
#: All commands are in one directory, so that every PATH finds them.
_LINKS = {
    "bin": "usr/bin",
    "sbin": "usr/bin",
    "usr/sbin": "bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "usr/lib64/ld-linux-x86-64.so.2": f"../{LIBRARIES}/ld-linux-x86-64.so.2",
    "var/run": "../run",
    "usr/lib/sftp-server": "openssh/sftp-server",
    "etc/resolv.conf": "../run/resolv.conf",
    "etc/mtab": "../proc/mounts",
    "usr/bin/ssh": "dbclient",
}


class TreeError(Exception):
    """The packages do not hold what the guest needs."""


def build_root(stage: pathlib.Path, root: pathlib.Path) -> None:
    """Fills ``root`` with the guest's files."""
    for directory in _DIRECTORIES:
        (root / directory).mkdir(parents=True, exist_ok=True)
    for link, target in _LINKS.items():
        (root / link).symlink_to(target)
    _copy_programs(stage, root)
    _copy_modules(stage, root / "usr/lib/modules", (*DISK_MODULES, *MODULES))
    shutil.copytree(HERE / "rootfs", root, dirs_exist_ok=True)
    _link_applets(stage, root)
    _set_modes(root)


def build_initramfs(stage: pathlib.Path, directory: pathlib.Path) -> bytes:
    """The compressed archive that finds the root and goes there; ``directory`` is empty and for its files."""
    for name in ("bin", "dev", "proc", "sys", "newroot", "modules"):
        (directory / name).mkdir()
    shutil.copy2(_static_busybox(stage), directory / "bin/busybox")
    (directory / "bin/sh").symlink_to("busybox")
    _copy_modules(stage, directory / "modules", DISK_MODULES)
    shutil.copy2(HERE / "initramfs/init", directory / "init")
    (directory / "init").chmod(0o755)
    return gzip.compress(_cpio(directory), mtime=0)


def kernel(stage: pathlib.Path) -> pathlib.Path:
    """The kernel's file."""
    return next(stage.glob("boot/vmlinuz-*"))


def _program(stage: pathlib.Path, name: str) -> pathlib.Path:
    for directory in ("usr/bin", "usr/sbin", "bin", "sbin"):
        if (stage / directory / name).exists():
            return stage / directory / name
    raise TreeError(f"none of the packages has the program {name}")


def _static_busybox(stage: pathlib.Path) -> pathlib.Path:
    return packages.aside(stage, "busybox-static") / "bin/busybox"


def _copy_programs(stage: pathlib.Path, root: pathlib.Path) -> None:
    for name in (*PROGRAMS, "busybox"):
        _copy_with_libraries(stage, _program(stage, name), root / "usr/bin" / name, root)
    (root / _BOOT_SHELL).parent.mkdir()
    shutil.copy2(_static_busybox(stage), root / _BOOT_SHELL)
    (root / "usr/bin/init").symlink_to(f"../../{_BOOT_SHELL}")
    sftp = "usr/lib/openssh/sftp-server"
    (root / sftp).parent.mkdir()
    _copy_with_libraries(stage, stage / sftp, root / sftp, root)
    for plugin in ("sudoers.so", "sudo_noexec.so"):
        path = f"usr/libexec/sudo/{plugin}"
        _copy_with_libraries(stage, stage / path, root / path, root)
    permit = f"{LIBRARIES}/security/pam_permit.so"
    _copy_with_libraries(stage, stage / permit, root / "usr" / permit, root)


def _copy_with_libraries(
    stage: pathlib.Path, source: pathlib.Path, target: pathlib.Path, root: pathlib.Path
) -> None:
    shutil.copy2(source, target)
    for library in _libraries(stage, source):
        place = root / "usr" / LIBRARIES / library.name
        if not place.exists():
            shutil.copy2(library, place)


def _libraries(stage: pathlib.Path, program: pathlib.Path) -> list[pathlib.Path]:
    """Shared libraries of a program as the unpacked loader finds them, the loader among them."""
    loader = stage / LIBRARIES / "ld-linux-x86-64.so.2"
    if subprocess.run([loader, "--verify", program], check=False).returncode == 1:
        return []  # statically linked
    search = f"{stage / LIBRARIES}:{stage / 'usr' / LIBRARIES}:{stage / 'usr/libexec/sudo'}"
    command = [str(loader), "--library-path", search, "--list", str(program)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    missing = re.findall(r"(\S+) => not found", listed.stdout)
    if listed.returncode or missing:
        raise TreeError(f"{program.name} needs {missing or listed.stderr}: add its package to packages.py")
    found = [pathlib.Path(path) for path in re.findall(r"=> (/\S+) \(", listed.stdout)]
    strangers = [path for path in found if not path.is_relative_to(stage)]
    if strangers:
        raise TreeError(f"{program.name} would take {strangers} of this host: add its package to packages.py")
    return [*found, loader] if found else []


def _copy_modules(stage: pathlib.Path, target: pathlib.Path, names: tuple[str, ...]) -> None:
    """Copies modules and what they need, and writes the order of loading to the file ``order``."""
    release = next((stage / "lib/modules").iterdir())
    index = release / "modules.dep"
    if not index.exists():
        subprocess.run(["depmod", "-b", str(stage), release.name], check=True)
    needs = {
        line.partition(":")[0]: line.partition(":")[2].split() for line in index.read_text().splitlines()
    }
    paths = {pathlib.Path(path).stem.replace("-", "_"): path for path in needs}
    order: list[str] = []
    for name in names:
        path = paths.get(name.replace("-", "_"))
        if path is None:
            raise TreeError(f"kernel {release.name} has no module {name}")
        order += [p for p in (*reversed(needs[path]), path) if p not in order]
    for path in order:
        shutil.copyfile(release / path, target / pathlib.Path(path).name)
    (target / "order").write_text("".join(f"{pathlib.Path(path).name}\n" for path in order))


def _link_applets(stage: pathlib.Path, root: pathlib.Path) -> None:
    listed = subprocess.run(
        [_program(stage, "busybox"), "--list"], capture_output=True, text=True, check=True
    )
    for applet in listed.stdout.split():
        link = root / "usr/bin" / applet
        if not link.exists() and not link.is_symlink():
            link.symlink_to("busybox")


def _set_modes(root: pathlib.Path) -> None:
    for path in root.rglob("*"):
        if path.is_symlink():
            continue
        is_program = path.is_file() and path.read_bytes()[:2] == b"#!"
        path.chmod(0o755 if path.is_dir() or is_program or os.access(path, os.X_OK) else 0o644)
    (root / "usr/bin/sudo").chmod(0o4755)
    (root / "etc/sudoers").chmod(0o440)
    (root / "etc/shadow").chmod(0o600)
    (root / "tmp").chmod(0o1777)
    for home in ("root", "root/.ssh", "home/cumulet", "home/cumulet/.ssh"):
        (root / home).chmod(0o700)
    for owned in ("home/cumulet", "home/cumulet/.ssh"):
        os.chown(root / owned, 1000, 1000)


def _cpio(directory: pathlib.Path) -> bytes:
    """A "newc" archive, owned by root and without times, so that equal input gives equal bytes."""
    paths = sorted(directory.rglob("*"))
    parts = [_cpio_entry(n, path, directory) for n, path in enumerate(paths, start=1)]
    return b"".join(parts) + _cpio_header(0, "TRAILER!!!", 0, 0)


def _cpio_entry(number: int, path: pathlib.Path, directory: pathlib.Path) -> bytes:
    mode, body = path.lstat().st_mode, b""
    if stat.S_ISLNK(mode):
        body = os.readlink(path).encode()
    elif stat.S_ISREG(mode):
        body = path.read_bytes()
    header = _cpio_header(number, str(path.relative_to(directory)), mode, len(body))
    return header + body + b"\0" * (-len(body) % 4)


def _cpio_header(number: int, name: str, mode: int, size: int) -> bytes:
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
    return header + b"\0" * (-len(header) % 4)
