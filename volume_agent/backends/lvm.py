"""Volumes as LVM's: thin ones in a pool, or thick ones where no pool is named.

Blocks of a thin pool are zeroed when handed out. Extents of a thick volume are zeroed before the volume
is there, as they may come from anybody, and again when it goes.
"""

import contextlib
import pathlib
import uuid
from collections.abc import Iterator

from oslo_config import cfg

from volume_agent.backends.interface import Backend, BackendError, Capacity, NoSpaceError
from volume_agent.host.lvm import Lvm, LvmError, NoExtentsError, NotFoundError

OPTIONS = [
    cfg.StrOpt("volume_group", default="cumulet-volumes", help="LVM volume group of the volumes."),
    cfg.StrOpt("thin_pool", default="", help="Thin pool in volume_group; empty makes thick volumes."),
]
_NAME, _PARTIAL = "volume-", "part-"


class LvmBackend(Backend):
    """One logical volume a volume, ``volume-<id>``; ``part-<id>`` while it is made."""

    def __init__(self, lvm: Lvm, pool: str) -> None:
        self._lvm = lvm
        self._pool = pool

    def find(self, volume_id: str) -> int | None:
        with _errors():
            return self._lvm.size(_name(volume_id))

    def volumes(self) -> dict[str, int]:
        with _errors():
            seen = self._lvm.volumes()
        return {v.name.removeprefix(_NAME): v.size_bytes for v in seen if v.name.startswith(_NAME)}

    def path(self, volume_id: str) -> pathlib.Path:
        return pathlib.Path(self._lvm.device(_name(volume_id)))

    def make(self, volume_id: str, size_bytes: int) -> None:
        if self._pool:
            with _errors():
                self._lvm.create_thin(_name(volume_id), size_bytes, self._pool)
            return
        self.prepare(volume_id, size_bytes)
        self.finish(volume_id)

    def prepare(self, volume_id: str, size_bytes: int) -> pathlib.Path:
        self.discard(volume_id)
        name = _partial(volume_id)
        with _errors():
            if self._pool:
                self._lvm.create_thin(name, size_bytes, self._pool)
            else:
                self._lvm.create_thick(name, size_bytes)
                self._lvm.zero(name)
        return pathlib.Path(self._lvm.device(name))

    def finish(self, volume_id: str) -> None:
        with _errors():
            self._lvm.rename(_partial(volume_id), _name(volume_id))

    def discard(self, volume_id: str) -> None:
        self._remove(_partial(volume_id))

    def grow(self, volume_id: str, size_bytes: int) -> None:
        name = _name(volume_id)
        with _errors():
            if (self._lvm.size(name) or 0) < size_bytes:
                self._lvm.extend(name, size_bytes)

    def wipe(self, volume_id: str) -> None:
        self._remove(_partial(volume_id))
        self._remove(_name(volume_id))

    def capacity(self) -> Capacity:
        with _errors():
            if not self._pool:
                return Capacity(*self._lvm.group_size())
            pool = next((v for v in self._lvm.volumes() if v.name == self._pool), None)
        if pool is None:
            raise BackendError(f"there is no thin pool {self._pool}")
        return Capacity(pool.size_bytes, int(pool.size_bytes * (1 - pool.used_percent / 100)))

    def _remove(self, name: str) -> None:
        with _errors(), contextlib.suppress(NotFoundError):
            if self._lvm.size(name) is None:
                return
            if not self._pool:
                self._lvm.zero(name)
            self._lvm.remove(name)


def _name(volume_id: str) -> str:
    return f"{_NAME}{uuid.UUID(volume_id)}"


def _partial(volume_id: str) -> str:
    return f"{_PARTIAL}{uuid.UUID(volume_id)}"


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except NoExtentsError as error:
        raise NoSpaceError(str(error)) from error
    except LvmError as error:
        raise BackendError(str(error)) from error
