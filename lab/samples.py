"""``make docs``: writes ``etc/cumulet/*.conf``, every option with its help and default, from the code.

``--check`` writes nothing and fails when a file differs: continuous integration runs that.
"""

import runtime.lean  # noqa: I001  must come before what might import eventlet

import argparse
import pathlib
import socket
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import controller.db.options
import controller.db.sealed
import controller.identity.options
import controller.image.options
import controller.main.assembly
import controller.main.engine
import controller.network.options
import nova_compute.options
import ovs_agent.options
import runtime.settings
import volume_agent.agent

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "etc/cumulet"
#: Sections of libraries, said here because the libraries document their options themselves.
_LIBRARIES = """
# Broker (oslo.messaging), such as rabbit://user:password@192.0.2.1:5672/
#transport_url = <none>

# Logs (oslo.log): debug, use_json, log_dir and others are theirs.
#debug = false
"""


class Recorder:
    """Stands in for ConfigOpts of oslo.config and keeps what is registered with it."""

    def __init__(self) -> None:
        self.sections: dict[str, dict[str, Any]] = {}

    def register_opts(self, options: Iterable[Any], group: str | None = None) -> None:
        """As that of ConfigOpts."""
        for option in options:
            self.register_opt(option, group)

    def register_opt(self, option: Any, group: str | None = None) -> None:
        """As that of ConfigOpts."""
        self.sections.setdefault(group or "DEFAULT", {})[option.dest] = option

    def __contains__(self, name: str) -> bool:
        return name in self.sections.get("DEFAULT", {})


Register = Callable[[Any], None]


def _of(options: list[Any], group: str | None = None) -> Register:
    return lambda conf: conf.register_opts(options, group=group)


#: File: whose it is, and what registers its options.
FILES: dict[str, tuple[str, tuple[Register, ...]]] = {
    "cumulet.conf": (
        "every process: read before the file of its own",
        (
            runtime.settings.register,
            controller.db.options.register,
            _of(controller.db.sealed.OPTIONS),
            controller.identity.options.register,
            controller.image.options.register,
            controller.network.options.register,
        ),
    ),
    "controller-api.conf": ("controller-api", (controller.main.assembly.register,)),
    "controller-engine.conf": ("controller-engine", (_of(controller.main.engine.OPTIONS, "engine"),)),
    "nova-compute.conf": ("nova-compute", (nova_compute.options.register,)),
    "ovs-agent.conf": ("ovs-agent", (ovs_agent.options.register,)),
    "volume-agent.conf": ("volume-agent", (_of(volume_agent.agent.OPTIONS),)),
}


def main() -> None:
    """Writes the files, or with ``--check`` says which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file differs")
    check = parser.parse_args().check
    differing = [name for name in FILES if _differs(FOLDER / name, text(name))]
    if check and differing:
        sys.exit(f"error: {', '.join(differing)} in etc/cumulet differ from the code: run 'make docs'")
    for name in differing:
        (FOLDER / name).write_text(text(name))
        print(f"etc/cumulet/{name}")


def text(name: str) -> str:
    """The content of one file."""
    whose, registers = FILES[name]
    recorder = Recorder()
    for register in registers:
        register(recorder)
    parts = [
        f"# Options of {whose}. Written by 'make docs' from the code: copy what you change to /etc/cumulet.\n"
    ]
    for section, options in sorted(
        recorder.sections.items(), key=lambda item: (item[0] != "DEFAULT", item[0])
    ):
        parts.append(f"\n[{section}]\n")
        if name == "cumulet.conf" and section == "DEFAULT":
            parts.append(_LIBRARIES)
        parts.extend(
            _option(option) for option in sorted(options.values(), key=lambda option: str(option.name))
        )
    return "".join(parts)


def _option(option: Any) -> str:
    lines = [f"# {line}" for line in textwrap.wrap(" ".join((option.help or "").split()), 106)]
    return "\n".join(
        ["", *lines, *_choices(option), *_mutability(option), f"#{option.dest} = {_default(option)}", ""]
    )


def _choices(option: Any) -> Iterator[str]:
    choices = getattr(option.type, "choices", None)
    if choices:
        yield f"# One of: {', '.join(str(choice) for choice in choices)}"


def _mutability(option: Any) -> Iterator[str]:
    if option.mutable:
        yield "# May be changed while the process runs: reload it."


def _default(option: Any) -> str:
    value = option.default if option.sample_default is None else option.sample_default
    if value is None or value == "":
        return "<none>"
    if value == socket.gethostname():
        return "<name of this host>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "<none>"
    if isinstance(value, dict):
        return ", ".join(f"{key}:{item}" for key, item in value.items()) or "<none>"
    return str(value)


def _differs(path: pathlib.Path, wanted: str) -> bool:
    return not path.exists() or path.read_text() != wanted


if __name__ == "__main__":
    main()
