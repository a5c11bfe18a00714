"""A guest that writes to its volume all the time: whatever dies beside it, it goes on."""

import base64
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from lab.up import places
from tests.faults import host
from tests.faults.cloud import Cloud
from tests.faults.verbs import remove

#: Counts on the volume's first block. A write that hangs is waited for, as by any program.
_SCRIPT = b"""#!/usr/lib/cumulet-guest/sh
count=0
while :; do
  count=$((count + 1))
  [ ! -b /dev/vdb ] || printf '%012d' $count | dd of=/dev/vdb bs=512 conv=sync,fsync 2>/dev/null
  sleep 1
done
"""


@dataclass(frozen=True)
class Witness:
    """The guest, and the volume that it writes to."""

    cloud: Cloud
    server: str
    volume: str

    def count(self) -> int:
        """How far it has counted: tgtd writes to the file of the volume, whose bytes are read here."""
        with (places.STATE / "volumes" / self.volume).open("rb") as file:
            text = file.read(12)
        return int(text) if text.isdigit() else 0

    def goes_on(self, timeout_s: float = 120.0) -> None:
        """Waits until it has written again."""
        before = self.count()
        self.cloud.until(lambda: self.count() > before, "the guest's next write to its volume", timeout_s)

    def process(self) -> int:
        """The guest's process: another one means that the guest was ended."""
        return host.process_of(self.server)


@contextlib.contextmanager
def writing(cloud: Cloud, name: str) -> Iterator[Witness]:
    """A witness, from its first write on."""
    volume = cloud.make_volume(name)
    server = cloud.boot(name, user_data=base64.b64encode(_SCRIPT).decode())
    cloud.until(lambda: cloud.server_state(server) == "ACTIVE", "the witness")
    cloud.attach(server, volume)
    cloud.until(lambda: cloud.volume_state(volume) == "in-use", "its volume")
    witness = Witness(cloud, server, volume)
    witness.goes_on()
    yield witness
    remove(cloud, server)
    cloud.until(lambda: cloud.volume_state(volume) == "available", "its volume free")
    cloud.sdk.block_storage.delete_volume(volume)
    cloud.until(lambda: cloud.volume_state(volume) == "gone", "its volume gone")
