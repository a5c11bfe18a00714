"""An end point of a port on the real bridge: a namespace that answers where a guest would.

The tap is a veth that is plugged as libvirt plugs a guest's, so that ``ovs-agent`` wires it. Emulated guests
stall by themselves; this one does not, so what is measured is the switch.
"""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.system.watch import eventually, output_of


@dataclass(frozen=True)
class EndPoint:
    """A port that has its address inside the namespace ``name``."""

    name: str
    port_id: str
    address: str

    @property
    def tap(self) -> str:
        """The link on the bridge."""
        return f"tap{self.name}"

    def enter(self, *command: str) -> Sequence[str]:
        """The words that run a command inside."""
        return ("ip", "netns", "exec", self.name, *command)

    def wired_mark(self) -> str:
        """What ovs-agent wrote on the tap's row; empty when it is not wired."""
        asked = ("--if-exists", "get", "interface", self.tap, "external_ids:cumulet-wired")
        done = subprocess.run(["ovs-vsctl", *asked], capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip().strip('"')


@contextlib.contextmanager
def end_point(name: str, port: Any, prefix_length: int = 24) -> Iterator[EndPoint]:
    """Makes it for a port of the API that is bound to this host, and waits until it is wired."""
    made = EndPoint(name, port.id, port.fixed_ips[0]["ip_address"])
    inner = f"e{name}"
    with contextlib.ExitStack() as undo:
        output_of("ip", "netns", "add", name)
        undo.callback(subprocess.run, ["ip", "netns", "delete", name], check=False)
        output_of("ip", "link", "add", made.tap, "type", "veth", "peer", "name", inner)
        undo.callback(subprocess.run, ["ip", "link", "delete", made.tap], check=False)
        for link in (made.tap, inner):
            # the userspace datapath computes no checksums
            output_of("ethtool", "-K", link, "tx", "off")
        output_of("ip", "link", "set", inner, "netns", name)
        for words in (
            ("link", "set", inner, "name", "eth0", "address", port.mac_address, "mtu", "1400", "up"),
            ("addr", "add", f"{made.address}/{prefix_length}", "dev", "eth0"),
            ("link", "set", "lo", "up"),
        ):
            output_of(*made.enter("ip", *words))
        output_of("ip", "link", "set", made.tap, "up")
        add = ("add-port", "br-int", made.tap, "--", "set", "interface", made.tap)
        output_of("ovs-vsctl", *add, f"external_ids:iface-id={port.id}")
        undo.callback(subprocess.run, ["ovs-vsctl", "--if-exists", "del-port", made.tap], check=False)
        eventually(lambda: bool(made.wired_mark()), f"the wiring of {made.tap}", 60)
        yield made


@dataclass(frozen=True)
class Window:
    """What was seen in a span of time: pings without an answer, the longest waits for an answer and for
    the next bytes of the stream."""

    sent: int
    lost: int
    longest_ping_s: float
    longest_silence_s: float
    bytes: int
