"""Reports from agents: noted beside the document they are about, handed to the slice, and operations that
wait for the resource are woken, all of one report in one transaction."""

import logging
from collections.abc import Callable, Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from contract.report import Report
from controller.db.agents import Agent
from controller.db.columns import now
from controller.db.host_documents import HostDocument
from controller.db.session import Database
from controller.operations import results
from controller.operations.begin import wake
from runtime import trouble

LOG = logging.getLogger(__name__)

#: (session, host, id, report) -> subjects of operations that may go on.
Observe = Callable[[Session, str, str, Report], list[str]]


class Reports:
    """Takes reports in. ``observers`` is what the slices handed in, by kind of document."""

    def __init__(self, observers: Mapping[str, Observe]) -> None:
        self._observers = observers

    def take(self, db: Database, host: str, reports: tuple[Report, ...]) -> tuple[int, ...]:
        """Takes in all that can be, each in a transaction of its own: one that cannot stops no other.

        Returns the sequences that need not be sent again.
        """
        taken = []
        for report in reports:
            try:
                db.write(lambda s, r=report: self._take_one(s, host, r))  # type: ignore[misc]
            except Exception as error:
                words = "report on %s %s of %s could not be taken in"
                trouble.tell(LOG, error, words, report.kind, report.id, host)
            else:
                taken.append(report.sequence)
        return tuple(taken)

    def _take_one(self, session: Session, host: str, report: Report) -> None:
        row = session.get(
            HostDocument, (host, report.kind, report.id), with_for_update=True, populate_existing=True
        )
        if row is None or row.sequence >= report.sequence:
            return
        results.note(session, report.results)
        if report.state == "removed":
            if not row.is_tombstone:
                return
            session.delete(row)
            _set_changed(session, host, row.agent)
        else:
            row.sequence, row.state, row.reported_at = report.sequence, report.state, now()
            row.reported_digest = report.digest
            row.fault = report.fault.message if report.fault else None
            row.fault_details = report.fault.details if report.fault else None
        session.flush()
        observe = self._observers.get(report.kind)
        if observe is not None:
            wake(session, *observe(session, host, report.id, report))


def _set_changed(session: Session, host: str, agent: str) -> None:
    session.execute(
        update(Agent).where(Agent.host == host, Agent.agent == agent).values(revision=Agent.revision + 1)
    )
