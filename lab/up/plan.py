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
    passwords,
    places,
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


def up(with_demo: bool) -> list[Step]:
    """Everything, from the virtual environment to a server that was logged into."""
    steps = [
        Step("configure", _configure),
        Step("kvm", hypervisor.prepare_kvm),
        *_environment(()),
        Step("guest image", lambda: _guest_image(places.GUEST_IMAGE), ("configure",)),
        Step("database", database.install, ("configure",)),
        Step("supervisord", _supervisord, ("venv", "database", "kvm")),
        Step("mariadb", database.wait, ("supervisord",)),
        Step("rabbitmq", broker.wait, ("supervisord",)),
        Step("libvirt", hypervisor.wait, ("supervisord",)),
        Step("open vswitch", switch.wait, ("supervisord",)),
        Step("tgt", targets.wait, ("supervisord",)),
        Step("schema", services.make_schema, ("python", "mariadb")),
        Step("services", services.start, ("schema", "libvirt", "open vswitch", "tgt")),
        Step("api", services.wait, ("services", "rabbitmq")),
        Step("client", lambda: environment.install(UP_EXTRAS), ("python",)),
        Step("contents", _contents, ("api", "client", "guest image")),
    ]
    return [*steps, Step("demo", _demo, ("contents",))] if with_demo else steps


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


def _configure() -> str:
    """Directories, secrets and all configuration; decides which daemons are to be ours."""
    for path in (places.CONFIG, places.STATE, places.LOG, places.RUN):
        files.directory(path)
    conditions.check()
    own = _own_daemons()
    if "keep_bridges" not in files.remembered():
        files.remember(keep_bridges=switch.bridges(), keep_namespaces=switch.namespaces())
    files.remember(own=own)
    secrets = passwords.load()
    database.configure(secrets["database"])
    transport_url = broker.configure(secrets["broker"])
    services.configure(database.url(secrets["database"]), transport_url, secrets["admin"])
    sections = [database.section(), *broker.sections()]
    if "libvirt" in own:
        hypervisor.configure(secrets["libvirt_host_uuid"])
        sections += hypervisor.sections()
    if "switch" in own:
        switch.configure()
        sections += switch.sections()
    if "targets" in own:
        sections.append(targets.section())
    supervisor.write_config([*sections, *services.sections()])
    return f"own daemons: {', '.join(['mariadb', 'rabbitmq', *own])}"


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
