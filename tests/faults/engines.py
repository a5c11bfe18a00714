"""A second engine, and what a late one must not touch."""

import contextlib
import os
import subprocess
from collections.abc import Iterator

from sqlalchemy import Table, select

from controller.compute.servers.model import Server
from controller.network.ports.model import Port
from controller.operations.model import Operation, OperationEvent
from controller.placement.model import Allocation
from controller.volume.attachments.model import Attachment
from controller.volume.volumes.model import Volume
from lab.up import places
from tests.faults.cases import ENGINE
from tests.faults.cloud import Cloud

#: What the steps of operations write; reports and heartbeats have tables of their own.
_MODELS = (Operation, OperationEvent, Server, Volume, Attachment, Port, Allocation)
Rows = dict[str, list[tuple[object, ...]]]


@contextlib.contextmanager
def another(cloud: Cloud) -> Iterator[None]:
    """An engine beside the supervised one, without fault points."""
    environment = {k: v for k, v in os.environ.items() if k != "CUMULET_FAULTS"}
    log = places.LOG / "second-engine.log"
    with log.open("w") as file:
        process = subprocess.Popen([places.tool(ENGINE)], stdout=file, stderr=file, env=environment)
        try:
            cloud.until(lambda: "is up on" in log.read_text(), "a second engine")
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def rows(cloud: Cloud) -> Rows:
    """All rows of what operations write."""
    tables: list[Table] = [model.__table__ for model in _MODELS]  # type: ignore[misc]
    with cloud.db.read() as session:
        return {t.name: sorted(map(tuple, session.execute(select(t))), key=repr) for t in tables}
