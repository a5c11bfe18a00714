"""Exports by tgtd: a target with one disk and one CHAP account for each attachment.

The number of a target is derived from its IQN. tgt derives the disk's NAA name from it, so numbers
counted from 1 would give one volume the name that another had before tgtd restarted.
"""

import contextlib
import hashlib
import ipaddress
import pathlib
import threading
from collections.abc import Iterator

from oslo_config import cfg

from volume_agent.exports.interface import Exporter, ExportError, RefusedError, ServiceDownError
from volume_agent.host import tgtadm
from volume_agent.plan import Share

OPTIONS = [
    cfg.StrOpt("tgt_socket", default="/var/run/tgtd/socket.0", help="Management socket of tgtd."),
    cfg.StrOpt("tgt_flags", default="", help="tgt's bsoflags of the disks: 'direct', 'sync' or empty."),
]
_ANYBODY = "ALL"


class TgtExporter(Exporter):
    """Thread-safe: one change at a time, as a target is made in several requests."""

    def __init__(self, tgt: tgtadm.Tgtadm, flags: str) -> None:
        self._tgt = tgt
        self._flags = flags
        self._lock = threading.Lock()

    def shares(self) -> dict[str, Share]:
        with _errors():
            return {target.iqn: _share(target) for target in self._tgt.targets()}

    def export(self, share: Share, chap_password: str) -> None:
        with self._lock, _errors():
            targets = self._tgt.targets()
            self._take_away(targets, share.iqn, share.chap_username)
            others = [t for t in targets if t.iqn != share.iqn]
            if any(share.chap_username in target.accounts for target in others):
                raise RefusedError(f"the CHAP account {share.chap_username} belongs to another export")
            self._make(_number(share.iqn, {target.tid for target in others}), share, chap_password)

    def unexport(self, iqn: str, chap_username: str) -> None:
        with self._lock, _errors():
            self._take_away(self._tgt.targets(), iqn, chap_username)

    def _make(self, tid: int, share: Share, chap_password: str) -> None:
        with contextlib.ExitStack() as undo:
            self._tgt.new_target(tid, share.iqn)
            undo.callback(self._tgt.delete_target, tid)
            self._tgt.new_account(share.chap_username, chap_password)
            undo.callback(self._tgt.delete_account, share.chap_username)
            self._tgt.bind_account(tid, share.chap_username)
            self._tgt.new_unit(tid, share.lun, share.path, self._flags)
            self._tgt.update_unit(tid, share.lun, _identity(share))
            self._tgt.admit(tid, *_initiator(share.initiator))
            undo.pop_all()

    def _take_away(self, targets: list[tgtadm.Target], iqn: str, chap_username: str) -> None:
        target = next((t for t in targets if t.iqn == iqn), None)
        names = set(target.accounts) if target else set()
        if target is not None:
            with contextlib.suppress(tgtadm.NotFoundError):
                self._tgt.delete_target(target.tid)
        bound_elsewhere = {name for t in targets if t.iqn != iqn for name in t.accounts}
        for name in ({chap_username} | names) - bound_elsewhere - {""}:
            with contextlib.suppress(tgtadm.NotFoundError):
                self._tgt.delete_account(name)


def _identity(share: Share) -> dict[str, str]:
    return {
        "vendor_id": "CUMULET",
        "product_id": "VOLUME",
        "scsi_id": share.serial,
        "scsi_sn": share.serial,
        "thin_provisioning": "1",
        "readonly": "1" if share.is_read_only else "0",
    }


def _initiator(initiator: str) -> tuple[str, str]:
    """tgt's word for an initiator: by address, by name, or anybody who knows the password."""
    if not initiator:
        return "initiator-address", _ANYBODY
    try:
        ipaddress.ip_network(initiator)
    except ValueError:
        return "initiator-name", initiator
    return "initiator-address", initiator


def _share(target: tgtadm.Target) -> Share:
    unit = target.units[0] if len(target.units) == 1 else tgtadm.Unit(-1, "", "", False)
    initiator = target.initiators[0] if len(target.initiators) == 1 else "several or none"
    return Share(
        iqn=target.iqn,
        lun=unit.lun,
        path=pathlib.Path(unit.path),
        serial=unit.serial,
        initiator="" if initiator == _ANYBODY else initiator,
        chap_username=target.accounts[0] if len(target.accounts) == 1 else "",
        is_read_only=unit.is_read_only,
    )


def _number(iqn: str, taken: set[int]) -> int:
    """A number from 1 to 2^31 - 1, the same for an IQN every time unless it is taken."""
    number = int.from_bytes(hashlib.sha256(iqn.encode()).digest()[:4], "big") % 0x7FFFFFFF + 1
    while number in taken:
        number = number % 0x7FFFFFFF + 1
    return number


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except tgtadm.UnreachableError as error:
        raise ServiceDownError(str(error)) from error
    except tgtadm.ValueRefusedError as error:
        raise RefusedError(str(error)) from error
    except tgtadm.TgtError as error:
        raise ExportError(str(error)) from error
