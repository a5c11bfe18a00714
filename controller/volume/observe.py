"""Report → rows: what a storage host saw of a volume or an export."""

import msgspec
from sqlalchemy.orm import Session

from contract.export import ExportObserved
from contract.report import Report
from contract.volume import VolumeObserved
from controller.db.outbox import changed
from controller.operations.begin import live_kinds
from controller.volume.attachments.model import Attachment
from controller.volume.volumes import lookup
from controller.volume.volumes.delete import mark_deleted
from controller.volume.volumes.model import Volume


def observe_volume(session: Session, host: str, volume_id: str, report: Report) -> list[str]:
    """Takes in what ``host`` reports; operations on the volume may go on."""
    volume = lookup.locked(session, volume_id)
    if volume is None or volume.host != host or volume.is_deleted:
        return [f"volume:{volume_id}"]
    if report.state == "removed":
        _removed(session, volume)
    elif report.state == "applied":
        observed = msgspec.json.decode(report.observed, type=VolumeObserved)
        volume.observed_state, volume.observed_bytes = observed.state, observed.size_bytes
    return [f"volume:{volume_id}"]


def observe_export(session: Session, host: str, attachment_id: str, report: Report) -> list[str]:
    """Takes in where an export is reached: the documents of its server are built on that."""
    attachment = session.get(Attachment, attachment_id, populate_existing=True)
    if attachment is None:
        return []
    volume = session.get(Volume, attachment.volume_id)
    if volume is not None and volume.host == host:
        _take(session, attachment, report)
    server = [f"server:{attachment.server_id}"] if attachment.server_id else []
    return [*server, f"volume:{attachment.volume_id}"]


def _removed(session: Session, volume: Volume) -> None:
    """What failed to be made is of no host now; what failed to go in time is gone after all."""
    if not volume.is_removal_wanted or live_kinds(session, f"volume:{volume.id}"):
        return
    if volume.status == "error_deleting":
        mark_deleted(volume)
    elif volume.status == "error":
        volume.host, volume.backend, volume.observed_state = None, "", ""


def _take(session: Session, attachment: Attachment, report: Report) -> None:
    if report.state == "removed":
        portal, lun = "", attachment.lun
    elif report.state == "applied":
        observed = msgspec.json.decode(report.observed, type=ExportObserved)
        portal, lun = (observed.portal if observed.is_exported else ""), observed.lun or attachment.lun
    else:
        return
    if (portal, lun) != (attachment.portal, attachment.lun):
        attachment.portal, attachment.lun = portal, lun
        changed(session, "attachment", attachment.id)
