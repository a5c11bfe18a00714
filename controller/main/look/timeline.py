"""``controller-manage timeline``: one request through all processes, from the tables and from this host's logs."""

import datetime
import pathlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.main.look import screen
from controller.main.process import configured
from controller.operations.model import Operation, OperationEvent

LOGS = pathlib.Path("/var/log/cumulet")
#: A line as runtime/log.py has it: when, process id, level, logger, request id, text.
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \d+ [A-Z]+ \S+ \[(req-[0-9a-f-]+)\] (.*)")


@dataclass(frozen=True)
class Moment:
    """Something that happened for a request; ``took_s`` None when it is not known or not over."""

    at: datetime.datetime
    where: str
    what: str
    took_s: float | None = None


@click.command()
@click.argument("request_id")
@click.option("--logs", type=click.Path(path_type=pathlib.Path), default=LOGS, help="Directory of logs.")
@screen.as_json
def timeline(request_id: str, logs: pathlib.Path, is_json: bool) -> None:
    """Show what was done for REQUEST_ID (x-openstack-request-id, or of os-instance-actions), and when."""
    with configured().db.read() as session:
        moments = [*_of_operations(session, request_id), *_of_logs(logs, request_id)]
    if not moments:
        sys.exit(f"error: nothing is known of {request_id}: it is older than the logs, or of another cloud")
    rows = _rows(sorted(moments, key=lambda moment: moment.at))
    if is_json:
        screen.show_json(rows)
        return
    screen.heading(f"{request_id}, {rows[0]['at']} UTC")
    screen.table([{name: row[name] for name in ("after", "where", "took", "what")} for row in rows], "")


def _of_operations(session: Session, request_id: str) -> Iterator[Moment]:
    operations = select(Operation).where(Operation.request_id == request_id)
    for operation in session.scalars(operations):
        what = f"{operation.kind} of {operation.subject} begins"
        yield Moment(operation.started_at, "controller-engine", what, _took(operation))
        if operation.finished_at:
            end = f"{operation.kind} is {operation.state}{_because(operation.fault)}"
            yield Moment(operation.finished_at, "controller-engine", end)
    events = (
        select(OperationEvent)
        .join(Operation, Operation.id == OperationEvent.operation_id)
        .where(Operation.request_id == request_id)
    )
    for event in session.scalars(events):
        text = f"step {event.name}: {event.result or 'under way'}{_because(event.fault)}"
        yield Moment(event.started_at, "controller-engine", text, _took(event))


def _of_logs(directory: pathlib.Path, request_id: str) -> Iterator[Moment]:
    """Lines of every process whose log is here; those that are rotated, too."""
    for path in sorted(directory.glob("*.log*")):
        with path.open(errors="replace") as lines:
            for line in lines:
                if request_id in line and (found := _LINE.match(line)) and found[2] == request_id:
                    yield Moment(_utc(found[1]), path.name.partition(".")[0], found[3])


def _utc(local: str) -> datetime.datetime:
    """Logs have the host's time, rows UTC."""
    moment = datetime.datetime.strptime(local, "%Y-%m-%d %H:%M:%S.%f").astimezone(datetime.UTC)
    return moment.replace(tzinfo=None)


def _took(done: Operation | OperationEvent) -> float | None:
    return (done.finished_at - done.started_at).total_seconds() if done.finished_at else None


def _because(fault: str | None) -> str:
    return f": {fault}" if fault else ""


def _rows(moments: list[Moment]) -> list[screen.Row]:
    begin = moments[0].at
    return [
        {
            "at": moment.at.isoformat(sep=" ", timespec="milliseconds"),
            "after": _ms((moment.at - begin).total_seconds()),
            "where": moment.where,
            "took": "" if moment.took_s is None else _ms(moment.took_s),
            "what": moment.what,
        }
        for moment in moments
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
