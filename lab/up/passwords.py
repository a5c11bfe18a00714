"""Secrets of this cloud: made once, kept in /etc/cumulet/passwords.json (0600)."""

import json
import secrets
import uuid

from lab.up import files, places

_FILE = places.CONFIG / "passwords.json"


def load() -> dict[str, str]:
    """All secrets by name; makes those that are missing."""
    known: dict[str, str] = json.loads(_FILE.read_text()) if _FILE.exists() else {}
    made = {
        "admin": secrets.token_urlsafe(18),
        "database": secrets.token_hex(18),
        "broker": secrets.token_hex(18),
        "libvirt_host_uuid": str(uuid.uuid4()),
    } | known
    files.write(_FILE, json.dumps(made, indent=1, sort_keys=True) + "\n", 0o600)
    return made
