"""Names of disks in a guest: which is next. Pure."""

import itertools
import string
from collections.abc import Collection, Iterator

#: The root disk's name, kept for it also where it is no volume.
ROOT = "vda"


def next_free(in_use: Collection[str]) -> str:
    """The first of vdb, vdc, … vdz, vdaa, … that is not in use."""
    return next(name for name in _names() if name != ROOT and name not in in_use)


def _names() -> Iterator[str]:
    for length in (1, 2):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "vd" + "".join(letters)
