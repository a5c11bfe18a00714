"""The config drive of a server: a small CD that holds what a guest may know about itself."""

import contextlib
import pathlib
import shutil
import tempfile

from contract.instance_data import InstanceData
from nova_compute.host import genisoimage
from runtime import instance_metadata

#: By this label guests (cloud-init, Ignition, cloudbase-init) find the drive.
LABEL = "config-2"


def make(data: InstanceData, target: pathlib.Path) -> None:
    """Writes the drive to ``target``, for its owner only: whole or not at all. Raises ProgramError."""
    with contextlib.ExitStack() as undo:
        tree = pathlib.Path(tempfile.mkdtemp(prefix="config-", dir=target.parent))
        undo.callback(shutil.rmtree, tree, ignore_errors=True)
        content = tree / "content"
        for path, body in instance_metadata.config_drive_files(data).items():
            file = content / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        genisoimage.pack(content, LABEL, tree / "drive")
        (tree / "drive").chmod(0o600)
        (tree / "drive").replace(target)
