"""Giving an image its data: from the request to the disk in chunks, hashed and inspected on the way.

The bytes are visible at once and complete, or not at all: first the file is put in its place, then the
row says so. Whatever goes wrong before puts the image back to queued and leaves no file.
"""

import errno
import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from controller.db.session import Database
from controller.image.images import access, states
from controller.image.images.inspection import Expectation, Inspection
from controller.image.images.model import Image
from controller.image.images.store import CHUNK, ImageStore, Part
from controller.web.caller import Caller
from controller.web.errors import ApiError, BadRequest, Conflict, Gone, InsufficientStorage, TooLarge
from runtime import faultpoint


class Readable(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none at the end."""


@dataclass(frozen=True)
class Incoming:
    """Data on its way. ``length`` is what was announced, None if nothing; ``cap`` the most that is taken."""

    stream: Readable
    length: int | None = None
    cap: int = 1 << 62
    is_strict: bool = False
    tolerated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Received:
    """What was found out about the data."""

    size: int
    virtual_size: int | None
    checksum: str
    os_hash_value: str
    os_hash_algo: str = "sha512"


@dataclass(frozen=True)
class Place:
    """Where rows and files are."""

    db: Database
    store: ImageStore


def upload(place: Place, caller: Caller, image_id: str, incoming: Incoming) -> None:
    """Makes a queued image active with its data.

    Raises NotFound, Forbidden, BadRequest (no formats, connection lost), Conflict (not queued, or being
    written), UnsupportedMedia (unsafe data), TooLarge, InsufficientStorage, Gone (deleted meanwhile).
    """

    def saved(session: Session, received: Received) -> None:
        states.move(session, image_id, "saved", **asdict(received))

    _receive(place, caller, image_id, incoming, _Way("upload", saved))


def stage(place: Place, caller: Caller, image_id: str, incoming: Incoming) -> None:
    """Puts data aside for an import. Raises as ``upload`` does."""

    def staged(session: Session, received: Received) -> None:
        states.move(session, image_id, "stage", size=received.size, staged=asdict(received))

    _receive(place, caller, image_id, incoming, _Way("stage", staged, is_staged=True))


@dataclass(frozen=True)
class _Way:
    event: str
    finish: Callable[[Session, Received], None]
    is_staged: bool = False


def _receive(place: Place, caller: Caller, image_id: str, incoming: Incoming, way: _Way) -> None:
    with place.db.read() as session:
        _refuse(access.find_own(session, caller, image_id), way)
    with place.store.writing(image_id, staged=way.is_staged) as part:
        image = place.db.write(lambda s: _begin(s, caller, image_id, way))
        faultpoint.point("image.upload.begun")
        try:
            received = _fill(part, image.disk_format or "", incoming)
            faultpoint.point("image.upload.filled")
            part.publish()
        except BaseException:
            place.db.write(lambda s: give_up(s, image_id))
            raise
        faultpoint.point("image.upload.published")
        try:
            place.db.write(lambda s: way.finish(s, received))
        except Conflict:
            place.store.remove(image_id)
            raise Gone(f"Image {image_id} was deleted during the upload.") from None


def give_up(session: Session, image_id: str) -> None:
    """Puts an image whose data did not arrive back to queued; nothing if it was deleted meanwhile."""
    try:
        states.move(session, image_id, "give_up", size=None, staged=None)
    except Conflict:
        return


def _refuse(image: Image, way: _Way) -> None:
    if not (image.disk_format and image.container_format):
        raise BadRequest(
            "Properties disk_format, container_format must be set prior to saving data: set them first."
        )
    if image.status not in states.MOVES[way.event][0] or image.staged:
        raise Conflict(f"Image {image.id} is {image.status}: only a queued image takes data.")


def _begin(session: Session, caller: Caller, image_id: str, way: _Way) -> Image:
    image = access.lock_own(session, caller, image_id)
    _refuse(image, way)
    states.move(session, image_id, way.event)
    return image


def _fill(part: Part, disk_format: str, incoming: Incoming) -> Received:
    inspection, size = Inspection(), 0
    md5, sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()
    part.start()
    while chunk := _read(incoming):
        size += len(chunk)
        if size > incoming.cap:
            raise TooLarge(f"The image is larger than the {incoming.cap} bytes that are taken.")
        inspection.take(chunk)
        md5.update(chunk)
        sha512.update(chunk)
        _write(part, chunk)
    if incoming.length is not None and size != incoming.length:
        raise BadRequest(f"{size} of {incoming.length} bytes arrived: send the image again.")
    expected = Expectation(disk_format, incoming.is_strict, incoming.tolerated)
    return Received(size, inspection.verdict(expected), md5.hexdigest(), sha512.hexdigest())


def _read(incoming: Incoming) -> bytes:
    try:
        return incoming.stream.read(CHUNK)
    except ApiError:
        raise
    except Exception as error:
        raise BadRequest(f"The connection was lost while the image was sent: {error}") from None


def _write(part: Part, chunk: bytes) -> None:
    try:
        part.write(chunk)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise InsufficientStorage(
                "The image store is full: delete images or ask your operator for more space."
            ) from None
        raise
