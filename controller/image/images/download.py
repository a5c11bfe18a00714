"""Reading an image's data: all of it or a range, in chunks from the disk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import falcon
from sqlalchemy.orm import Session

from controller.image.images import access
from controller.image.images.model import Image
from controller.image.images.store import CHUNK
from controller.web.caller import Caller
from controller.web.errors import ApiError, Forbidden

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)", re.ASCII)


class RangeNotSatisfiable(ApiError):
    """A range that the image does not have."""

    status: ClassVar[int] = 416
    title: ClassVar[str] = "Requested Range Not Satisfiable"


@dataclass(frozen=True)
class Span:
    """Bytes from ``start`` up to but without ``stop``."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start


class FileSlice:
    """A part of an open file as chunks; closes it. (No ``read``: the framework would read small pieces.)"""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file = file
        self._left = span.length
        file.seek(span.start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(CHUNK, self._left)) if self._left > 0 else b""
        if not chunk:
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Called by the server at the end, whatever the end was."""
        self._file.close()


def send(resp: falcon.Response, file: BinaryIO, span: Span) -> None:
    """Answers with a part of an open file, streamed."""
    resp.content_type = "application/octet-stream"
    resp.stream = FileSlice(file, span)
    resp.content_length = span.length


def readable(session: Session, caller: Caller, image_id: str) -> Image:
    """The image, for someone who may read its data. Raises NotFound, Forbidden while deactivated."""
    image = access.find(session, caller, image_id)
    if image.status == "deactivated" and not caller.is_admin:
        raise Forbidden("The requested image has been deactivated. Image data download is forbidden.")
    return image


def span_of(size: int, asked: str | None, old_form: str | None = None) -> Span | None:
    """The range of the Range header (or of Content-Range in a request); None for all.

    Raises RangeNotSatisfiable.
    """
    if asked:
        return _range(size, asked)
    if old_form:
        match = _CONTENT_RANGE.fullmatch(old_form.strip())
        if match is None or match[3] not in ("*", str(size)) or not int(match[1]) <= int(match[2]) < size:
            raise _unsatisfiable(size, old_form)
        return Span(int(match[1]), int(match[2]) + 1)
    return None


def _range(size: int, asked: str) -> Span:
    match = _RANGE.fullmatch(asked.strip())
    if match is None or not (match[1] or match[2]):
        raise _unsatisfiable(size, asked)
    if match[1]:
        start, stop = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    else:
        start, stop = max(size - int(match[2]), 0), size
    if start >= stop:
        raise _unsatisfiable(size, asked)
    return Span(start, stop)


def _unsatisfiable(size: int, asked: str) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(
        f"The range {asked!r} is not of this image of {size} bytes.",
        headers={"Content-Range": f"bytes */{size}"},
    )
