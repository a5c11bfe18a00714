"""The virtual environment: ``.venv`` in the checkout, of Debian's Python, filled by uv."""

import configparser
import hashlib
import json
import pathlib

from lab.up import command, files, lock, places
from lab.up.step import StepError

_PYTHON = "/usr/bin/python3"
_PIP_WHEELS = pathlib.Path("/usr/share/python-wheels")
_STAMP = places.VENV / "cumulet.json"
#: What the installed set is made of.
_INPUTS = ("constraints.txt", "overrides.txt")
#: Sections of setup.cfg that are about installing; the others are the linters' and tests'.
_INSTALLING = ("metadata", "options")
_REMEDY = "check the network and the Python package index, then run it again; 'rm -rf .venv' starts afresh"
PACKAGES = ("contract", "runtime", "controller", "nova_compute", "ovs_agent", "volume_agent", "lab")


@lock.checkout()
def make() -> str:
    """The environment itself, with uv and supervisord: enough to start what is not ours."""
    if is_current(()):
        return "is there"
    if not pathlib.Path(places.tool("python")).exists():
        venv = [_PYTHON, "-m", "venv", "--without-pip", str(places.VENV)]
        command.run("venv", venv, "install the package python3-venv")
    if not pathlib.Path(places.tool("uv")).exists():
        command.run("venv", [places.tool("python"), *_pip(), "install", "--quiet", "uv"], _REMEDY)
    if not pathlib.Path(places.tool("supervisord")).exists():
        _install("venv", "supervisor")
    return str(places.VENV)


@lock.checkout()
def install(extras: tuple[str, ...]) -> str:
    """Our packages with all that they need, compiled."""
    if is_current(extras):
        _compile()
        return "is current"
    wanted = tuple(sorted({*extras, *_recorded_extras()}))
    # Our own programs are only installed when they are not current: others use them while extras arrive.
    ours = [] if is_current(()) else ["--editable", "."]
    _install("python", *ours, *_requirements(wanted))
    _compile()
    _STAMP.write_text(json.dumps({"inputs": _inputs(), "extras": wanted}) + "\n")
    return f"with {', '.join(wanted)}" if wanted else "installed"


def is_current(extras: tuple[str, ...]) -> bool:
    """Whether what ``install`` would install is there already."""
    if not _STAMP.exists():
        return False
    return bool(_recorded()["inputs"] == _inputs()) and set(extras) <= set(_recorded_extras())


def code_digest() -> str:
    """Stands for the code that our processes run, and for what it stands on."""
    result = hashlib.sha256(_inputs().encode())
    for package in PACKAGES[:-1]:
        for path in sorted((places.CHECKOUT / package).rglob("*.py")):
            result.update(path.read_bytes())
    return result.hexdigest()[:16]


def _pip() -> list[str]:
    """Debian's pip run out of its wheel: to unpack it into an environment that needs uv only takes 5 s."""
    wheels = sorted(_PIP_WHEELS.glob("pip-*.whl"))
    if not wheels:
        raise StepError(f"no pip is in {_PIP_WHEELS}", "install the package python3-pip-whl")
    return [str(wheels[-1] / "pip")]


def _install(step: str, *what: str) -> None:
    uv = [places.tool("uv"), "pip", "install", "--quiet", "--python", places.tool("python")]
    pinned = ["--override", "overrides.txt", "--constraint", "constraints.txt"]
    # uv leaves its locks in the directory for temporary files
    temporary = files.directory(places.CACHE / "tmp")
    command.run(step, [*uv, *pinned, *what], _REMEDY, command.environment(TMPDIR=str(temporary)))


def _compile() -> None:
    compileall = [places.tool("python"), "-m", "compileall", "-q"]
    command.run(
        "python", [*compileall, *(name for name in PACKAGES if (places.CHECKOUT / name).exists())], _REMEDY
    )


def _inputs() -> str:
    parser = _setup()
    sections = {name: dict(parser[name]) for name in parser.sections() if name.startswith(_INSTALLING)}
    result = hashlib.sha256(json.dumps(sections, sort_keys=True).encode())
    for name in _INPUTS:
        result.update((places.CHECKOUT / name).read_bytes())
    return result.hexdigest()[:16]


def _requirements(extras: tuple[str, ...]) -> list[str]:
    listed = _setup()["options.extras_require"]
    return sorted({line for extra in extras for line in listed[extra].split("\n") if line})


def _setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(places.CHECKOUT / "setup.cfg")
    return parser


def _recorded() -> dict[str, str | list[str]]:
    recorded: dict[str, str | list[str]] = json.loads(_STAMP.read_text())
    return recorded


def _recorded_extras() -> list[str]:
    return list(_recorded()["extras"]) if _STAMP.exists() else []
