"""MariaDB: an instance of our own under /var/lib/cumulet, reached by a Unix socket only."""

import pwd
import shutil
import socket

from lab.up import command, files, places, supervisor

PROGRAM = "mariadb"
SOCKET = places.RUN / "mysql/mysqld.sock"
_USER = "mysql"
_DATA = places.STATE / "mysql"
_CONFIG = places.CONFIG / "mariadb.cnf"
_INIT = places.CONFIG / "mariadb-init.sql"
_REMEDY = "see the log; 'make down PURGE=1' throws this cloud's database away"

_SETTINGS = f"""\
[mariadbd]
user = {_USER}
datadir = {_DATA}
socket = {SOCKET}
tmpdir = {SOCKET.parent}
pid_file = {places.RUN}/mysql/mysqld.pid
init_file = {_INIT}
skip_networking
skip_name_resolve
transaction_isolation = READ-COMMITTED
character_set_server = utf8mb4
performance_schema = OFF
innodb_buffer_pool_size = 64M
innodb_log_file_size = 32M
innodb_flush_log_at_trx_commit = 1
innodb_lock_wait_timeout = 10
key_buffer_size = 1M
aria_pagecache_buffer_size = 8M
table_open_cache = 400
max_connections = 200
"""


def url(password: str) -> str:
    """The SQLAlchemy URL of the cloud's database."""
    return f"mysql+pymysql://cumulet:{password}@localhost/cumulet?unix_socket={SOCKET}&charset=utf8mb4"


def configure(password: str) -> None:
    """Writes the configuration, and the statements that each start runs: safe to repeat.

    The user may also make databases named ``cumulet_…``: tests take those.
    """
    _make_user()
    files.write(_CONFIG, _SETTINGS)
    statements = (
        "CREATE DATABASE IF NOT EXISTS cumulet CHARACTER SET utf8mb4",
        f"CREATE USER IF NOT EXISTS cumulet@localhost IDENTIFIED BY '{password}'",
        f"ALTER USER cumulet@localhost IDENTIFIED BY '{password}'",
        "GRANT ALL ON cumulet.* TO cumulet@localhost",
        "GRANT ALL ON `cumulet\\_%`.* TO cumulet@localhost",
    )
    files.write(_INIT, "".join(f"{statement};\n" for statement in statements), 0o600, _USER)
    files.directory(SOCKET.parent, 0o755, _USER)


def install() -> str:
    """Makes the data directory, once."""
    if (_DATA / "mysql").exists():
        return "data directory is there"
    partial = _DATA.with_name("mysql.part")
    shutil.rmtree(partial, ignore_errors=True)
    files.directory(partial, 0o700, _USER)
    command.run(
        "database",
        [
            "/usr/bin/mariadb-install-db",
            "--no-defaults",
            f"--user={_USER}",
            f"--datadir={partial}",
            # names of its temporary files are of its process id, which another namespace may have as well
            f"--tmpdir={SOCKET.parent}",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
            "--skip-name-resolve",
        ],
        _REMEDY,
    )
    shutil.rmtree(_DATA, ignore_errors=True)
    partial.rename(_DATA)
    return "data directory made"


def section() -> str:
    """supervisord's section."""
    return supervisor.section(PROGRAM, supervisor.digest([_CONFIG, _INIT]))


def wait() -> str:
    """Until it greets; it does so after the statements of ``configure``."""
    command.wait_until(_greets, 40, lambda: supervisor.did_not_start(PROGRAM))
    return str(SOCKET)


def _greets() -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(SOCKET))
            return len(connection.recv(5)) == 5
    except OSError:
        return False


def _make_user() -> None:
    """Debian's package of the server alone comes without the user that its big one makes."""
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        arguments = ["--system", "--user-group", "--home-dir", "/nonexistent", "--shell", "/bin/false"]
        places.LOG.mkdir(parents=True, exist_ok=True)
        command.run("database", ["/usr/sbin/useradd", *arguments, _USER], "make the system user mysql")
