"""Every process of ours dies under traffic: no packet is lost, and all of them are back by themselves.

Two end points on the real bridge ping each other a hundred times a second and hold a TCP stream. A window in
which nothing happens says what this machine's own stalls are.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure

from lab.acts import cloud
from lab.up import places, profile, supervisor
from tests.system import stream
from tests.system.end_point import EndPoint, Window, end_point
from tests.system.watch import eventually

TAG = uuid.uuid4().hex[:6]
WINDOW_S = 5
TCP_PORT = "5201"
#: Processes in the order of their ending, and the signal.
ENDS = {
    profile.FULL: (
        ("controller-api", signal.SIGKILL),
        ("controller-engine", signal.SIGKILL),
        ("nova-compute", signal.SIGKILL),
        ("ovs-agent", signal.SIGKILL),
        ("ovs-agent", signal.SIGTERM),
        ("volume-agent", signal.SIGKILL),
    ),
    profile.EMBEDDED: ((profile.ALL_IN_ONE, signal.SIGKILL), (profile.ALL_IN_ONE, signal.SIGTERM)),
}
#: What counts as no stall, whatever the quiet window says: two processes that start share two cores with
#: what is measured.
TOLERATED_S = 1.0
#: A stall that a death causes comes each time; one of a busy machine does not. A lost packet is never tried again.
TRIES = 3


@dataclass(frozen=True)
class Scene:
    """Two end points with a stream from the first to the second."""

    first: EndPoint
    second: EndPoint
    receiver: subprocess.Popen[str]

    def told(self) -> Any:
        """What the stream's receiver saw since it was last asked."""
        assert self.receiver.stdin is not None and self.receiver.stdout is not None
        self.receiver.stdin.write("\n")
        self.receiver.stdin.flush()
        return json.loads(self.receiver.stdout.readline())

    def window(self, act: Any = lambda: None) -> Window:
        """Looks on while ``act`` is done, for a fixed time at least."""
        self.told()
        count = str(WINDOW_S * 100)
        ping = subprocess.Popen(
            self.first.enter("ping", "-q", "-i", "0.01", "-c", count, "-W", "5", self.second.address),
            stdout=subprocess.PIPE,
            text=True,
        )
        act()
        out, _ = ping.communicate(timeout=60)
        sent, received = map(int, re.findall(r"(\d+) (?:packets transmitted|received)", out))
        longest = float(re.findall(r"= [\d.]+/[\d.]+/([\d.]+)/", out)[0]) / 1000
        seen = self.told()
        return Window(sent, sent - received, longest, seen["longest_s"], seen["bytes"])


@pytest.fixture(scope="module")
def connection(openstack: Any) -> Any:
    """The administrator's connection by the SDK."""
    return cloud()


@pytest.fixture(scope="module")
def scene(connection: Any) -> Iterator[Scene]:
    with contextlib.ExitStack() as undo:
        network = connection.network.create_network(name=f"steady-{TAG}")
        undo.callback(connection.network.delete_network, network)
        connection.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.66.0.0/24")
        group = connection.network.create_security_group(name=f"steady-{TAG}")
        undo.callback(connection.network.delete_security_group, group)
        for protocol in ("icmp", "tcp"):
            connection.network.create_security_group_rule(
                security_group_id=group.id, direction="ingress", ethertype="IPv4", protocol=protocol
            )
        points = []
        for letter in "ab":
            port = connection.network.create_port(
                network_id=network.id,
                security_groups=[group.id],
                device_owner="compute:nova",
                binding_host_id=socket.gethostname(),
            )
            undo.callback(connection.network.delete_port, port)
            points.append(undo.enter_context(end_point(f"{letter}{TAG}", port)))
        receiver = undo.enter_context(_streaming(*points))
        yield Scene(*points, receiver)


@contextlib.contextmanager
def _streaming(first: EndPoint, second: EndPoint) -> Iterator[subprocess.Popen[str]]:
    program = (sys.executable, str(pathlib.Path(stream.__file__)))
    with contextlib.ExitStack() as undo:
        receiver = subprocess.Popen(
            second.enter(*program, "receive", TCP_PORT),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        undo.callback(_end, receiver)
        assert receiver.stdout is not None and receiver.stdout.readline() == "ready\n"
        undo.callback(_end, subprocess.Popen(first.enter(*program, "send", second.address, TCP_PORT)))
        yield receiver


def test_no_packet_is_lost_whoever_dies(scene: Scene) -> None:
    reach = scene.first.enter("ping", "-c", "1", "-W", "1", scene.second.address)
    eventually(lambda: subprocess.run(reach, capture_output=True).returncode == 0, "the first ping")
    quiet = scene.window()
    print(f"quiet: {quiet}")
    for program, number in ENDS[profile.current()]:
        for left in reversed(range(TRIES)):
            window = scene.window(lambda p=program, n=number: _end_program(p, n))
            print(f"{program} {number.name}: {window}")
            assert window.lost <= quiet.lost == 0 and window.bytes and quiet.bytes, program
            if not _stalls(window, quiet):
                break
            assert left, f"{program} stalls traffic each time: {window}, quiet {quiet}"
            quiet = scene.window()
            print(f"quiet: {quiet}")


def test_all_are_back_and_agree(scene: Scene, connection: Any) -> None:
    eventually(lambda: set(supervisor.states().values()) == {"RUNNING"}, "every program's return", 60)
    eventually(lambda: _are_heard(connection), "the agents' heartbeats", 60)
    for point in (scene.first, scene.second):
        assert point.wired_mark()
    eventually(_doctor_is_content, "controller-manage doctor", 60)


def _are_heard(connection: Any) -> bool:
    """A process runs a moment before it answers."""
    try:
        is_network_alive = all(agent.is_alive for agent in connection.network.agents())
        return is_network_alive and {service.state for service in connection.compute.services()} == {"up"}
    except ConnectFailure:
        return False


def _stalls(window: Window, quiet: Window) -> bool:
    """Whether traffic waited longer than it does by itself."""
    is_ping_late = window.longest_ping_s > max(TOLERATED_S, 2 * quiet.longest_ping_s)
    return is_ping_late or window.longest_silence_s > max(TOLERATED_S, 2 * quiet.longest_silence_s)


def _end_program(program: str, number: signal.Signals) -> None:
    """Ends a process, and waits until the supervisor has another one."""
    path = places.pid_file(program)
    old = path.read_text().strip()
    os.kill(int(old), number)

    def is_another() -> bool:
        return path.read_text().strip() not in ("", old) and supervisor.states()[program] == "RUNNING"

    eventually(is_another, f"another {program}", 60)


def _doctor_is_content() -> bool:
    doctor = [places.tool("controller-manage"), "doctor"]
    return subprocess.run(doctor, capture_output=True, check=False, timeout=120).returncode == 0


def _end(process: subprocess.Popen[str]) -> None:
    """``ip netns exec`` becomes the program, so this ends the program itself."""
    process.kill()
    process.wait(timeout=10)
