"""volume.create: a host is chosen, and makes the volume.

choose ──► make (an empty one) ──► fill (one from an image) ──► available, or reserved by its server
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from contract.document import Key
from controller.db import agents
from controller.db.host_documents import standing
from controller.db.outbox import changed
from controller.operations.begin import wake
from controller.operations.model import Operation
from controller.operations.step import Definition, Run, Step, StepFailed, Waiting
from controller.scheduler.volume_pick import StorageHost, VolumeRequest, pick
from controller.volume import documents
from controller.volume.attachments.model import Attachment
from controller.volume.types.model import VolumeType
from controller.volume.volumes import lookup, states
from controller.volume.volumes.model import ZONE, Volume

NO_HOST = "No storage host can take the volume: see the volume types' extra specs and the pools' free space."


def storage_hosts(session: Session) -> list[StorageHost]:
    """All storage hosts as the scheduler sees them. Two queries."""
    promised = {
        host: int(gib)
        for host, gib in session.execute(
            select(Volume.host, func.sum(Volume.wanted_gib))
            .where(Volume.host.is_not(None), ~Volume.is_deleted, Volume.observed_state == "")
            .group_by(Volume.host)
        )
    }
    return [
        StorageHost(
            host=a.host,
            backend=str(a.capabilities.get("backend", "")),
            free_gib=int(a.capabilities.get("free_gib", 0)) - promised.get(a.host, 0),
            is_up=a.is_up,
            is_disabled=a.is_disabled,
            frozen=a.frozen,
            availability_zone=ZONE,
        )
        for a in agents.of_kind(session, "volume-agent")
    ]


def _choose(run: Run) -> Waiting | None:
    """Chooses a storage host, one operation after the other."""
    return run.write(lambda session: _place(session, run))


def _place(session: Session, run: Run) -> Waiting | None:
    volume = _current(session, run)
    if volume.host is not None:
        return None
    _lock_hosts(session)
    volume_type = session.get(VolumeType, volume.volume_type_id)
    request = VolumeRequest(
        size_gib=volume.wanted_gib,
        backend=str((volume_type.extra_specs if volume_type else {}).get("volume_backend_name") or ""),
        availability_zone=volume.availability_zone,
    )
    hosts = storage_hosts(session)
    ranking = pick(request, hosts)
    silent = [h.host for h in hosts if not (h.is_up or h.is_disabled)]
    if not ranking.candidates and silent and run.left_s > 1:
        # an engine that was away has heard nobody: hosts are given the time to say that they live
        return Waiting(f"{', '.join(silent)} to be heard", again_s=1.0)
    if not ranking.candidates:
        raise StepFailed(NO_HOST, ranking.explain())
    volume.host, volume.backend = ranking.candidates[0].host, ranking.candidates[0].backend
    if volume.source_image is not None and states.allows("download", volume.status):
        volume.status = states.MOVES["download"].target
    changed(session, "volume", volume.id)
    return None


def _lock_hosts(session: Session) -> None:
    """Choices stand in line, so that two do not count on the same free space."""
    session.execute(
        update(agents.Agent)
        .where(agents.Agent.agent == "volume-agent")
        .values(number=agents.Agent.number, updated_at=agents.Agent.updated_at),
        execution_options={"synchronize_session": False},
    )


def _make(run: Run) -> Waiting | None:
    """Waits for an empty volume; one from an image passes."""
    return _made(run, is_from_image=False)


def _fill(run: Run) -> Waiting | None:
    """Waits for a volume from an image; an empty one passes."""
    return _made(run, is_from_image=True)


def _made(run: Run, is_from_image: bool) -> Waiting | None:
    """Waits until the host shows the volume. Filling from an image may take much longer, so it is a step
    of its own: each passes what is the other's."""
    with run.db.read() as session:
        volume = _current(session, run)
        if (volume.source_image is not None) != is_from_image:
            return None
        host = str(volume.host)
        stands = standing(session, documents.DOCUMENTS["volume"], Key("volume", volume.id), host)
        is_there = volume.observed_state == "available"
    if stands.state == "failed":
        raise StepFailed(f"The storage host could not make the volume: {stands.fault}", stands.fault_details)
    return None if stands.state == "applied" and is_there else Waiting(f"host {host}", fault=stands.fault)


def _current(session: Session, run: Run) -> Volume:
    volume = session.get(Volume, run.resource_id, populate_existing=True)
    if volume is None or volume.is_deleted:
        raise StepFailed("The volume was deleted.")
    return volume


def _done(session: Session, operation: Operation) -> None:
    """Available, or what its attachments say; a server that waits for it goes on."""
    volume = lookup.locked(session, operation.subject.partition(":")[2])
    if volume is None or not states.allows("made", volume.status):
        return
    attachments = lookup.attachments_of(session, volume.id)
    volume.status = states.of_attachments((a.state for a in attachments), volume.is_multiattach)
    volume.is_bootable = volume.is_bootable or volume.source_image is not None
    wake(session, *_servers(attachments))


def _failed(session: Session, operation: Operation) -> None:
    """Error, and its host is ordered to clean up what there may be."""
    volume = lookup.locked(session, operation.subject.partition(":")[2])
    if volume is None or not states.allows("fail", volume.status):
        return
    volume.status, volume.fault = "error", operation.fault
    if volume.host is not None:
        volume.is_removal_wanted = True
        changed(session, "volume", volume.id)
    wake(session, *_servers(lookup.attachments_of(session, volume.id)))


def _servers(attachments: list[Attachment]) -> set[str]:
    return {f"server:{a.server_id}" for a in attachments if a.server_id}


_LATE = "The storage host did not make the volume in time."

DEFINITION = Definition(
    kind="volume.create",
    action="create",
    steps=(
        Step("choose", _choose, deadline_s=15, late=NO_HOST),
        Step("make", _make, deadline_s=120, late=_LATE),
        Step("fill", _fill, deadline_s=3600, late=_LATE),
    ),
    on_done=_done,
    on_failed=_failed,
)
