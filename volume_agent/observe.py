"""What is on this host: volumes, targets, capacity."""

import importlib.metadata
import pathlib
from dataclasses import dataclass

from contract.calls import Finding, InspectAnswer
from contract.document import Key
from contract.export import Export
from contract.kinds import decode
from contract.report import Capabilities
from runtime.reconcile.ledger import Ledger
from volume_agent.backends.interface import Backend, BackendError
from volume_agent.exports.interface import Exporter, ExportError, ServiceDownError
from volume_agent.plan import GIB


@dataclass(frozen=True)
class Identity:
    """What this agent tells of itself whatever the host looks like."""

    backend: str
    portal: str
    host_ip: str


def describe(identity: Identity, backend: Backend) -> Capabilities:
    """The host's storage, for the scheduler. A backend that does not answer has no space."""
    try:
        capacity = backend.capacity()
        total, free = capacity.total // GIB, capacity.free // GIB
    except BackendError:
        total, free = 0, 0
    return Capabilities(
        version=importlib.metadata.version("cumulet"),
        host_ip=identity.host_ip,
        storage_protocol="iSCSI",
        backend=identity.backend,
        total_gib=total,
        free_gib=free,
    )


def exports(ledger: Ledger) -> list[Export]:
    """All exports that this host has a document for, those to be removed too."""
    documents = (decode(envelope) for envelope in ledger.documents("export"))
    return [document for document in documents if isinstance(document, Export)]


def exports_of(ledger: Ledger, volume_id: str) -> list[Key]:
    """The exports that a volume is to have."""
    keys = [Key("export", export.id) for export in exports(ledger) if export.volume_id == volume_id]
    return [key for key in keys if ledger.tombstone(key) is None]


def targets_of(exporter: Exporter, path: pathlib.Path) -> list[str]:
    """IQNs of the targets that show ``path``; none where the service that would does not run."""
    try:
        return [iqn for iqn, share in exporter.shares().items() if share.path == path]
    except ServiceDownError:
        return []


def inspect(ledger: Ledger, backend: Backend, exporter: Exporter) -> InspectAnswer:
    """Every volume and target seen, known or not, for the doctor."""
    return InspectAnswer(findings=(*_volumes(ledger, backend), *_targets(ledger, exporter)))


def _volumes(ledger: Ledger, backend: Backend) -> list[Finding]:
    try:
        seen = backend.volumes()
    except BackendError as error:
        return [Finding(kind="volume", id="", place="backend", is_known=False, details=str(error))]
    return [
        Finding(
            kind="volume",
            id=volume_id,
            place=str(backend.path(volume_id)),
            is_known=ledger.document(Key("volume", volume_id)) is not None,
            details=f"{size} bytes",
        )
        for volume_id, size in sorted(seen.items())
    ]


def _targets(ledger: Ledger, exporter: Exporter) -> list[Finding]:
    known = {export.iqn: export.id for export in exports(ledger)}
    try:
        seen = exporter.shares()
    except ExportError as error:
        return [Finding(kind="export", id="", place="exporter", is_known=False, details=str(error))]
    return [
        Finding(
            kind="export", id=known.get(iqn, ""), place=iqn, is_known=iqn in known, details=str(share.path)
        )
        for iqn, share in sorted(seen.items())
    ]
