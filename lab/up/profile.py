"""Which way this cloud runs: embedded, in one process, or full, each process apart with MariaDB and RabbitMQ."""

import pathlib

from lab.up import broker, command, database, files, places, supervisor

EMBEDDED, FULL = "embedded", "full"
PROFILES = (FULL, EMBEDDED)
#: Of a cloud for which none is asked.
DEFAULT = EMBEDDED
ALL_IN_ONE = "cumulet-allinone"
#: Our own programs by profile; the first one answers the API.
PROGRAMS = {
    EMBEDDED: (ALL_IN_ONE,),
    FULL: ("controller-api", "controller-engine", "nova-compute", "ovs-agent", "volume-agent"),
}
_SQLITE = places.STATE / "cumulet.db"
_DOOR = places.RUN / "bus.sock"


def current() -> str:
    """The profile that this cloud has; "" when there is none yet."""
    return str(files.remembered().get("profile", ""))


def programs() -> tuple[str, ...]:
    """Our own programs of this cloud."""
    return PROGRAMS[current() or DEFAULT]


def every_program() -> tuple[str, ...]:
    """Our own programs, whatever the profile."""
    return tuple(name for names in PROGRAMS.values() for name in names)


def urls(profile: str, secrets: dict[str, str]) -> tuple[str, str]:
    """The database's and the bus's URL."""
    if profile == EMBEDDED:
        return f"sqlite:///{_SQLITE}", f"inprocess://{_DOOR}"
    return database.url(secrets["database"]), broker.url(secrets["broker"])


def may_change() -> str:
    """Raises StepError while operations run: the rows would be moved under them."""
    if not supervisor.is_up():
        return "nothing runs"
    command.run("profile", [places.tool("controller-manage"), "move-database"], _WAIT)
    return "no operation is in progress"


def move(profile: str, secrets: dict[str, str]) -> str:
    """Takes the rows from the present database to that of ``profile``, which is this cloud's from then on."""
    source, target = (
        _secret_file(f"{which}-database", urls(name, secrets)[0])
        for which, name in (("source", current()), ("target", profile))
    )
    files_given = ["--source-file", str(source), "--target-file", str(target)]
    try:
        command.run("move", [places.tool("controller-manage"), "move-database", *files_given], _AGAIN)
    finally:
        source.unlink()
        target.unlink()
    files.remember(profile=profile)
    return f"the cloud is {profile}"


_WAIT = "wait until 'controller-manage status' lists no operation, then run it again"
_AGAIN = "see the log, then run it again: until the move is done the cloud keeps its old profile"


def _secret_file(name: str, text: str) -> pathlib.Path:
    path = places.RUN / name
    files.write(path, text + "\n", 0o600)
    return path
