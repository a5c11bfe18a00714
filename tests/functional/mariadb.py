"""A MariaDB server for one run of tests: what clouds have, where SQLite is what most tests take for speed."""

import pathlib
import subprocess
import time

import pymysql
import sqlalchemy

from controller.db.columns import Base

_START_S = 60.0
#: As lab/up has it, but nothing is waited for: no test survives a power cut.
_OPTIONS = (
    "--no-defaults",
    "--user=root",
    "--skip-networking",
    "--skip-name-resolve",
    "--transaction-isolation=READ-COMMITTED",
    "--character-set-server=utf8mb4",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-lock-wait-timeout=10",
)


class MariaDb:
    """A server in ``directory``, with one database."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._socket = directory / "socket"
        self._tables = 0
        data = f"--datadir={directory / 'data'}"
        install = ("mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db", data)
        method = "--auth-root-authentication-method=normal"
        subprocess.run([*install, method], check=True, capture_output=True)
        log = (directory / "log").open("w")
        command = ["mariadbd", *_OPTIONS, data, f"--socket={self._socket}"]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while not self._has_database():
            assert self._process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < deadline, "mariadbd does not answer"
            time.sleep(0.05)

    @property
    def url(self) -> str:
        """For SQLAlchemy."""
        return f"mysql+pymysql://root@localhost/cumulet?unix_socket={self._socket}&charset=utf8mb4"

    def empty(self) -> None:
        """All tables that are known by now, without rows."""
        engine = sqlalchemy.create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("SET foreign_key_checks = 0"))
            if self._tables == len(Base.metadata.tables):
                for table in Base.metadata.tables.values():
                    connection.execute(table.delete())
            else:
                Base.metadata.drop_all(connection)
                Base.metadata.create_all(connection)
                self._tables = len(Base.metadata.tables)
        engine.dispose()

    def forget(self) -> None:
        """No table is left."""
        engine = sqlalchemy.create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("DROP DATABASE cumulet"))
            connection.execute(sqlalchemy.text("CREATE DATABASE cumulet CHARACTER SET utf8mb4"))
        engine.dispose()
        self._tables = 0

    def stop(self) -> None:
        """Ends the server."""
        self._process.kill()
        self._process.wait()

    def _has_database(self) -> bool:
        try:
            connection = pymysql.connect(unix_socket=str(self._socket), user="root")
        except pymysql.Error:
            return False
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS cumulet CHARACTER SET utf8mb4")
        return True
