"""Looks into image data while it streams by: what format it is, and whether it could harm a host.

oslo.utils' inspectors read the headers; nothing else of the controller ever interprets image data.
"""

import logging
from dataclasses import dataclass

from oslo_utils.imageutils import format_inspector

from controller.web.errors import UnsupportedMedia

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Expectation:
    """What the data should be. ``is_strict``: refuse another format; ``tolerated``: names of checks on
    partition tables that do not refuse."""

    disk_format: str
    is_strict: bool = False
    tolerated: frozenset[str] = frozenset()


class Inspection:
    """Takes all bytes of an image, then says what they are."""

    def __init__(self) -> None:
        self._inspectors = {name: make() for name, make in format_inspector.ALL_FORMATS.items()}

    def take(self, chunk: bytes) -> None:
        """Bytes in their order."""
        for name, inspector in list(self._inspectors.items()):
            try:
                inspector.eat_chunk(chunk)
            except Exception as error:
                LOG.debug("image data is not %s: %s", name, error)
                del self._inspectors[name]

    def verdict(self, expected: Expectation) -> int | None:
        """The virtual size in bytes, None if it cannot be told.

        Raises UnsupportedMedia for data that is unsafe, or of more than one format, or (when that is
        asked for) of another format than expected.
        """
        found = self._found()
        for inspector in found.values():
            self._refuse_unsafe(inspector, expected)
        if len(found) > 1 and set(found) != {"iso", "gpt"}:
            raise UnsupportedMedia(f"The image data has several formats at once: {', '.join(sorted(found))}.")
        name = "iso" if "iso" in found else next(iter(found), "raw")
        size: int | None = None
        if name == expected.disk_format:
            size = int(self._inspectors[name].virtual_size)
        elif expected.disk_format == "raw":
            size = int(self._inspectors["raw"].actual_size)
        elif expected.is_strict and (name != "raw" or expected.disk_format in format_inspector.ALL_FORMATS):
            raise UnsupportedMedia(
                f"Image disk_format {expected.disk_format} does not match stream data {name}."
            )
        return size

    def _found(self) -> dict[str, format_inspector.FileInspector]:
        for name, inspector in list(self._inspectors.items()):
            try:
                inspector.finish()
            except Exception as error:
                LOG.debug("image data is not %s: %s", name, error)
                del self._inspectors[name]
        return {n: i for n, i in self._inspectors.items() if n != "raw" and i.format_match}

    @staticmethod
    def _refuse_unsafe(inspector: format_inspector.FileInspector, expected: Expectation) -> None:
        """Whatever cannot be checked to the end is unsafe as well."""
        try:
            inspector.safety_check()
        except format_inspector.SafetyCheckFailed as error:
            tolerated = expected.tolerated | ({"mbr"} if expected.disk_format in ("aki", "ari") else set())
            if inspector.NAME == "gpt" and set(error.failures) <= tolerated:
                return
            LOG.warning("image data refused: %s: %s", inspector, error)
            raise UnsupportedMedia(
                "Image failed safety checks: it refers to other files or has features that are not allowed."
            ) from None
        except Exception as error:
            LOG.warning("image data refused: %s: %s", inspector, error)
            raise UnsupportedMedia("Image failed safety checks: its header is damaged.") from None
