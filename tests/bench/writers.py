"""What a small write takes on SQLite while eight threads write without end, and in a process beside them.

The database is a file of its own on the cloud's disk, whatever the cloud has. A write is what most verbs begin and
end with: the project's lock, and a row of the outbox; its commit is on disk when it returns. The other process
is what ``controller-manage`` is to ``cumulet-allinone``, and rests between its writes.
"""

import concurrent.futures
import functools
import multiprocessing
import pathlib
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.db import outbox
from controller.db.columns import Base
from controller.db.session import Database
from controller.identity.projects.model import Project
from lab.up import places
from tests.bench.cloud import Cloud, timed
from tests.bench.result import Result

_THREADS = 8
#: Writes of the other process, and its rests; the threads write until it has done them.
_TIMES, _REST_S = 200, 0.02
_BAR_MS = 200.0


def measure(_cloud: Cloud) -> Iterator[Result]:
    """Both at the same time; no write fails, or the bench does."""
    with tempfile.TemporaryDirectory(dir=places.STATE) as folder:
        path = pathlib.Path(folder) / "writers.db"
        database = _made(path)
        is_over = threading.Event()
        spawned = multiprocessing.get_context("spawn")
        with (
            concurrent.futures.ProcessPoolExecutor(1, spawned) as beside,
            concurrent.futures.ThreadPoolExecutor(_THREADS) as threads,
        ):
            of_threads = [threads.submit(_until, is_over, database) for _ in range(_THREADS)]
            try:
                of_process = beside.submit(_in_process, path).result()
            finally:
                is_over.set()
        database.close()
    yield from _told(
        f"small write on SQLite, {_THREADS} threads", [ms for f in of_threads for ms in f.result()]
    )
    yield from _told("… of a process beside them", of_process)


def _made(path: pathlib.Path) -> Database:
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    project = Project(id="default", name="Default", domain_id="", is_domain=True)
    database.write(lambda session: session.add(project))
    return database


def _verb(session: Session) -> None:
    session.execute(update(Project).values(generation=Project.generation + 1))
    outbox.changed(session, "server", "of-the-bench")


def _until(is_over: threading.Event, database: Database) -> list[float]:
    taken = []
    while not is_over.is_set():
        taken.append(_write(database))
    return taken


def _in_process(path: pathlib.Path) -> list[float]:
    database = Database(f"sqlite:///{path}")
    taken = []
    for _ in range(_TIMES):
        taken.append(_write(database))
        time.sleep(_REST_S)
    database.close()
    return taken


def _write(database: Database) -> float:
    return timed(functools.partial(database.write, _verb)) * 1e3


def _told(what: str, taken: Sequence[float]) -> Iterator[Result]:
    hundredths = statistics.quantiles(taken, n=100)
    yield Result(f"{what}, p50", hundredths[49], "ms")
    yield Result(f"{what}, p99", hundredths[98], "ms", _BAR_MS, f"most {max(taken):.1f}, n {len(taken)}")
