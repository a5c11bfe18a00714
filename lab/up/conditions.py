"""What this machine must offer, looked at before anything is changed on it."""

import shutil
import socket

from lab.up import command, places, profile
from lab.up.step import StepError

#: A cloud without servers takes half of it, and a full disk damages more than this cloud.
_ROOM_GIB = 1.0


def check() -> None:
    """Raises StepError."""
    _check_room()
    if not any(places.pid_file(name).exists() for name in profile.every_program()):
        _check_port()


def _check_room() -> None:
    for path in (places.STATE, places.CHECKOUT):
        free_gib = shutil.disk_usage(path).free / 2**30
        if free_gib < _ROOM_GIB:
            raise StepError(
                f"the disk of {path} has only {free_gib:.1f} GiB free",
                f"make room for at least {_ROOM_GIB:g} GiB, better 5, then run 'make up' again",
            )


def _check_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((places.MY_IP, places.API_PORT))
        except OSError as error:
            raise StepError(
                f"the API's port {places.API_PORT} is not free: {error.strerror}{_listener()}",
                "end who listens there, then run 'make up' again",
            ) from None


def _listener() -> str:
    """Which process has the port, if the kernel tells."""
    told = command.output(["ss", "-Hltnp", f"sport = :{places.API_PORT}"]) or ""
    _, found, who = told.partition("users:")
    return f"; it is {who.strip()}" if found else ""
