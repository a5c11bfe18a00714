"""A server on a host of nspawn.py: pinged, logged into, watched while something is done to what it stands on."""

import re
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from tests.system.systemd.nspawn import Host
from tests.system.watch import eventually

#: On the host.
KEY = "/root/key"
PINGS_A_SECOND = 20


@dataclass
class Guest:
    """A server with a volume, as its host sees it."""

    host: Host
    server_id: str
    address: str
    namespace: str

    def ping(self, count: int) -> list[str]:
        """The command, to be run on this machine."""
        often = ("-i", str(1 / PINGS_A_SECOND), "-c", str(count), "-W", "10")
        return self.host.enter("ip", "netns", "exec", self.namespace, "ping", *often, self.address)

    def answers(self) -> bool:
        return subprocess.run(self.ping(1), capture_output=True, check=False).returncode == 0

    def log_in(self) -> None:
        """Waits until that is possible."""
        eventually(lambda: self.run("id -un", status=None) == "cumulet", "a login", 120)

    def run(self, command: str, status: int | None = 0) -> str:
        """Runs it inside."""
        loose = (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "BatchMode=yes",
        )
        options = [word for option in (*loose, "ConnectTimeout=5") for word in ("-o", option)]
        ssh = ("ip", "netns", "exec", self.namespace, "ssh", *options, "-i", KEY, f"cumulet@{self.address}")
        return self.host.run(*ssh, command, status=status)

    def lost_while(self, act: Any) -> tuple[int, int]:
        """Pings while ``act`` is done and a while longer: how many were sent, and how many lost.

        The last ones that have no answer are not lost: they are under way when ping is ended.
        """
        ping = subprocess.Popen(self.ping(10_000), stdout=subprocess.PIPE, text=True)
        act()
        time.sleep(1)  # what is watched is a second of traffic after it
        self.host.run("pkill", "-INT", "-x", "ping")
        out, _ = ping.communicate(timeout=60)
        answered = {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", out)}
        sent = max(answered, default=0)
        return sent, sent - len(answered)
