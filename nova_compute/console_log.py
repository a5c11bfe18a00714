"""The end of a server's console, as its file has it."""

import pathlib
import re

#: As much as nova gives: older lines are not read.
MAX_BYTES = 102400
#: Everything that is neither printable nor white space: a guest may write anything to its port.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def tail(path: pathlib.Path, length: int | None) -> str:
    """The last ``length`` lines (None for all that is kept), of at most MAX_BYTES; empty without a file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MAX_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    text = _UNPRINTABLE.sub("", text)
    if length is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[-length:]) if length > 0 else ""
