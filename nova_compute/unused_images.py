"""Cached images that no server of this host stands on, and when they go.

An image goes when it was not used for a while, or when room is needed for another one. Whether it is used
is asked of all that could tell: the documents, the overlays on disk (a server that no document names
any more has one too), the domains. While one of them cannot tell, nothing goes.

Nothing is polled: the next look is when the oldest unused image is due, or when a server has left.
"""

import contextlib
import logging
import pathlib
import shutil
import threading

from oslo_config import cfg

from contract.server import Server
from nova_compute.host import qemu_img
from nova_compute.host.libvirt import Hypervisor, HypervisorError
from nova_compute.host.limited import ProgramError
from nova_compute.images import ImageBusyError, ImageCache
from runtime.reconcile.ledger import Ledger

LOG = logging.getLogger(__name__)

#: When it could not be found out what is used.
_AGAIN_S = 300.0


class Users:
    """What may stand on an image."""

    def __init__(self, ledger: Ledger, hypervisor: Hypervisor, servers: pathlib.Path) -> None:
        """``servers`` is the directory of the servers' files."""
        self._ledger = ledger
        self._hypervisor = hypervisor
        self._servers = servers

    def is_named(self, image_id: str) -> bool:
        """Whether a document names it. The bytes are searched: so that of a newer controller counts too."""
        name = image_id.encode()
        return any(name in envelope.body for envelope in self._ledger.documents(Server.KIND))

    def paths(self) -> set[str]:
        """Texts with the paths of all files that overlays and domains of this host stand on.

        Raises ProgramError and HypervisorError when that cannot be known.
        """
        found = set()
        for overlay in self._servers.glob("*/disk"):
            if backing := qemu_img.info(overlay, "qcow2").backing_file:
                found.add(backing)
        for domain in self._hypervisor.domains():
            found |= {domain.definition, domain.live or ""}
        return found


class UnusedImages:
    """Removes what nothing stands on. ``start`` it, and ``wake`` it when a server has left the host."""

    def __init__(self, cache: ImageCache, users: Users, conf: cfg.ConfigOpts) -> None:
        self._cache = cache
        self._users = users
        self._options = conf.image_cache
        self._was_named: set[str] = set()
        self._woken = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="unused-images", daemon=True)

    def start(self) -> None:
        """Looks at once, and from then on when something is due."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._is_stopping = True
        self._woken.set()
        self._thread.join()

    def wake(self) -> None:
        """A server has left: an image may be unused from now on."""
        self._woken.set()

    def make_room(self, size_bytes: int) -> None:
        """Removes unused images of any age if there is not room for so many bytes more."""
        if (
            self._options.remove_unused_base_images
            and shutil.disk_usage(self._cache.directory).free < size_bytes
        ):
            LOG.info("%d bytes are needed in the image cache: what is unused goes", size_bytes)
            self._remove([image_id for image_id in self._cache.ages() if not self._users.is_named(image_id)])

    def look(self) -> float | None:
        """Removes what is due. In how many seconds the next one is; None when nothing is unused."""
        if not self._options.remove_unused_base_images:
            return None
        minimum_age_s = float(self._options.remove_unused_original_minimum_age_seconds)
        due: list[str] = []
        next_s: float | None = None
        for image_id, age_s in self._ages().items():
            if age_s >= minimum_age_s:
                due.append(image_id)
            else:
                next_s = min(next_s or minimum_age_s, minimum_age_s - age_s)
        if due and not self._remove(due):
            return _AGAIN_S
        return next_s

    def _ages(self) -> dict[str, float]:
        """Images that no document names, and for how long."""
        ages = self._cache.ages()
        named = {image_id for image_id in ages if self._users.is_named(image_id)}
        for image_id in named | self._was_named:
            self._cache.note_use(image_id)
        ages = {i: 0.0 if i in self._was_named else age for i, age in ages.items() if i not in named}
        self._was_named = named
        return ages

    def _remove(self, image_ids: list[str]) -> bool:
        """Those that nothing stands on. False when that could not be known."""
        try:
            texts = self._users.paths()
        except (ProgramError, HypervisorError) as error:
            LOG.warning("unused images stay, it cannot be seen what is used: %s", error)
            return False
        for image_id in image_ids:
            path = str(self._cache.path(image_id))
            if any(path in text for text in texts):
                self._cache.note_use(image_id)
            else:
                with contextlib.suppress(ImageBusyError):
                    self._cache.drop(image_id, unless=self._users.is_named)
        return True

    def _run(self) -> None:
        while not self._is_stopping:
            self._woken.clear()
            try:
                next_s = self.look()
            except OSError:
                LOG.exception("unused images stay")
                next_s = _AGAIN_S
            self._woken.wait(next_s)
