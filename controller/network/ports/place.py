"""Putting ports on hosts."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.network import standard
from controller.network.ports.model import Port
from controller.network.trunks.model import children


def place(session: Session, port_ids: Sequence[str], host: str) -> None:
    """Writes the host of ports where it differs, so that doing it twice disturbs nothing.

    They are DOWN until the host says otherwise. Subports go where their parents are: no port joins a trunk or leaves
    it meanwhile, since that locks the parent too.
    """
    if not port_ids:
        return
    standard.lock(session, Port, port_ids)
    together = [*port_ids, *children(session, port_ids)]
    moving = session.scalars(select(Port.id).where(Port.id.in_(together), Port.binding_host != host)).all()
    session.execute(
        update(Port).where(Port.id.in_(moving)).values(binding_host=host, status="DOWN"),
        execution_options={"synchronize_session": "fetch"},
    )
    outbox.changed(session, "port", *moving)
