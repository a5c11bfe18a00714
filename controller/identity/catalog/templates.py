"""URLs of endpoints with the caller's ids in them: ``%(project_id)s`` or ``$(project_id)s``.

Only the names below are known and only ``s`` is a conversion; no formatting of Python is used, so an
endpoint's URL cannot reach anything else.
"""

import re
from collections.abc import Mapping

from controller.web.errors import BadRequest

NAMES = frozenset({"project_id", "tenant_id", "user_id"})

_PLACE = re.compile(r"[%$]\(([a-z_]+)\)s")


def check(url: str) -> None:
    """Raises BadRequest for a URL with anything that looks like a place but is none of the known."""
    rest = _PLACE.sub(lambda m: "" if m[1] in NAMES else m[0], url)
    if re.search(r"[%$]\(", rest) or "$" in rest or re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise BadRequest(
            f"The endpoint URL {url} has a substitution that is not allowed: "
            f"use $(name)s with one of {', '.join(sorted(NAMES))}."
        )


def filled(url: str, known: Mapping[str, str | None]) -> str | None:
    """The URL with its places filled; None when one has no value for this caller."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        text = known.get(match[1]) if match[1] in NAMES else None
        missing = missing or not text
        return text or ""

    result = _PLACE.sub(value, url)
    return None if missing else result
