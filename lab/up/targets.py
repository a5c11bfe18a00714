"""tgtd, which shows volumes to initiators: the machine's own if it answers, else one under our supervisor."""

import pathlib
import re
import shutil

from lab.up import command, supervisor

PROGRAM = "tgtd"
_ADMIN = ["tgtadm", "--lld", "iscsi"]
_RUN = pathlib.Path("/run/tgtd")
#: What the names of volume_agent's targets contain.
_MARK = "org.cumulet:"
_TARGET = re.compile(r"^Target (\d+): (\S+)", re.MULTILINE)


def is_foreign() -> bool:
    """Whether a tgtd answers that is not ours."""
    return _answers() and PROGRAM not in supervisor.states()


def section() -> str:
    """supervisord's section."""
    return supervisor.section(PROGRAM, "1")


def wait() -> str:
    """Until it answers."""
    command.wait_until(_answers, 20, lambda: supervisor.did_not_start(PROGRAM))
    return "tgtadm"


def remove_targets() -> int:
    """Removes our targets, with the sessions they have."""
    listing = command.output([*_ADMIN, "--mode", "target", "--op", "show"]) or ""
    ours = [number for number, name in _TARGET.findall(listing) if _MARK in name]
    for number in ours:
        command.output([*_ADMIN, "--mode", "target", "--op", "delete", "--force", "--tid", number])
    return len(ours)


def clean_up() -> None:
    """Removes what a tgtd of ours left in /run."""
    shutil.rmtree(_RUN, ignore_errors=True)


def _answers() -> bool:
    return command.output([*_ADMIN, "--mode", "system", "--op", "show"], 5.0) is not None
