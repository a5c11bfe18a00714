"""docs/faults.md: what was killed, stopped, lost or filled, and how long the cloud took to be whole again."""

import datetime
import json
import pathlib
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import pytest

_HEAD = """\
# What the cloud survives

Written by `make faults`, which runs every case on a real cloud, in both profiles (docs/operations.md): libvirt, Open
vSwitch, tgt, and either MariaDB, RabbitMQ and the five processes of ours, or the one process that does everything.
Cases that mean something in one of them only are run there; a point that a verb passed by that time (what another part
had done already) is no case. Each case does harm, mostly in the middle of a verb (boot, attach, detach, delete of a
server; what is done to routers, floating IPs, rules and ports), and then waits until the resource is where it was to
go (or in ERROR with a reason), no operation is under way, the doctor finds nothing, allocations and quotas are those of
the servers that exist, and the host has exactly the domains, disks, taps, targets and files that the rows name, and
networks and routers as their documents say. *Recovery* is from
the harm (where a fault point of the verb does it: from the request) until the resource is where it was to go; a lease
of {lease_s} s is part of it where an engine is lost (30 s by default), and the slowness of the machine.

Last run: {date}, {minutes:.0f} minutes.
"""
_TABLE = """
## {profile}

| what is done to it | cases | survived | slowest recovery |
|---|---|---|---|
"""


@dataclass
class _Case:
    profile: str
    group: str
    name: str
    has_survived: bool
    recovery_s: float


@dataclass
class _Notes:
    """What one session saw."""

    seconds: float = 0.0
    cases: list[_Case] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


_notes = _Notes()


def note(report: pytest.TestReport) -> None:
    """Takes one test's end in. Its group, name and seconds are properties that it recorded."""
    _notes.seconds += report.duration
    told = dict(report.user_properties)
    if report.failed:
        _notes.failed.setdefault(report.nodeid.rsplit("/", 1)[-1], _reason(report))
    if report.when == "call" and not report.skipped and "group" in told:
        seconds = float(str(told.get("recovery_s", 0.0)))
        name = str(told.get("case", ""))
        _notes.cases.append(_Case(str(told["profile"]), str(told["group"]), name, report.passed, seconds))


def keep(directory: pathlib.Path) -> None:
    """Puts the session's notes beside those of others."""
    directory.mkdir(exist_ok=True)
    (directory / f"{uuid.uuid4().hex}.json").write_text(json.dumps(asdict(_notes), indent=1))


def main() -> None:
    """``python -m tests.faults.table DIRECTORY PAGE``: the page of all notes in a directory."""
    directory, page = map(pathlib.Path, sys.argv[1:])
    notes = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    cases = [_Case(**case) for part in notes for case in part["cases"]]
    failed = {name: reason for part in notes for name, reason in part["failed"].items()}
    page.write_text(_page(cases, failed, sum(part["seconds"] for part in notes)))


def _page(cases: Sequence[_Case], failed: Mapping[str, str], seconds: float) -> str:
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    lines = [_HEAD.format(date=today, minutes=seconds / 60, lease_s=6).rstrip("\n")]
    for profile in sorted({case.profile for case in cases}):
        lines += _table(profile, [case for case in cases if case.profile == profile])
    if failed:
        lines += ["", "Not survived:", "", *(f"- `{name}`: {reason}" for name, reason in failed.items())]
    return "\n".join(lines) + "\n"


def _table(profile: str, cases: Sequence[_Case]) -> list[str]:
    rows = [
        _row(group, [case for case in cases if case.group == group])
        for group in sorted({case.group for case in cases})
    ]
    return [_TABLE.format(profile=profile).rstrip("\n"), *rows, _row("**all**", cases)]


def _row(name: str, cases: Sequence[_Case]) -> str:
    survived = sum(case.has_survived for case in cases)
    slowest = max(cases, key=lambda case: case.recovery_s)
    told = f"{slowest.recovery_s:.1f} s {slowest.name}".rstrip() if slowest.recovery_s else ""
    return f"| {name} | {len(cases)} | {survived} | {told} |"


def _reason(report: pytest.TestReport) -> str:
    """The first line of what was wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).strip().splitlines()[0][:300]


if __name__ == "__main__":
    main()
