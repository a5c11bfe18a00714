"""An agent as a whole: one on a ledger, and none that ends because of its broker."""

import pathlib
import threading
from unittest import mock

import pytest
from oslo_config import cfg

from runtime import bus, settings
from runtime.reconcile.host_agent import HostAgent


@pytest.fixture
def conf(tmp_path: pathlib.Path) -> cfg.ConfigOpts:
    options = cfg.ConfigOpts()
    settings.register(options)
    options([], project="cumulet", default_config_files=[])
    (tmp_path / "host.key").write_text("00" * 32)
    options.set_override("state_path", str(tmp_path))
    options.set_override("host_key_file", str(tmp_path / "host.key"))
    return options


def test_a_second_agent_on_one_ledger_is_refused(
    conf: cfg.ConfigOpts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.reconcile.host_agent.Bus", lambda *_: None)
    first = HostAgent(conf, "volume-agent")
    with pytest.raises(settings.ConfigurationError, match="volume-agent runs already"):
        HostAgent(conf, "volume-agent")
    HostAgent(conf, "nova-compute")
    first._lock.close()
    HostAgent(conf, "volume-agent")


def test_a_broker_that_refuses_is_tried_until_it_takes_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "_SERVE_AGAIN_S", 0.01)
    tries: list[str] = []
    served = threading.Event()

    class Rpc:
        def start(self) -> None:
            tries.append("start")
            if len(tries) < 3:
                raise RuntimeError("(403) ACCESS_REFUSED")
            served.set()

        def stop(self) -> None:
            tries.append("stop")

        @property
        def listener(self) -> "Rpc":
            return self

        def cleanup(self) -> None:
            tries.append("cleanup")

    finished = threading.Event()
    serving = bus._Serving("engine", Rpc, finished.set, lambda: None)
    assert served.wait(5)
    serving.stop()
    assert finished.is_set()
    assert tries == ["start", "start", "start", "stop", "cleanup"]


def test_a_broker_that_hangs_keeps_nobody_from_ending() -> None:
    gate = threading.Event()
    asked: list[str] = []
    rpc = mock.Mock()
    rpc.start.side_effect = gate.wait
    bus._Serving("engine", lambda: rpc, lambda: asked.append("finish"), gate.wait).stop()
    assert asked == ["finish"], "it returned while the broker still hangs"
    gate.set()
