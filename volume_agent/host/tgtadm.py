"""tgtd by the socket that tgtadm uses: the same requests, without a program and its visible arguments.

tgtadm takes a CHAP password in its arguments, which every user of the host can read while it runs
(docs/decisions/0005-tgt-chap.md). Request and answer are those of tgt's ``usr/tgtadm.h``.
"""

import enum
import pathlib
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_REQUEST = struct.Struct("<II64sIiQQ6I")
_ANSWER = struct.Struct("<II")
_DRIVER = b"iscsi"
_NO_UNIT = 0xFFFFFFFFFFFFFFFF
_TIMEOUT_S = 10.0
_PLAIN = re.compile(r"[A-Za-z0-9._:/@+=-]+")
_TARGET = re.compile(r"^Target (\d+): (.+)$")


class Mode(enum.IntEnum):
    """What a request is about."""

    TARGET = 1
    UNIT = 2
    ACCOUNT = 7


class Op(enum.IntEnum):
    """What is asked for."""

    NEW = 0
    DELETE = 1
    SHOW = 2
    BIND = 3
    UPDATE = 5


class TgtError(Exception):
    """Root of this module's errors; tgtd's own number is in the message."""


class UnreachableError(TgtError):
    """tgtd does not run."""


class NotFoundError(TgtError):
    """No such target, unit or account."""


class ExistsError(TgtError):
    """A target, unit or account of this name is there already."""


class ValueRefusedError(TgtError):
    """A value that would be read as two: tgt separates parameters by commas."""


@dataclass(frozen=True)
class Unit:
    """A logical unit of a target."""

    lun: int
    path: str
    serial: str
    is_read_only: bool


@dataclass(frozen=True)
class Target:
    """A target as tgtd shows it. ``sessions`` counts initiators that are logged in."""

    tid: int
    iqn: str
    units: tuple[Unit, ...] = ()
    accounts: tuple[str, ...] = ()
    initiators: tuple[str, ...] = ()
    sessions: int = 0


#: tgtd's error numbers that callers tell apart (``enum tgtadm_errno``): target, unit, account.
_ERRORS: dict[int, type[TgtError]] = {
    **dict.fromkeys((4, 5, 15), NotFoundError),
    **dict.fromkeys((9, 10, 14), ExistsError),
}


class Tgtadm:
    """Requests to one tgtd. Raises TgtError."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def _connect(self) -> socket.socket:
        """A connection for one question: tgtd spins for ever on one that ends before it was asked."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_TIMEOUT_S)
        try:
            connection.connect(str(self._path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            connection.close()
            raise UnreachableError(f"no tgtd on {self._path}: {error.strerror}") from error
        except OSError as error:
            connection.close()
            raise TgtError(f"tgtd does not answer on {self._path}: {error}") from error
        return connection

    def targets(self) -> list[Target]:
        """All targets."""
        return list(parse_targets(self._ask(Mode.TARGET, Op.SHOW)))

    def new_target(self, tid: int, iqn: str) -> None:
        """Makes a target that admits nobody yet."""
        self._ask(Mode.TARGET, Op.NEW, tid, parameters={"targetname": iqn})

    def delete_target(self, tid: int) -> None:
        """Takes a target away with its units and sessions."""
        self._ask(Mode.TARGET, Op.DELETE, tid, is_forced=True)

    def new_unit(self, tid: int, lun: int, path: pathlib.Path, flags: str) -> None:
        """Shows the file or device ``path`` as a disk; ``flags`` are tgt's: ``direct``, ``sync`` or empty."""
        parameters = {"path": str(path), "bstype": "rdwr"} | ({"bsoflags": flags} if flags else {})
        self._ask(Mode.UNIT, Op.NEW, tid, lun, parameters)

    def update_unit(self, tid: int, lun: int, parameters: dict[str, str]) -> None:
        """Sets parameters of a disk, such as ``scsi_id``."""
        self._ask(Mode.UNIT, Op.UPDATE, tid, lun, parameters, prefix="targetOps ")

    def new_account(self, user: str, password: str) -> None:
        """Makes a CHAP account."""
        self._ask(Mode.ACCOUNT, Op.NEW, parameters={"user": user, "password": password})

    def bind_account(self, tid: int, user: str) -> None:
        """Demands this account from the initiators of a target."""
        self._ask(Mode.ACCOUNT, Op.BIND, tid, parameters={"user": user})

    def delete_account(self, user: str) -> None:
        """Takes a CHAP account away."""
        self._ask(Mode.ACCOUNT, Op.DELETE, parameters={"user": user})

    def accounts(self) -> list[str]:
        """Names of all CHAP accounts."""
        lines = self._ask(Mode.ACCOUNT, Op.SHOW).splitlines()
        return [line.strip() for line in lines if line.startswith("    ")]

    def admit(self, tid: int, kind: str, initiator: str) -> None:
        """Lets an initiator in: ``kind`` is ``initiator-name`` or ``initiator-address`` (may be ALL)."""
        self._ask(Mode.TARGET, Op.BIND, tid, parameters={kind: initiator})

    def _ask(  # noqa: PLR0913 - the fields of one request
        self,
        mode: Mode,
        op: Op,
        tid: int = -1,
        lun: int | None = None,
        parameters: dict[str, str] | None = None,
        *,
        prefix: str = "",
        is_forced: bool = False,
    ) -> str:
        text = _parameters(parameters or {}, prefix)
        length = _REQUEST.size + len(text)
        unit = _NO_UNIT if lun is None else lun
        head = _REQUEST.pack(mode, op, _DRIVER, length, tid, 0, unit, 0, 0, 0, 0, 0, int(is_forced))
        with self._connect() as connection:
            try:
                connection.sendall(head + text)
                return _answer(connection, f"{op.name.lower()} {mode.name.lower()}")
            except OSError as error:
                raise TgtError(f"tgtd stopped answering: {error}") from error


def parse_targets(text: str) -> Iterator[Target]:
    """Targets out of ``tgtadm --op show``'s text."""
    for block in re.split(r"^(?=Target \d+: )", text, flags=re.MULTILINE):
        head = _TARGET.match(block.partition("\n")[0])
        if head:
            parts = re.split(r"^    (\S.* information):\n", block, flags=re.MULTILINE)
            sections = dict(zip(parts[1::2], parts[2::2], strict=True))
            yield Target(
                tid=int(head[1]),
                iqn=head[2],
                units=tuple(_units(sections.get("LUN information", ""))),
                accounts=_words(sections.get("Account information", "")),
                initiators=_words(sections.get("ACL information", "")),
                sessions=sections.get("I_T nexus information", "").count("I_T nexus: "),
            )


def _units(text: str) -> Iterator[Unit]:
    for block in re.split(r"^        LUN: ", text, flags=re.MULTILINE)[1:]:
        lun, _, body = block.partition("\n")
        values = {k.strip(): v for k, _, v in (line.partition(": ") for line in body.splitlines())}
        if values.get("Type") == "disk":
            yield Unit(
                int(lun),
                values.get("Backing store path", ""),
                values.get("SCSI SN", ""),
                values.get("Readonly") == "Yes",
            )


def _words(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _parameters(parameters: dict[str, str], prefix: str) -> bytes:
    for name, value in parameters.items():
        if not _PLAIN.fullmatch(value):
            shown = "" if name == "password" else f" {value!r}"
            raise ValueRefusedError(f"{name}{shown} has a character that tgt cannot take")
    text = ",".join(f"{name}={value}" for name, value in parameters.items())
    return f"{prefix}{text}".encode() + b"\0" if text else b""


def _answer(connection: socket.socket, what: str) -> str:
    head = _received(connection, _ANSWER.size)
    number, length = _ANSWER.unpack(head)
    if number:
        raise _ERRORS.get(number, TgtError)(f"{what}: tgtd says error {number}")
    return _received(connection, length - _ANSWER.size).decode(errors="replace").rstrip("\0")


def _received(connection: socket.socket, size: int) -> bytes:
    body = b""
    while len(body) < size:
        chunk = connection.recv(size - len(body))
        if not chunk:
            raise TgtError("tgtd closed the connection")
        body += chunk
    return body
