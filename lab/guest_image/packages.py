"""Fetches Debian packages by name into a cache and unpacks them: nothing is installed on this host."""

import hashlib
import pathlib
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

#: A meta package whose dependency is the newest kernel of the release.
KERNEL = "linux-image-cloud-amd64"

#: What the guest runs, then the libraries of these, then what only makes the disk.
NAMES = (
    *(
        "busybox",
        "busybox-static",
        "dhcpcd-base",
        "dropbear-bin",
        "openssh-sftp-server",
        "sudo",
        "curl",
        "jq",
        "iperf3",
        "netcat-openbsd",
    ),
    *("iputils-ping", "util-linux", "e2fsprogs", "dosfstools"),
    *(
        "libc6",
        "libaudit1",
        "libblkid1",
        "libbrotli1",
        "libbsd0",
        "libcap-ng0",
        "libcap2",
        "libcom-err2",
        "libcrypt1",
    ),
    *("libcurl4", "libext2fs2", "libffi8", "libgmp10", "libgnutls30"),
    *("libgssapi-krb5-2", "libhogweed6", "libidn2-0", "libiperf0", "libjq1"),
    *("libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0", "libldap-2.5-0", "libmd0"),
    *("libmount1", "libnettle8", "libnghttp2-14", "libonig5", "libp11-kit0"),
    *("libpam-modules", "libpam0g", "libpcre2-8-0", "libpsl5", "librtmp1", "libsasl2-2"),
    *("libsctp1", "libselinux1", "libsmartcols1", "libssh2-1", "libssl3", "libtasn1-6"),
    *("libtomcrypt1", "libtommath1", "libudev1", "libunistring2", "libuuid1", "libzstd1", "zlib1g"),
    *("syslinux", "syslinux-common", "mtools"),
)
#: Unpacked apart, as it has the same files as another: see ``aside``.
_ASIDE = ("busybox-static",)


class PackageError(Exception):
    """A package could not be had: the message names it and the remedy."""


def unpacked(cache: pathlib.Path) -> pathlib.Path:
    """A directory under ``cache`` with the newest version of all packages unpacked into it."""
    names = (*NAMES, _kernel_package())
    files = _file_names(names)
    digest = hashlib.sha256("\n".join(sorted(files.values())).encode()).hexdigest()[:16]
    stage = cache / f"stage-{digest}"
    if not stage.exists():
        _fetch(cache / "archives", files)
        _unpack([cache / "archives" / file for file in files.values()], stage)
        _drop_others(stage)
    return stage


def aside(stage: pathlib.Path, name: str) -> pathlib.Path:
    """Where a package lies that is unpacked apart from the others."""
    return stage / "aside" / name


def _kernel_package() -> str:
    for line in _output(["apt-cache", "depends", KERNEL]).splitlines():
        word, _, name = line.strip().partition(": ")
        if word == "Depends" and name.startswith("linux-image-"):
            return name
    raise PackageError(f"{KERNEL} is not known here: run 'apt-get update'")


def _file_names(names: Sequence[str]) -> dict[str, str]:
    """The archive's file name of each package: ``'URI' FILE SIZE HASH`` is a line of apt-get's."""
    files = [
        line.split()[1] for line in _output(["apt-get", "download", "--print-uris", *names]).splitlines()
    ]
    return {file.partition("_")[0]: file for file in files}


def _fetch(archives: pathlib.Path, files: dict[str, str]) -> None:
    archives.mkdir(parents=True, exist_ok=True)
    missing = [name for name, file in files.items() if not (archives / file).exists()]
    if missing:
        _output(["apt-get", "download", "-o", "APT::Sandbox::User=root", *missing], archives)


def _unpack(archives: list[pathlib.Path], stage: pathlib.Path) -> None:
    partial = stage.with_suffix(".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda archive: _unpack_one(archive, partial), archives))
    partial.rename(stage)


def _unpack_one(archive: pathlib.Path, stage: pathlib.Path) -> None:
    name = archive.name.partition("_")[0]
    target = aside(stage, name) if name in _ASIDE else stage
    target.mkdir(parents=True, exist_ok=True)
    _output(["dpkg-deb", "-x", str(archive), str(target)])


def _drop_others(stage: pathlib.Path) -> None:
    for other in stage.parent.glob("stage-*"):
        if other != stage:
            shutil.rmtree(other)


def _output(command: list[str], directory: pathlib.Path | None = None) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"{' '.join(command[:2])}: {done.stderr.strip()[-600:]}: try 'apt-get update'")
    return done.stdout
