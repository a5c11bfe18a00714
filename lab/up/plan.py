"""The steps of ``make up``: what each does, and which others it waits for."""

import pathlib

from lab.up import (
    broker,
    command,
    conditions,
    database,
    environment,
    files,
    hypervisor,
    lock,
    outside,
    passwords,
    places,
    profile,
    services,
    supervisor,
    switch,
    targets,
)
from lab.up.step import Step, StepError

#: What 'make up' installs of setup.cfg's extras.
UP_EXTRAS = ("client",)
_IMAGE_REMEDY = (
    "see the log; packages that were not fetched want the network or 'apt-get update' "
    "(where there is no network, 'make prepare' beforehand fetches them)"
)
#: What 'make test' installs.
TEST_EXTRAS = ("client", "test")


def up(wanted: str, with_demo: bool) -> list[Step]:
    """Everything, from the virtual environment to a server that was logged into, in the profile ``wanted``."""
    is_moving = profile.current() not in ("", wanted)
    has_stores = is_moving or wanted == profile.FULL
    steps = [
        *([Step("profile", profile.may_change)] if is_moving else []),
        Step("configure", lambda: _configure(wanted, has_stores), ("profile",) if is_moving else ()),
        Step("kvm", hypervisor.prepare_kvm),
        *_environment(()),
        Step("guest image", lambda: _guest_image(places.GUEST_IMAGE), ("configure",)),
        *(_stores() if has_stores else []),
        Step("supervisord", _supervisord, ("venv", "kvm", "database" if has_stores else "configure")),
        Step("libvirt", hypervisor.wait, ("supervisord",)),
        Step("open vswitch", switch.wait, ("supervisord",)),
        Step("tgt", targets.wait, ("supervisord",)),
        *(_move(wanted) if is_moving else []),
        Step("schema", services.make_schema, ("python", *_database_of(wanted, is_moving))),
        Step("services", services.start, ("schema", "libvirt", "open vswitch", "tgt")),
        Step("api", services.wait, ("services", *(["rabbitmq"] if wanted == profile.FULL else []))),
        Step("outside", outside.make, ("api",)),
        Step("client", lambda: environment.install(UP_EXTRAS), ("python",)),
        Step("contents", _contents, ("api", "client", "guest image", "outside")),
    ]
    return [*steps, Step("demo", _demo, ("contents",))] if with_demo else steps


def _stores() -> list[Step]:
    """The database server and the broker of the full profile."""
    return [
        Step("database", database.install, ("configure",)),
        Step("mariadb", database.wait, ("supervisord",)),
        Step("rabbitmq", broker.wait, ("supervisord",)),
    ]


def _move(wanted: str) -> list[Step]:
    """The rows go over while none of our programs runs; what the new profile does not need ends."""

    def settle() -> str:
        _configure(wanted, has_stores=wanted == profile.FULL)
        supervisor.start()
        return f"{wanted} from now on"

    return [
        Step("move", lambda: profile.move(wanted, passwords.load()), ("python", "mariadb", "rabbitmq")),
        Step("settle", settle, ("move", "libvirt", "open vswitch", "tgt")),
    ]


def _database_of(wanted: str, is_moving: bool) -> tuple[str, ...]:
    """What makes the database ready."""
    if is_moving:
        return ("settle",)
    return ("mariadb",) if wanted == profile.FULL else ("supervisord",)


def prepare() -> list[Step]:
    """What the linters and tests need, downloads included: nothing is started."""
    image = places.CACHE / places.GUEST_IMAGE.name
    return [*_environment(TEST_EXTRAS), Step("guest image", lambda: _guest_image(image))]


def demo() -> list[Step]:
    """The demo alone, on the cloud that runs."""
    return [Step("demo", lambda: _run_lab("demo", "lab.demo"))]


def _environment(extras: tuple[str, ...]) -> list[Step]:
    return [
        Step("venv", environment.make),
        Step("python", lambda: environment.install(extras), ("venv",)),
    ]


def _configure(wanted: str, has_stores: bool) -> str:
    """Directories, secrets and all configuration; decides which daemons are to be ours."""
    for path in (places.CONFIG, places.STATE, places.LOG, places.RUN):
        files.directory(path)
    conditions.check()
    own = _own_daemons()
    if "keep_bridges" not in files.remembered():
        files.remember(keep_bridges=switch.bridges(), keep_namespaces=switch.namespaces())
    files.remember(own=own, profile=profile.current() or wanted)
    secrets = passwords.load()
    sections = _configured_stores(secrets) if has_stores else []
    services.configure(*profile.urls(wanted, secrets), secrets["admin"])
    if "libvirt" in own:
        hypervisor.configure(secrets["libvirt_host_uuid"])
        sections += hypervisor.sections()
    if "switch" in own:
        switch.configure()
        sections += switch.sections()
    if "targets" in own:
        sections.append(targets.section())
    supervisor.write_config([*sections, *services.sections(profile.PROGRAMS[wanted])])
    stores = ["mariadb", "rabbitmq"] if has_stores else []
    return f"{wanted}; own daemons: {', '.join([*stores, *own])}"


def _configured_stores(secrets: dict[str, str]) -> list[str]:
    database.configure(secrets["database"])
    broker.configure(secrets["broker"])
    return [database.section(), *broker.sections()]


def _own_daemons() -> list[str]:
    """Those that the machine itself does not run."""
    parts = {"libvirt": hypervisor.is_foreign, "switch": switch.is_foreign, "targets": targets.is_foreign}
    return [name for name, is_foreign in parts.items() if not is_foreign()]


def _supervisord() -> str:
    supervisor.start()
    return str(places.SUPERVISOR_SOCKET)


def _guest_image(output: pathlib.Path) -> str:
    build = ["/usr/bin/python3", "-m", "lab.guest_image.build", "--output", str(output)]
    cache = ["--cache", str(places.CACHE / "guest_image")]
    with lock.checkout():
        command.run("guest image", [*build, *cache], _IMAGE_REMEDY)
    return str(output)


def _contents() -> str:
    return _run_lab("contents", "lab.contents")


def _demo() -> str:
    if files.remembered().get("demo"):
        return "was passed since the services started ('make demo' runs it again)"
    text = _run_lab("demo", "lab.demo")
    files.remember(demo=True)
    return text


def _run_lab(step: str, module: str) -> str:
    """One of our client programs, its lines shown as they come."""
    log = command.step_log(step)
    program = [places.tool("python"), "-m", module]
    try:
        command.stream(step, program, f"read {places.LOG}; 'make demo' tries it again")
    except StepError:
        services.check()
        raise
    return f"log: {log}"
