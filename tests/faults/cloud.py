"""A cloud whose processes are killed: asks it by the unmodified SDK, sets fault points, handles its processes."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import openstack
from keystoneauth1 import exceptions as client_errors
from oslo_config import cfg

from controller.db import agents
from controller.db import options as db_options
from controller.db.session import Database
from lab import acts, contents
from lab.up import places, profile, supervisor
from tests.faults.cases import program_of
from tests.faults.log import Log

PLAN = places.RUN / "faults"
#: What a whole verb may take with a fault in it: a lease, a restart, a heartbeat, and a busy machine.
PATIENCE_S = 120.0
#: What an API that is not there, or was killed while it answered, looks like.
AWAY = (openstack.exceptions.HttpException, client_errors.ConnectFailure, client_errors.ServiceUnavailable)


class Cloud:
    """One user's view, and an operator's."""

    def __init__(self, profile_name: str) -> None:
        self.profile = profile_name
        self.sdk = acts.cloud()
        self.image = self.sdk.image.find_image(contents.IMAGE).id
        self.flavor = self.sdk.compute.find_flavor("m1.tiny").id
        self.network = self.sdk.network.find_network(contents.NETWORK).id
        self.db = Database(_database_url())

    # --- faults

    def plan(self, *lines: str) -> None:
        """From now on these fault points fire, each once."""
        self.unplan()
        partial = PLAN.with_suffix(".new")
        partial.write_text("".join(f"{line}\n" for line in lines))
        partial.rename(PLAN)

    def unplan(self) -> None:
        """No fault point fires."""
        for path in (PLAN, _beside(".fired"), _beside(".passed")):
            path.unlink(missing_ok=True)

    def fired(self) -> Sequence[str]:
        """Lines of the plan that fired."""
        return _lines(_beside(".fired"))

    def passed(self) -> set[str]:
        """Fault points passed since ``plan("* trace")``."""
        return set(_lines(_beside(".passed")))

    def until_held(self, point: str) -> None:
        """Waits for the process that was to stop at a point of the plan."""
        self.until(self.fired, f"somebody at {point}")
        self.until(lambda: self.is_stopped(program_of(point)), f"a stop at {point}")

    # --- processes

    def process_of(self, program: str) -> str:
        """The supervised program that does one's work: of ours one does everything in the embedded profile."""
        is_part = self.profile == profile.EMBEDDED and program in profile.PROGRAMS[profile.FULL]
        return profile.ALL_IN_ONE if is_part else program

    def log(self, program: str) -> Log:
        """What its process says from now on."""
        return Log(self.process_of(program))

    def signal(self, program: str, number: signal.Signals) -> None:
        """Sends a signal to one supervised process."""
        os.kill(self.pid(program), number)

    def pid(self, program: str) -> int:
        """The process id of a supervised process."""
        return int(places.pid_file(self.process_of(program)).read_text())

    def stop(self, program: str) -> None:
        """Stops it where it is."""
        self.signal(program, signal.SIGSTOP)

    def go_on(self, *programs: str) -> None:
        """Lets what was stopped go on; all of our processes if none is named."""
        for program in programs or profile.PROGRAMS[self.profile]:
            with contextlib.suppress(ProcessLookupError):
                self.signal(program, signal.SIGCONT)

    def is_stopped(self, program: str) -> bool:
        """Whether a signal stopped it."""
        stat = pathlib.Path(f"/proc/{self.pid(program)}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def kill(self, program: str) -> None:
        """Kills it; supervisord starts it again."""
        self.signal(program, signal.SIGKILL)

    def is_heard(self, agent: str) -> bool:
        """Whether an agent counts as alive."""
        with self.db.read() as session:
            return all(row.is_up for row in agents.of_kind(session, agent))

    def all_run(self) -> bool:
        """Whether everything supervised runs."""
        return set(supervisor.states().values()) == {"RUNNING"}

    def all_are_heard(self) -> bool:
        """Whether API, engine and all agents are at work."""
        try:
            states = [s.state for s in self.sdk.compute.services()]
            states += [s.state for s in self.sdk.block_storage.services()]
            alive = [a.is_alive for a in self.sdk.network.agents()]
        except AWAY:
            return False
        return bool(states and alive) and set(states) == {"up"} and all(alive)

    # --- what users do

    def boot(self, name: str, network: str = "", **more: Any) -> str:
        """Asks for a server; its id."""
        nets = [{"uuid": network or self.network}]
        given = {"image_id": self.image, "flavor_id": self.flavor} | more
        self.ask(lambda: self.sdk.compute.create_server(name=name, networks=nets, **given))
        found: list[str] = []

        def is_there() -> bool:
            found.extend(self._named(name))
            return bool(found)

        self.until(is_there, f"a server {name}")
        return found[0]

    def delete(self, server_id: str) -> None:
        """Asks for a server's deletion."""
        self.ask(lambda: self.sdk.compute.delete_server(server_id))

    def make_volume(self, name: str) -> str:
        """A volume of 1 GiB that is available; its id."""
        volume_id = self.ask_volume(name)
        self.until(lambda: self.volume_state(volume_id) == "available", "the volume")
        return volume_id

    def ask_volume(self, name: str, **more: Any) -> str:
        """Asks for a volume of 1 GiB; its id."""
        return str(self.sdk.block_storage.create_volume(name=name, size=1, **more).id)

    def attach(self, server_id: str, volume_id: str) -> None:
        """Asks for a volume in a server."""
        self.ask(lambda: self.sdk.compute.create_volume_attachment(server_id, volume_id=volume_id))

    def detach(self, server_id: str, volume_id: str) -> None:
        """Asks for a volume out of a server."""
        self.ask(lambda: self.sdk.compute.delete_volume_attachment(server_id, volume_id))

    def server_state(self, server_id: str) -> str:
        """ACTIVE, BUILD, …, "gone", or "?" while the API cannot tell."""
        return self._state(lambda: self.sdk.compute.get_server(server_id).status)

    def volume_state(self, volume_id: str) -> str:
        """As ``server_state``."""
        return self._state(lambda: self.sdk.block_storage.get_volume(volume_id).status)

    def fault(self, server_id: str) -> str:
        """Why a server is in ERROR."""
        return str((self.sdk.compute.get_server(server_id).fault or {}).get("message", ""))

    def until(self, holds: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> float:
        """Waits until ``holds``; the seconds that it took."""
        began = time.monotonic()
        while not holds():
            waited = time.monotonic() - began
            assert waited < timeout_s, f"{what}: not within {timeout_s:.0f} s"
            time.sleep(0.25)
        return time.monotonic() - began

    @staticmethod
    def ask(request: Callable[[], object]) -> None:
        """Asks once. An API that dies between commit and answer has taken the request all the same."""
        with contextlib.suppress(client_errors.ConnectFailure):
            request()

    @staticmethod
    def look(see: Callable[[], Any]) -> Any:
        """What is seen; None while the API cannot tell."""
        try:
            return see()
        except AWAY:
            return None

    def _named(self, name: str) -> list[str]:
        try:
            return [s.id for s in self.sdk.compute.servers(name=f"^{name}$")]
        except AWAY:
            return []

    def _state(self, look: Callable[[], str]) -> str:
        try:
            return look()
        except openstack.exceptions.NotFoundException:
            return "gone"
        except client_errors.ConnectFailure:
            return "?"
        except openstack.exceptions.HttpException as error:
            assert error.status_code == 503, error
            return "?"


def run(*command: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    """A program of this machine, to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def output_of(*command: str) -> str:
    """What it prints; it must succeed."""
    done = run(*command)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


def doctor(*arguments: str) -> tuple[int, str]:
    """The doctor's status and words."""
    done = run(places.tool("controller-manage"), "doctor", *arguments)
    return done.returncode, done.stdout + done.stderr


def _beside(suffix: str) -> pathlib.Path:
    return PLAN.with_name(PLAN.name + suffix)


def _lines(path: pathlib.Path) -> Sequence[str]:
    return path.read_text().splitlines() if path.exists() else []


def _database_url() -> str:
    conf = cfg.ConfigOpts()
    db_options.register(conf)
    conf([], default_config_files=[str(places.CONFIG / "cumulet.conf")])
    return str(conf.database.connection)
