"""Report → rows: what a host saw of a server."""

import datetime

import msgspec
from sqlalchemy.orm import Session

from contract.report import Report
from contract.server import ServerObserved
from controller.compute.servers.model import Server
from controller.db.outbox import changed
from controller.operations.begin import live_kinds


def observe_server(session: Session, host: str, server_id: str, report: Report) -> list[str]:
    """Takes in what ``host`` reports; operations on the server may go on.

    A guest that shut itself down is stopped from now on, as if its user had asked for it.
    """
    server = session.get(Server, server_id, with_for_update=True, populate_existing=True)
    if server is None or server.host != host:
        return [f"server:{server_id}"]
    if report.state == "applied":
        observed = msgspec.json.decode(report.observed, type=ServerObserved)
        _take(session, server, observed)
    return [f"server:{server_id}"]


def _take(session: Session, server: Server, observed: ServerObserved) -> None:
    if server.power_observed != observed.power:
        server.power_observed = observed.power
    if server.launched_at is None and observed.launched_at is not None:
        server.launched_at = datetime.datetime.fromtimestamp(observed.launched_at, datetime.UTC).replace(
            tzinfo=None
        )
    if live_kinds(session, f"server:{server.id}"):
        return
    if observed.is_guest_shutdown and server.state == "active" and server.power_wanted == "on":
        server.state, server.power_wanted = "stopped", "off"
        server.power_generation += 1
        changed(session, "server", server.id)
    elif observed.power == "off" and server.state == "active" and server.power_wanted == "off":
        # a stop whose operation had given up waiting
        server.state = "stopped"
