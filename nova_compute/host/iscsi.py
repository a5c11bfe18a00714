"""The kernel's iSCSI initiator, by open-iscsi's ``iscsiadm``.

The CHAP secret goes into the node's record (a file of mode 0600), never into an argument list.
"""

import contextlib
import pathlib
import re
import shutil

from contract.server import IscsiTarget
from nova_compute.domain import disk
from nova_compute.host import limited

_RECORDS = ("/etc/iscsi/nodes", "/var/lib/iscsi/nodes")
_INITIATOR_NAME = pathlib.Path("/etc/iscsi/initiatorname.iscsi")
_LIMITS = limited.Limits(timeout_s=30.0)
_REPLACED = (
    "node.session.auth.authmethod",
    "node.session.auth.username",
    "node.session.auth.password",
    "# END RECORD",
)
#: iscsiadm's exit codes for "session exists" and "no such session or record".
_EXISTS, _NONE = 15, 21


class WrongVolumeError(Exception):
    """The unit behind a path is not the volume that the document names."""


def is_usable() -> bool:
    """Whether this kernel has an initiator: the module loads and shows its transport."""
    if shutil.which("iscsiadm") is None or shutil.which("modprobe") is None:
        return False
    with contextlib.suppress(limited.ProgramError):
        limited.run(["modprobe", "iscsi_tcp"], _LIMITS)
    return pathlib.Path("/sys/class/iscsi_transport/tcp").exists()


def initiator() -> str:
    """This host's IQN, empty when it has none."""
    try:
        found = re.search(r"^InitiatorName=(\S+)", _INITIATOR_NAME.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found.group(1) if found else ""


def log_in(target: IscsiTarget, serial: str) -> pathlib.Path:
    """Makes the target's unit a device of this host and returns its path; fine if it is one already.

    Raises ProgramError, WrongVolumeError.
    """
    device = pathlib.Path(disk.device_path(target))
    if not device.exists():
        _iscsiadm(target, "-o", "new", "--interface", "default")
        _write_secret(target)
        _iscsiadm(target, "--login", fine=_EXISTS)
        _iscsiadm(target, "--rescan", fine=_EXISTS)
        limited.run(["udevadm", "settle", "--timeout=15", f"--exit-if-exists={device}"], _LIMITS)
    verify(device, serial)
    return device


def log_out(target: IscsiTarget) -> None:
    """Takes the target's units off this host and forgets the record; fine if there is none."""
    _iscsiadm(target, "--logout", fine=_NONE)
    _iscsiadm(target, "-o", "delete", fine=_NONE)


def verify(device: pathlib.Path, serial: str) -> None:
    """Compares the unit's serial (SCSI page 0x80) with the volume's: a reused unit must not pass.

    Targets shorten serials and drop hyphens, so the shorter one must begin the other. Raises
    WrongVolumeError.
    """
    try:
        found = _plain(_serial_page(device).read_bytes()[4:].decode("ascii", "replace"))
    except OSError as error:
        raise WrongVolumeError(f"{device} does not tell its serial: {error}") from error
    wanted = _plain(serial)
    if len(found) < 8 or not (wanted.startswith(found) or found.startswith(wanted)):
        raise WrongVolumeError(f"{device} has serial {found!r}, the volume is {wanted!r}")


def _serial_page(device: pathlib.Path) -> pathlib.Path:
    return pathlib.Path("/sys/block", device.resolve().name, "device/vpd_pg80")


def _plain(serial: str) -> str:
    return re.sub("[^0-9a-z]", "", serial.lower())


def _iscsiadm(target: IscsiTarget, *arguments: str, fine: int | None = None) -> None:
    try:
        limited.run(["iscsiadm", "-m", "node", "-T", target.iqn, "-p", target.portal, *arguments], _LIMITS)
    except limited.ProgramError as error:
        if fine is None or f"ended with {fine}:" not in str(error):
            raise


def _write_secret(target: IscsiTarget) -> None:
    """Replaces the authentication lines of the record that iscsiadm just made.

    The record is the file ``address,port``, or lies below a directory ``address,port,group``.
    """
    address, _, port = target.portal.rpartition(":")
    wanted = f"{address},{port}"
    records = [p for d in _RECORDS for p in pathlib.Path(d, target.iqn).rglob("*") if p.is_file()]
    for record in records:
        if wanted in (record.name, ",".join(record.parent.name.split(",")[:2])):
            record.chmod(0o600)
            record.write_text(authenticated(record.read_text(), target))


def authenticated(record: str, target: IscsiTarget) -> str:
    """A node's record with the target's CHAP user and secret."""
    kept = [line for line in record.splitlines() if not line.startswith(_REPLACED)]
    kept += [
        "node.session.auth.authmethod = CHAP",
        f"node.session.auth.username = {target.chap_username}",
        f"node.session.auth.password = {target.chap_password}",
        "# END RECORD",
    ]
    return "\n".join(kept) + "\n"
