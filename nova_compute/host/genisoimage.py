"""genisoimage: packs a directory into a CD image."""

import pathlib

from nova_compute.host import limited


def pack(directory: pathlib.Path, label: str, target: pathlib.Path) -> None:
    """Writes ``target`` with the content of ``directory``, long names included. Raises ProgramError."""
    names = ["-J", "-r", "-l", "-ldots", "-allow-lowercase", "-allow-multidot"]
    limited.run(
        ["genisoimage", "-quiet", "-V", label, *names, "-o", str(target), str(directory)], limited.Limits()
    )
