"""``make docs``: writes ``docs/states.md``, the state tables and the steps of all operations, from the code.

``--check`` writes nothing and fails when the file differs: continuous integration runs that.
"""

import runtime.lean  # noqa: F401, I001  must come before what might import eventlet

import argparse
import inspect
import pathlib
import sys
import types
from collections.abc import Callable, Iterable, Sequence

from controller.compute.servers import states as servers
from controller.main.engine_assembly import DEFINITIONS
from controller.operations import model as operations
from controller.operations.step import Definition, Step
from controller.volume.volumes import states as volumes

FILE = pathlib.Path(__file__).resolve().parents[1] / "docs/states.md"

_HEAD = """# States and operations

Written by `make docs` from the code; the linters fail when it differs. A verb that is not allowed in a state is
answered 409 (compute) or 400 (volume), naming the states that would do.
"""


def main() -> None:
    """Writes the file, or with ``--check`` says whether it differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the file differs")
    check = parser.parse_args().check
    if FILE.exists() and FILE.read_text() == text():
        return
    if check:
        sys.exit("error: docs/states.md differs from the code: run 'make docs'")
    FILE.write_text(text())
    print("docs/states.md")


def text() -> str:
    """The whole file."""
    return "\n".join([_HEAD, *_servers(), *_volumes(), *_operations()])


def _servers() -> Iterable[str]:
    yield "## Servers\n"
    yield _drawing(servers)
    yield _table(
        ("state", "status in the API", "`vm_state`"),
        [(name, shown.status, shown.vm_state) for name, shown in servers.SHOWN.items()],
    )
    yield "Which verb may begin in which state; ‖: also while another task is under way.\n"
    living = [name for name in servers.SHOWN if name != "deleted"]
    rows = [
        (verb, *("✓" if name in allowed else "" for name in living), _mark(verb in servers.INTERRUPTING))
        for verb, allowed in servers.ALLOWED.items()
    ]
    yield _table(("verb", *living, "‖"), rows)


def _volumes() -> Iterable[str]:
    yield "## Volumes\n"
    yield _drawing(volumes)
    rows = [
        (event, ", ".join(move.source), ", ".join(move.multiattach), move.target)
        for event, move in volumes.MOVES.items()
    ]
    yield _table(("event", "from", "multiattach volumes also from", "to"), rows)


def _operations() -> Iterable[str]:
    yield "## Operations\n"
    yield "An operation is a row; workers of any engine claim it under a lease and go on at its step.\n"
    yield _drawing(operations)
    yield (
        "Steps run in order, each until it is done or its deadline has passed; then the undo of every step "
        "that was begun, in\nreverse order. Both may run twice. A step without a deadline of its own has "
        f"{Step('', lambda _run: None).deadline_s:g} s.\n"
    )
    for kind in sorted(DEFINITIONS):
        yield from _operation(DEFINITIONS[kind])


def _operation(definition: Definition) -> Iterable[str]:
    yield f"### {definition.kind}\n"
    module = sys.modules[definition.steps[-1].do.__module__]
    about = _first_line(module).split(": ", 1)[-1]
    yield f"{about[0].upper()}{about[1:]} In the history: `{definition.action}`.\n"
    rows = [
        (step.name, _said(step.do), _said(step.undo), f"{step.deadline_s:g} s", step.late)
        for step in definition.steps
    ]
    yield _table(("step", "does", "undo", "deadline", "told to the user when late"), rows)


def _said(act: Callable[..., object] | None) -> str:
    """The first sentence of what a step's function says of itself, or its name."""
    if act is None:
        return "none"
    return _first_line(act) or f"`{act.__name__.lstrip('_')}`"


def _first_line(described: Callable[..., object] | types.ModuleType) -> str:
    paragraph = (inspect.getdoc(described) or "").split("\n\n")[0]
    return " ".join(paragraph.split())


def _drawing(module: types.ModuleType) -> str:
    """The indented drawing in a module's docstring."""
    paragraphs = (module.__doc__ or "").rstrip().split("\n\n")
    drawn = [p.strip("\n") for p in paragraphs if "──►" in p or "─►" in p]
    return "```\n" + "\n\n".join(drawn) + "\n```\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _mark(is_so: bool) -> str:
    return "✓" if is_so else ""


if __name__ == "__main__":
    main()
