"""What every backend can do with volumes: make, fill, grow, wipe."""

import abc
import pathlib
from dataclasses import dataclass


class BackendError(Exception):
    """The backend could not do it; the message is for the operator. Root of the errors of this tree."""


class NoSpaceError(BackendError):
    """The backend is full."""


@dataclass(frozen=True)
class Capacity:
    """Space of a backend, in bytes, as its storage says (volumes may promise more)."""

    total: int
    free: int


class Backend(abc.ABC):
    """Keeps volumes by id. A volume is there complete or not at all: what is being filled is not a volume.

    Every verb may be repeated and may be killed at any point. All raise BackendError, those that take
    space NoSpaceError. A new volume reads zeros wherever nothing was written to it.
    """

    @abc.abstractmethod
    def find(self, volume_id: str) -> int | None:
        """The size of a volume in bytes; None if there is none."""

    @abc.abstractmethod
    def volumes(self) -> dict[str, int]:
        """Size by id of everything that looks like a volume of ours."""

    @abc.abstractmethod
    def path(self, volume_id: str) -> pathlib.Path:
        """The file or device of a volume, for tgtd."""

    @abc.abstractmethod
    def make(self, volume_id: str, size_bytes: int) -> None:
        """An empty volume."""

    @abc.abstractmethod
    def prepare(self, volume_id: str, size_bytes: int) -> pathlib.Path:
        """Something that reads zeros and may be filled, to become the volume by ``finish``.

        What an earlier attempt left is thrown away.
        """

    @abc.abstractmethod
    def finish(self, volume_id: str) -> None:
        """Makes what was prepared the volume, once its bytes are safe on disk."""

    @abc.abstractmethod
    def discard(self, volume_id: str) -> None:
        """Throws away what was prepared, if anything."""

    @abc.abstractmethod
    def grow(self, volume_id: str, size_bytes: int) -> None:
        """Makes a volume larger; never smaller."""

    @abc.abstractmethod
    def wipe(self, volume_id: str) -> None:
        """Takes a volume away, prepared ones too, so that its bytes come back to nobody."""

    @abc.abstractmethod
    def capacity(self) -> Capacity:
        """How much there is."""
