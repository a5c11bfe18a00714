"""Builds XML trees: values are always escaped, and what XML cannot hold is refused."""

import re
from xml.etree import ElementTree

#: What XML 1.0 does not allow even as an entity.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = ElementTree.Element


class UnspeakableError(ValueError):
    """A text from a user has characters that no XML document can carry."""


def element(tag: str, *children: "Element | None", text: object = None, **attributes: object) -> Element:
    """An element; None children and attributes are left out, ``type_`` stands for ``type``."""
    made = Element(tag, {k.rstrip("_"): _checked(str(v)) for k, v in attributes.items() if v is not None})
    if text is not None:
        made.text = _checked(str(text))
    made.extend(child for child in children if child is not None)
    return made


def render(root: Element) -> str:
    """The text of a tree, indented for people to read."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _checked(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise UnspeakableError(f"a value with control characters cannot go into a domain: {value[:40]!r}")
    return value
