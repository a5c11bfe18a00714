"""What a token says about itself, as few bytes as it takes."""

import datetime
import re
import secrets

import msgspec

from controller.web.errors import Unauthorized

#: What a token is scoped to.
UNSCOPED, PROJECT, DOMAIN, SYSTEM = range(4)
#: Ways to authenticate; the payload has one bit for each, so the order is for ever.
METHODS = ("password", "token", "application_credential", "trust")


class Payload(msgspec.Struct, array_like=True, frozen=True):
    """Times are microseconds since 1970. ``delegation`` is the id of the application credential that the
    token was got by; empty for none. ``audit_ids``: its own, and that of the first it descends from."""

    user: bytes
    scope: int
    scope_id: bytes
    methods: int
    issued_us: int
    expires_us: int
    audit_ids: tuple[bytes, ...]
    generation: int
    delegation: bytes = b""

    @property
    def user_id(self) -> str:
        """The user."""
        return unpacked(self.user)

    @property
    def target_id(self) -> str:
        """The project or domain; empty for other scopes."""
        return unpacked(self.scope_id)

    @property
    def delegation_id(self) -> str:
        """The application credential that the token was got by; empty for none."""
        return unpacked(self.delegation) if self.delegation else ""

    @property
    def expires_at(self) -> datetime.datetime:
        """When the token ends."""
        return moment(self.expires_us)

    @property
    def method_names(self) -> tuple[str, ...]:
        """How the token was got."""
        return tuple(name for bit, name in enumerate(METHODS) if self.methods >> bit & 1)

    @property
    def audit_texts(self) -> tuple[str, ...]:
        """The audit ids as the API shows them."""
        return tuple(audit.decode() for audit in self.audit_ids)


_HEX = re.compile(r"[0-9a-f]{32}")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Payload)


def encode(payload: Payload) -> bytes:
    """To bytes."""
    return _encoder.encode(payload)


def decode(raw: bytes) -> Payload:
    """From bytes. Raises Unauthorized for those of another release."""
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError:
        raise Unauthorized("The token is of another release: get a new one.") from None


def packed(some_id: str) -> bytes:
    """An id of 32 hexadecimal digits as 16 bytes, any other as its text; the first byte tells which."""
    if _HEX.fullmatch(some_id):
        return b"\1" + bytes.fromhex(some_id)
    return b"\0" + some_id.encode()


def unpacked(packed_id: bytes) -> str:
    """The opposite of ``packed``."""
    return packed_id[1:].hex() if packed_id[:1] == b"\1" else packed_id[1:].decode()


def method_bits(names: tuple[str, ...]) -> int:
    """The bits of some of METHODS."""
    return sum(1 << METHODS.index(name) for name in set(names))


def new_audit_id() -> bytes:
    """A new audit id: 22 characters, as keystone's."""
    return secrets.token_urlsafe(16).encode()


def microseconds(moment: datetime.datetime) -> int:
    """A naive moment in UTC."""
    return (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def moment(us: int) -> datetime.datetime:
    """The opposite of ``microseconds``."""
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
