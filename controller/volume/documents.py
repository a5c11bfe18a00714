"""Rows → the documents of a storage host: what ``volume_agent`` makes volumes and exports of."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract import export as contract_export
from contract import volume as contract_volume
from contract.document import Document, Key
from controller.db.host_documents import Dependents, DocumentKind, filled
from controller.volume import secrets
from controller.volume.attachments.model import Attachment
from controller.volume.volumes.model import Volume


def volume_hosts(session: Session, volume_id: str) -> set[str]:
    """The host that was chosen, unless the volume is to go."""
    host = session.scalar(
        select(Volume.host).where(Volume.id == volume_id, ~Volume.is_deleted, ~Volume.is_removal_wanted)
    )
    return {host} if host else set()


def render_volume(session: Session, _host: str, volume_id: str) -> Document | None:
    """The volume's document."""
    row = session.get(Volume, volume_id, populate_existing=True)
    if row is None or row.is_deleted or row.is_removal_wanted:
        return None
    return filled(contract_volume.Volume, row, size_gib=row.wanted_gib)


def export_hosts(session: Session, attachment_id: str) -> set[str]:
    """The volume's host while the export is wanted."""
    host = session.scalar(
        select(Volume.host)
        .join(Attachment, Attachment.volume_id == Volume.id)
        .where(Attachment.id == attachment_id, Attachment.is_export_wanted, ~Volume.is_deleted)
    )
    return {host} if host else set()


def render_export(session: Session, _host: str, attachment_id: str) -> Document | None:
    """The export's document, secret and all."""
    row = session.get(Attachment, attachment_id, populate_existing=True)
    if row is None or not row.is_export_wanted:
        return None
    return filled(
        contract_export.Export,
        row,
        chap_password=secrets.opened(row.chap_password),
        is_read_only=row.mode == "ro",
    )


def _of_attachment(session: Session, attachment_id: str) -> set[Key]:
    """An attachment is in its export, and in the document of the server that has the disk."""
    server_id = session.scalar(select(Attachment.server_id).where(Attachment.id == attachment_id))
    keys = {Key("export", attachment_id)}
    return keys | {Key("server", server_id)} if server_id else keys


def _of_volume(_session: Session, volume_id: str) -> set[Key]:
    return {Key("volume", volume_id)}


DOCUMENTS: dict[str, DocumentKind] = {
    "volume": DocumentKind(volume_hosts, render_volume),
    "export": DocumentKind(export_hosts, render_export),
}
DEPENDENTS: dict[str, Dependents] = {"volume": _of_volume, "attachment": _of_attachment}
