"""The write discipline on SQLite: many writers and nobody is told "locked"; the file is its owner's."""

import functools
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from controller.db.session import Database

WRITERS, EACH = 8, 100
#: Of the names of its files.
ENDS = ("", "-wal", "-shm", "-writer", "-next")


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "test.db"


def _database(path: pathlib.Path) -> Database:
    database = Database(f"sqlite:///{path}")
    database.write(lambda s: s.execute(sqlalchemy.text("CREATE TABLE IF NOT EXISTS counter (n INTEGER)")))
    return database


def _count(session: Session) -> None:
    """Reads and then writes: what two could do at once, and one would be lost."""
    found = session.scalar(sqlalchemy.text("SELECT max(n) FROM counter")) or 0
    session.execute(sqlalchemy.text("INSERT INTO counter VALUES (:n)"), {"n": found + 1})


def _note(number: int, session: Session) -> None:
    session.execute(sqlalchemy.text("INSERT INTO counter VALUES (:n)"), {"n": number})


def _rows(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(sqlalchemy.text("SELECT n FROM counter ORDER BY rowid")))


def test_many_writers(path: pathlib.Path) -> None:
    database = _database(path)
    errors: list[Exception] = []

    def write() -> None:
        try:
            for _ in range(EACH):
                database.write(_count)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert _rows(database) == list(range(1, WRITERS * EACH + 1))


def test_writers_are_served_as_they_come(path: pathlib.Path) -> None:
    database = _database(path)
    threads: list[threading.Thread] = []

    def let_others_come(_session: Session) -> None:
        for number in range(WRITERS):
            threads.append(threading.Thread(target=database.write, args=(functools.partial(_note, number),)))
            threads[-1].start()
            _until(lambda n=number: len(database._writers._waiting) == n + 1)

    database.write(let_others_come)
    for thread in threads:
        thread.join()
    assert _rows(database) == list(range(WRITERS))


def test_another_process_is_not_overtaken(path: pathlib.Path) -> None:
    """It stands in line, as the kernel sees it, before eight threads come that write without end."""
    database = _database(path)
    other = _writer(path, "for n in range(1, 21)", "functools.partial(_note, n)")
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            database.write(functools.partial(_note, 0))

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]

    def let_all_come(_session: Session) -> None:
        _until(lambda: _waits(other))
        for thread in threads:
            thread.start()
        _until(lambda: len(database._writers._waiting) == WRITERS)

    database.write(let_all_come)
    assert other.wait(timeout=60) == 0
    is_over.set()
    for thread in threads:
        thread.join()
    rows = _rows(database)
    assert rows[0] == 1
    assert [n for n in rows if n] == list(range(1, 21))


def test_a_writer_of_another_process(path: pathlib.Path) -> None:
    """``controller-manage`` beside the cloud: both wait for each other."""
    database = _database(path)
    process = _writer(path, f"for _ in range({EACH})")
    for _ in range(EACH):
        database.write(_count)
    assert process.wait(timeout=60) == 0
    assert _rows(database) == list(range(1, 2 * EACH + 1))


def test_readers_see_what_was_when_they_began(path: pathlib.Path) -> None:
    database = _database(path)
    database.write(_count)
    with database.read() as session:
        before = session.scalar(sqlalchemy.text("SELECT max(n) FROM counter"))
        database.write(_count)
        assert session.scalar(sqlalchemy.text("SELECT max(n) FROM counter")) == before


def test_only_the_owner_reads_the_files(path: pathlib.Path) -> None:
    database = _database(path)
    database.write(_count)
    modes = {each.name: oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()}
    assert modes == {f"test.db{suffix}": "0o600" for suffix in ENDS}


def test_a_copy_of_any_instant_is_whole(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What a power cut leaves. The writer is a process, stopped while its files are copied."""
    _database(path).close()
    writer = _writer(path, "while True")
    dice = random.Random(1)
    counts: list[int] = []
    try:
        while len(counts) < 30 or counts[-1] == 0:
            time.sleep(dice.uniform(0, 0.02))  # the instant is the case that is tested
            writer.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, writer.pid, os.WSTOPPED)
            copy = tmp_path / f"copy{len(counts)}.db"
            for file in path.parent.glob("test.db*"):
                shutil.copy(file, copy.with_name(file.name.replace("test.db", copy.name)))
            writer.send_signal(signal.SIGCONT)
            counts.append(_whole(copy))
    finally:
        writer.kill()
        writer.wait()
    assert counts == sorted(counts)


def _whole(path: pathlib.Path) -> int:
    """How many rows a database has that has each from the first to the last."""
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = [row[0] for row in connection.execute("SELECT n FROM counter ORDER BY rowid")]
    assert rows == list(range(1, len(rows) + 1))
    return len(rows)


def _writer(path: pathlib.Path, loop: str, verb: str = "_count") -> subprocess.Popen[bytes]:
    program = (
        "import functools\nfrom tests.unit.controller.db.test_sqlite import Database, _count, _note\n"
        f"database = Database('sqlite:///{path}')\n{loop}: database.write({verb})"
    )
    return subprocess.Popen([sys.executable, "-c", program])


def _waits(process: subprocess.Popen[bytes]) -> bool:
    """Whether it waits for a lock that another holds."""
    lines = pathlib.Path("/proc/locks").read_text().splitlines()
    return any("-> FLOCK" in line and f" {process.pid} " in line for line in lines)


def _until(holds: Callable[[], bool]) -> None:
    while not holds():
        pass
