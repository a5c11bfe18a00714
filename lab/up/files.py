"""Files that are written only when their content changes."""

import json
import os
import pathlib
import shutil
import string
import threading
from typing import Any

from lab.up import places

#: Steps run side by side, and what one remembers must not be lost by another.
_MEMORY_LOCK = threading.Lock()


def write(path: pathlib.Path, text: str, mode: int = 0o644, owner: str | None = None) -> None:
    """Makes ``path`` hold ``text``, atomically, never readable by more than ``mode`` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (path.exists() and path.read_text() == text):
        partial = path.with_name(f".{path.name}.part")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
        partial.rename(path)
    path.chmod(mode)
    if owner:
        give(path, owner)


def directory(path: pathlib.Path, mode: int = 0o755, owner: str | None = None) -> pathlib.Path:
    """Makes a directory."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner:
        give(path, owner)
    return path


def give(path: pathlib.Path, owner: str) -> None:
    """Makes ``owner`` and the group of that name own ``path``."""
    shutil.chown(path, owner, owner)


def filled(template: str, values: dict[str, str]) -> str:
    """A template of ``etc/supervisor`` with ``${…}`` filled in."""
    text = (places.CHECKOUT / "etc/supervisor" / template).read_text()
    return string.Template(text).substitute(values)


def remembered() -> dict[str, Any]:
    """What the last ``up`` wrote down for ``down``."""
    if not places.MEMORY.exists():
        return {}
    memory: dict[str, Any] = json.loads(places.MEMORY.read_text())
    return memory


def remember(**more: Any) -> None:
    """Adds to what ``down`` will find."""
    with _MEMORY_LOCK:
        write(places.MEMORY, json.dumps(remembered() | more, indent=1, sort_keys=True) + "\n", 0o600)


def forget_all_but(names: tuple[str, ...]) -> None:
    """Drops from what is remembered."""
    if places.MEMORY.exists():
        kept = {name: value for name, value in remembered().items() if name in names}
        write(places.MEMORY, json.dumps(kept, indent=1, sort_keys=True) + "\n", 0o600)
