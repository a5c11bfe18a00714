"""Carries plans out: one handler a kind of document."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from contract.document import Document, Key
from contract.export import Export, ExportObserved
from contract.report import Fault
from contract.volume import Volume, VolumeObserved
from runtime import faultpoint
from runtime.reconcile.ledger import Ledger
from runtime.reconcile.outcome import Failed, Retry
from volume_agent import observe, plan, transfer
from volume_agent.backends.interface import Backend, BackendError, NoSpaceError
from volume_agent.exports.interface import Exporter, ExportError, RefusedError, ServiceDownError
from volume_agent.transfer import Transfer

LOG = logging.getLogger(__name__)

#: Waiting for something that mostly pokes us when it happens.
_AGAIN_S = 2.0
_IMAGE_AGAIN_S = 5.0
#: Noted of a volume that was made.
_WAS_HERE = b"was here"

Poke = Callable[[list[Key]], None]


class VolumeHandler:
    """Volumes."""

    def __init__(
        self, backend: tuple[str, Backend], filler: Transfer, exporter: Exporter, ledger: Ledger, poke: Poke
    ) -> None:
        """``backend`` is its name in the cloud, and itself."""
        self._name, self._backend = backend
        self._transfer = filler
        self._exporter = exporter
        self._ledger = ledger
        self._poke = poke

    def apply(self, document: Document) -> VolumeObserved:
        assert isinstance(document, Volume)
        if document.backend not in ("", self._name):
            raise Failed(Fault(message=f"This host has no volume backend {document.backend!r}."))
        with _outcomes():
            key = Key(document.KIND, document.id)
            was_here = self._ledger.note(key) == _WAS_HERE
            actions = plan.volume(document, self._backend.find(document.id), was_here)
            for action in actions:
                self._carry_out(action)
            size = self._backend.find(document.id)
            if size is not None and not was_here:
                self._ledger.set_note(key, _WAS_HERE)
        if actions:
            self._poke(observe.exports_of(self._ledger, document.id))
        return VolumeObserved(state="absent" if size is None else "available", size_bytes=size or 0)

    def remove(self, resource_id: str, document: Document | None) -> None:
        with _outcomes():
            path = self._backend.path(resource_id)
            if observe.exports_of(self._ledger, resource_id) or observe.targets_of(self._exporter, path):
                raise Retry(
                    _AGAIN_S, Fault(message="The volume is still exported: it goes after its exports.")
                )
            for action in plan.removal(resource_id):
                self._carry_out(action)

    def _carry_out(self, action: plan.VolumeAction) -> None:
        LOG.info("volume %s: %s", action.volume_id, type(action).__name__)
        with faultpoint.around("volume", action):
            match action:
                case plan.Make():
                    self._backend.make(action.volume_id, action.size_bytes)
                case plan.Fill():
                    self._fill(action)
                case plan.Grow():
                    self._backend.grow(action.volume_id, action.size_bytes)
                case plan.Wipe():
                    self._backend.wipe(action.volume_id)

    def _fill(self, action: plan.Fill) -> None:
        target = self._backend.prepare(action.volume_id, action.size_bytes)
        try:
            self._transfer.fill(target, action.size_bytes, action.image)
            faultpoint.point("volume.fill.filled")
            self._backend.finish(action.volume_id)
        except Exception:
            self._backend.discard(action.volume_id)
            raise


class ExportHandler:
    """Exports."""

    def __init__(self, backend: Backend, exporter: Exporter, portal: str, ledger: Ledger, poke: Poke) -> None:
        self._backend = backend
        self._exporter = exporter
        self._portal = portal
        self._ledger = ledger
        self._poke = poke

    def apply(self, document: Document) -> ExportObserved:
        assert isinstance(document, Export)
        with _outcomes():
            if self._backend.find(document.volume_id) is None:
                raise Retry(_AGAIN_S, Fault(message="The volume to be attached is not available yet."))
            wanted = plan.share(document, self._backend.path(document.volume_id))
            if plan.is_to_export(wanted, self._exporter.shares().get(document.iqn), self._is_noted(document)):
                self._export(wanted, document)
            seen = self._exporter.shares().get(document.iqn)
        if seen != wanted:
            raise Retry(_AGAIN_S, Fault(message="The volume could not be exported.", details=f"seen: {seen}"))
        return ExportObserved(is_exported=True, portal=self._portal, lun=wanted.lun)

    def remove(self, resource_id: str, document: Document | None) -> None:
        if not isinstance(document, Export):
            return
        with _outcomes():
            faultpoint.point("volume.unexport.before")
            with suppress(ServiceDownError):  # nothing is exported by a tgtd that does not run
                self._exporter.unexport(document.iqn, document.chap_username)
            faultpoint.point("volume.unexport.after")
        self._poke([Key("volume", document.volume_id)])

    def _export(self, wanted: plan.Share, document: Export) -> None:
        LOG.info("export %s: volume %s as %s", document.id, document.volume_id, wanted.iqn)
        faultpoint.point("volume.export.before")
        self._exporter.export(wanted, document.chap_password)
        self._ledger.set_note(_key(document), _secret(document))
        faultpoint.point("volume.export.after")

    def _is_noted(self, document: Export) -> bool:
        return self._ledger.note(_key(document)) == _secret(document)


def _key(document: Export) -> Key:
    return Key("export", document.id)


def _secret(document: Export) -> bytes:
    """Stands for the account with which an export was made, as tgtd tells no password."""
    return hashlib.sha256(f"{document.chap_username}\0{document.chap_password}".encode()).hexdigest().encode()


@contextmanager
def _outcomes() -> Iterator[None]:
    """What the parts' errors mean for the document."""
    try:
        yield
    except (NoSpaceError, transfer.NoSpaceError) as error:
        raise _failed("The storage of this host is full.", error) from error
    except plan.VolumeLostError as error:
        raise _retry(
            _IMAGE_AGAIN_S, "The volume is gone from its host. Is its storage mounted?", error
        ) from error
    except transfer.RefusedError as error:
        raise _failed(f"The image cannot be used for this volume: {error}", error) from error
    except RefusedError as error:
        raise _failed("The volume cannot be exported as asked.", error) from error
    except transfer.UnavailableError as error:
        raise _retry(_IMAGE_AGAIN_S, "The image could not be fetched yet.", error) from error
    except ServiceDownError as error:
        raise _retry(_AGAIN_S, "The iSCSI service of the storage host does not run.", error) from error
    except (BackendError, ExportError) as error:
        raise _retry(_IMAGE_AGAIN_S, "The storage of this host has an error.", error) from error


def _failed(message: str, error: Exception) -> Failed:
    return Failed(Fault(message=message, details=str(error)))


def _retry(after_s: float, message: str, error: Exception) -> Retry:
    return Retry(after_s, Fault(message=message, details=str(error)))
