"""The files of a server on this host: overlay, config drive, console log; and the images they stand on."""

import contextlib
import errno
import logging
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator

from contract.server import BootImage, Server
from nova_compute import config_drive, images
from nova_compute.domain.machine import Files, Root
from nova_compute.host import qemu_img
from nova_compute.host.limited import ProgramError

LOG = logging.getLogger(__name__)

_GIB = 1 << 30


class DiskLostError(Exception):
    """The disk of a server that ran before is not there: an empty one must not take its place."""


class NoRoomError(Exception):
    """The host's disk is full: another host may have room for a server that is new."""


class ServerFiles:
    """``state_path/servers/<id>/``."""

    def __init__(
        self,
        directory: pathlib.Path,
        cache: images.ImageCache,
        discarded: Callable[[], None] = lambda: None,
    ) -> None:
        """``discarded`` is called when a server's files are gone: its image may be unused now."""
        self._directory = directory
        self._cache = cache
        self._discarded = discarded

    def of(self, server: Server) -> Files:
        """Where everything of the server is, made or not."""
        home, image = self.home(server.id), server.image
        root = None
        if image is not None:
            root = Root(
                path=str(home / "disk"),
                base_path=str(self._cache.path(image.id)),
                base_format=images.base_format(image.disk_format),
            )
        return Files(
            console=str(self.console(server.id)),
            root=root,
            kernel=self._plain(image.kernel_id) if image else None,
            ramdisk=self._plain(image.ramdisk_id) if image else None,
            config_drive=str(home / "config.iso") if server.config_drive else None,
        )

    def home(self, server_id: str) -> pathlib.Path:
        """The server's directory."""
        return self._directory / server_id

    def console(self, server_id: str) -> pathlib.Path:
        """The file that the serial port is written to."""
        return self.home(server_id) / "console.log"

    def known(self) -> list[str]:
        """Names of all directories here: ids of servers that were."""
        return sorted(path.name for path in self._directory.iterdir()) if self._directory.exists() else []

    def make(self, server: Server, has_run: bool) -> None:
        """Makes what is missing. Raises DiskLostError, NoRoomError unless the server ran here before, and what
        images and programs raise."""
        with contextlib.nullcontext() if has_run else _room():
            self._make(server, has_run)

    def _make(self, server: Server, has_run: bool) -> None:
        home = self.home(server.id)
        home.mkdir(parents=True, exist_ok=True)
        if server.image is not None:
            self._make_root(server, server.image, has_run)
        drive = home / "config.iso"
        if server.config_drive is not None and not drive.exists():
            config_drive.make(server.config_drive, drive)

    def discard(self, server_id: str) -> None:
        """Leaves nothing of a server; fine if there is nothing."""
        home = self.home(server_id)
        if home.exists():
            shutil.rmtree(home)
            self._discarded()

    def _make_root(self, server: Server, image: BootImage, has_run: bool) -> None:
        target = self.home(server.id) / "disk"
        if has_run and not target.exists():
            raise DiskLostError(str(target))
        size = self._cache.make_ready(image, server.flavor.disk_gib, server.id)
        for plain in _plain_images(image):
            self._cache.make_plain_ready(plain, server.id)
        if target.exists():
            return
        fresh = target.with_name("disk.new")
        fresh.unlink(missing_ok=True)
        base = self._cache.path(image.id)
        base_format = images.base_format(image.disk_format)
        qemu_img.create_overlay(base, base_format, fresh, server.flavor.disk_gib * _GIB or size)
        fresh.chmod(0o600)  # libvirt gives it to the user that QEMU runs as
        fresh.replace(target)

    def _plain(self, image_id: str | None) -> str | None:
        return str(self._cache.path(image_id)) if image_id else None


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Tells a full disk from other trouble with files. Raises NoRoomError."""
    try:
        yield
    except (OSError, ProgramError) as error:
        is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        if is_full or os.strerror(errno.ENOSPC) in str(error):
            raise NoRoomError(str(error)) from error
        raise


def _plain_images(image: BootImage) -> list[tuple[str, str]]:
    given = ((image.kernel_id, image.kernel_sha512), (image.ramdisk_id, image.ramdisk_sha512))
    return [(image_id, sha512 or "") for image_id, sha512 in given if image_id]
