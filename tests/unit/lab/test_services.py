"""Of a process that does not run, ``make up`` tells which it is and shows its log."""

import pathlib
import types
from typing import Any

import pytest

from lab.up import files, places, profile, services, step, supervisor
from lab.up.step import StepError

CANNOT_WORK = 78


class Supervisord:
    """All of ours run, but for what a test puts in."""

    def __init__(self) -> None:
        self.processes = {name: ("RUNNING", 0) for name in profile.PROGRAMS[profile.FULL]}

    def asked(self) -> types.SimpleNamespace:
        """The methods as it has them."""
        return types.SimpleNamespace(getState=lambda: {"statecode": 1}, getAllProcessInfo=self._told)

    def _told(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "statename": state, "exitstatus": status}
            for name, (state, status) in self.processes.items()
        ]


@pytest.fixture
def supervisord(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Supervisord:
    found = Supervisord()
    monkeypatch.setattr(supervisor, "_ask", found.asked)
    monkeypatch.setattr(services, "_answers", lambda: True)
    monkeypatch.setattr(places, "LOG", tmp_path)
    monkeypatch.setattr(places, "MEMORY", tmp_path / "up.json")
    files.remember(profile=profile.FULL)
    (tmp_path / "volume-agent.log").write_text("error: volume-agent: option metrics_port in /etc/x.conf\n")
    return found


@pytest.mark.usefixtures("supervisord")
def test_all_run() -> None:
    assert services.wait() == places.API_URL
    services.check()


@pytest.mark.parametrize("state", ["BACKOFF", "EXITED", "FATAL"])
def test_a_configuration_that_cannot_work_is_not_waited_for(
    supervisord: Supervisord, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisord.processes["volume-agent"] = (state, CANNOT_WORK)
    with pytest.raises(StepError) as raised:
        services.wait()
    step.explain("api", raised.value)
    told = capsys.readouterr().err
    for part in ("volume-agent is not ready", state, "option metrics_port in /etc/x.conf", "what to do: "):
        assert part in told


def test_one_that_was_mended_is_waited_for(supervisord: Supervisord) -> None:
    """supervisord tells the last status for as long as there is no newer one."""
    supervisord.processes["volume-agent"] = ("RUNNING", CANNOT_WORK)
    services.wait()


def test_one_that_has_ended_is_the_reason_of_what_did_not_come_about(supervisord: Supervisord) -> None:
    supervisord.processes["nova-compute"] = ("EXITED", 1)
    with pytest.raises(StepError, match="nova-compute is not ready"):
        services.check()
