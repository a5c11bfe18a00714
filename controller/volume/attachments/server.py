"""Attachments of servers: what the compute service calls, each a part of its own transaction.

    reserve ──► export ─(is_exported)─► want_in_guest ──► mark_attached
    begin_detach ──► want_in_guest(False) ──► unexport ─(is_unexported)─► finish_detach
                 └─► abort_detach

An export goes only after the device was seen gone on the host: the caller's steps see to that.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.document import Key
from contract.server import Disk, IscsiTarget
from controller.db.columns import new_uuid, now
from controller.db.host_documents import filled, is_gone, standing
from controller.db.outbox import changed
from controller.identity.projects import lock
from controller.volume import documents, secrets
from controller.volume.attachments import devices
from controller.volume.attachments.model import Attachment
from controller.volume.volumes import lookup, states
from controller.volume.volumes.create import Wish, create
from controller.volume.volumes.delete import remove
from controller.volume.volumes.model import Volume
from controller.web.caller import Caller
from controller.web.errors import BadRequest, Conflict

#: Statuses that follow from attachments; in others (error, deleting, …) they change nothing.
_ATTACHED = frozenset({"available", "reserved", "attaching", "in-use", "detaching"})


def reserve(  # noqa: PLR0913 - what a server says of a disk of its own
    session: Session,
    caller_project_id: str,
    volume_id: str,
    server_id: str,
    device: str | None,
    *,
    delete_on_termination: bool = False,
    boot_index: int | None = None,
    tag: str | None = None,
) -> Attachment:
    """Keeps a volume of the project for a server, and a device name in it.

    Raises NotFound; BadRequest (cinder's InvalidVolume) when its status does not allow it; Conflict when
    the device name is taken.
    """
    lock(session, caller_project_id)
    volume = lookup.locked(session, volume_id)
    if volume is None or volume.is_deleted or volume.project_id != caller_project_id:
        raise lookup.missing(volume_id)
    present = lookup.attachments_of(session, volume_id)
    if any(a.server_id == server_id for a in present):
        raise BadRequest(f"Invalid volume: volume {volume_id} is already attached to server {server_id}.")
    is_awaited = volume.is_of_server and not present and states.allows("made", volume.status)
    if not is_awaited:
        states.require("reserve", volume.status, volume.is_multiattach)
    attachment = new_attachment(volume, server_id)
    attachment.is_of_compute = True
    attachment.device = _device(session, server_id, device, boot_index)
    attachment.delete_on_termination, attachment.boot_index = delete_on_termination, boot_index
    attachment.tag = tag
    session.add(attachment)
    session.flush()
    settle(session, volume)
    return attachment


def new_attachment(volume: Volume, server_id: str | None) -> Attachment:
    """A reserved attachment with a secret of its own, not yet written."""
    username, password = secrets.new_chap()
    return Attachment(
        id=new_uuid(),
        volume_id=volume.id,
        project_id=volume.project_id,
        server_id=server_id,
        state="reserved",
        mode="ro" if volume.is_read_only else "rw",
        chap_username=username,
        chap_password=secrets.seal(password),
    )


def settle(session: Session, volume: Volume) -> None:
    """Gives a volume the status that its attachments say, unless it is not made, an error, or leaving."""
    session.flush()
    if volume.status not in _ATTACHED:
        return
    present = lookup.attachments_of(session, volume.id)
    volume.status = states.of_attachments((a.state for a in present), volume.is_multiattach)


def create_for_boot(
    session: Session, caller: Caller, size_gib: int, image_id: str | None, volume_type: str | None
) -> str:
    """A new volume for a server of the same transaction, which may reserve it at once; its id.

    Raises as volumes.create does.
    """
    wish = Wish(
        size_gib=size_gib,
        image_id=image_id,
        volume_type=volume_type,
        is_of_server=True,
        stored={"name": ""},
    )
    return create(session, caller, wish).id


def boot_volume_states(session: Session, server_id: str) -> dict[str, str]:
    """The status of each volume of a server by its id: "creating" and "downloading" are to be waited
    for, "error" means that it was not made."""
    statement = (
        select(Volume.id, Volume.status)
        .join(Attachment, Attachment.volume_id == Volume.id)
        .where(Attachment.server_id == server_id, Attachment.is_of_compute)
    )
    return {volume_id: status for volume_id, status in session.execute(statement)}


def export(session: Session, attachment_id: str, host: str, initiator: str) -> None:
    """Wants the volume shown to ``initiator`` on the compute host ``host``; safe to repeat."""
    attachment = _get(session, attachment_id)
    wanted = (True, host, initiator)
    if (attachment.is_export_wanted, attachment.host, attachment.initiator) != wanted:
        attachment.is_export_wanted, attachment.host, attachment.initiator = wanted
        changed(session, "attachment", attachment_id)
    if attachment.state == "reserved":
        _enter(session, attachment, "attaching")


def is_exported(session: Session, attachment_id: str) -> tuple[str, str]:
    """How far the export is, and why not: ("applied" | "retrying" | "failed" | "", fault)."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    host = attachment and _storage_host(session, attachment)
    if attachment is None or not host:
        return "", ""
    stands = standing(session, documents.DOCUMENTS["export"], Key("export", attachment_id), host)
    if stands.state == "applied" and not attachment.portal:
        return "", ""
    return stands.state, stands.fault


def disks(session: Session, server_id: str) -> list[Disk]:
    """What the server's document names: exported, and wanted in the guest."""
    statement = select(Attachment).where(
        Attachment.server_id == server_id,
        Attachment.is_of_compute,
        Attachment.is_in_guest_wanted,
        Attachment.portal != "",
    )
    rows = session.scalars(statement, execution_options={"populate_existing": True})
    return [_disk(row) for row in rows]


def want_in_guest(session: Session, attachment_id: str, is_wanted: bool) -> None:
    """Wants the disk in the guest's document, or out of it."""
    attachment = session.get(Attachment, attachment_id)
    if attachment is not None and attachment.is_in_guest_wanted != is_wanted:
        attachment.is_in_guest_wanted = is_wanted
        changed(session, "attachment", attachment_id)


def mark_attached(session: Session, attachment_id: str) -> None:
    """The guest has the disk: the volume is in use."""
    attachment = _get(session, attachment_id)
    attachment.attached_at = attachment.attached_at or now()
    _enter(session, attachment, "attached")


def begin_detach(session: Session, attachment_id: str) -> None:
    """The disk is to leave. Raises BadRequest unless it is attached."""
    attachment = _get(session, attachment_id)
    if attachment.state != "attached":
        raise BadRequest(
            f"Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must "
            f"be 'attached' to detach. It is {attachment.state}."
        )
    _enter(session, attachment, "detaching")


def abort_detach(session: Session, attachment_id: str) -> None:
    """The guest did not let go: the disk stays."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None:
        return
    want_in_guest(session, attachment_id, True)
    _enter(session, attachment, "attached")


def unexport(session: Session, attachment_id: str) -> None:
    """Wants the export withdrawn; safe to repeat."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is not None and attachment.is_export_wanted:
        attachment.is_export_wanted = False
        changed(session, "attachment", attachment_id)


def storage_host(session: Session, attachment_id: str) -> str | None:
    """The host that has the attachment's volume."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    return _storage_host(session, attachment) if attachment is not None else None


def is_unexported(session: Session, attachment_id: str) -> bool:
    """Whether the storage host confirmed that the export is gone, or never had it."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None:
        return True
    host = _storage_host(session, attachment)
    return not host or is_gone(session, Key("export", attachment_id), host)


def finish_detach(session: Session, attachment_id: str) -> None:
    """The attachment's end: its row goes, and the volume is available, or deleted where that was asked."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None:
        return
    volume = lookup.locked(session, attachment.volume_id)
    changed(session, "attachment", attachment_id)
    session.delete(attachment)
    session.flush()
    if volume is None or volume.is_deleted:
        return
    if attachment.is_last and not lookup.attachments_of(session, volume.id):
        remove(session, volume, volume.user_id)
    else:
        settle(session, volume)


def release_all(session: Session, server_id: str) -> list[str]:
    """Marks all attachments of a server that is deleted: on their way out, and volumes that were to be
    deleted with it go when ``finish_detach`` ends their attachment. Returns the attachments' ids."""
    ids = []
    for attachment in for_server(session, server_id):
        attachment.is_last = attachment.delete_on_termination
        ids.append(attachment.id)
        if attachment.state != "detaching":
            _enter(session, attachment, "detaching")
    return ids


def for_server(session: Session, server_id: str) -> list[Attachment]:
    """A server's attachments by device."""
    return of_servers(session, [server_id]).get(server_id, [])


def of_servers(session: Session, server_ids: Sequence[str]) -> dict[str, list[Attachment]]:
    """The attachments of many servers, by server id. One query."""
    statement = (
        select(Attachment)
        .where(Attachment.server_id.in_(server_ids), Attachment.is_of_compute)
        .order_by(Attachment.created_at, Attachment.device)
    )
    found: dict[str, list[Attachment]] = {}
    for row in session.scalars(statement, execution_options={"populate_existing": True}):
        found.setdefault(str(row.server_id), []).append(row)
    return found


def by_volume(session: Session, server_id: str, volume_id: str) -> Attachment | None:
    """The attachment of a volume to a server."""
    statement = select(Attachment).where(
        Attachment.server_id == server_id, Attachment.volume_id == volume_id, Attachment.is_of_compute
    )
    return session.scalars(statement).first()


def _enter(session: Session, attachment: Attachment, state: str) -> None:
    attachment.state = state
    volume = lookup.locked(session, attachment.volume_id)
    if volume is not None:
        settle(session, volume)


def _get(session: Session, attachment_id: str) -> Attachment:
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None:
        raise Conflict(f"Attachment {attachment_id} is not there any more.")
    return attachment


def _storage_host(session: Session, attachment: Attachment) -> str | None:
    return session.scalar(select(Volume.host).where(Volume.id == attachment.volume_id))


def _device(session: Session, server_id: str, wanted: str | None, boot_index: int | None) -> str:
    in_use = {a.device for a in for_server(session, server_id) if a.device}
    name = (wanted or "").removeprefix("/dev/")
    if boot_index == 0 and not name:
        name = devices.ROOT
    if name in in_use:
        raise Conflict(f"The supplied device path (/dev/{name}) is in use: name another or none.")
    return name or devices.next_free(in_use)


def _disk(row: Attachment) -> Disk:
    target = filled(IscsiTarget, row, chap_password=secrets.opened(row.chap_password))
    return filled(
        Disk, row, attachment_id=row.id, device=row.device or "", target=target, serial=row.volume_id
    )
