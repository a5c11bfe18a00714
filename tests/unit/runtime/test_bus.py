"""Who speaks is who signed: forged, replayed and stale messages never reach a method."""

import runtime.lean  # noqa: F401, I001  before oslo.messaging, which would import eventlet

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import oslo_messaging
import pytest
from oslo_config import cfg

from contract import topics
from contract.report import Pull, PullAnswer
from runtime.bus import CONTROLLER, Bus, BusError, Method, StoppingError, UnreachableError, _Endpoint
from runtime.nonces import FRESHNESS_S
from runtime.trouble import Trouble

REQUEST = Pull(agent="ovs-agent", kind="port", id="p")
ENGINE = (topics.ENGINE, None)
KEYS = {CONTROLLER: b"c" * 32, "one": b"1" * 32, "two": b"2" * 32}


class Keys:
    """The keys that one process knows."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known

    def key(self, key_id: str) -> bytes | None:
        return self._known.get(key_id)


@pytest.fixture
def conf() -> Iterator[cfg.ConfigOpts]:
    """The global options, as oslo.messaging reads them in places, with its broker in memory."""
    cfg.CONF([], project="cumulet", default_config_files=[])
    oslo_messaging.get_rpc_transport(cfg.CONF, "inprocess://")
    cfg.CONF.set_override("transport_url", "inprocess://")
    yield cfg.CONF
    cfg.CONF.clear_override("transport_url")
    cfg.CONF.reset()


@pytest.fixture
def heard(conf: cfg.ConfigOpts) -> Iterator[list[str]]:
    """The hosts that the engine believed to hear."""
    hosts: list[str] = []

    def pull(_request: Pull, host: str) -> PullAnswer:
        hosts.append(host)
        return PullAnswer(database_id="d", revision=1)

    engine = Bus(conf, CONTROLLER, Keys(KEYS))
    stop = engine.serve(topics.ENGINE, "e", {"pull": Method(Pull, pull)})
    yield hosts
    stop()


def ask(bus: Bus) -> PullAnswer:
    return bus.call(ENGINE, "pull", REQUEST, PullAnswer, timeout_s=5)


def test_the_host_is_taken_from_the_signature(conf: cfg.ConfigOpts, heard: list[str]) -> None:
    assert ask(Bus(conf, "one", Keys({"one": KEYS["one"]}))).revision == 1
    assert heard == ["one"]


def test_a_call_ends_while_no_broker_was_ever_there(conf: cfg.ConfigOpts) -> None:
    """As on a host that reboots alone: it would keep a worker for ever."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        conf.set_override("transport_url", f"rabbit://user:password@{place}/")
        with pytest.raises(UnreachableError, match="no broker"):
            ask(Bus(conf, "one", Keys({"one": KEYS["one"]})))


@pytest.mark.parametrize("name", ["two", CONTROLLER, "nobody"])
def test_a_host_cannot_speak_for_another(conf: cfg.ConfigOpts, heard: list[str], name: str) -> None:
    """With the key of its own, which is all that it has."""
    with pytest.raises(BusError):
        ask(Bus(conf, name, Keys({name: KEYS["one"]})))
    assert heard == []


def test_what_was_said_is_not_believed_twice(conf: cfg.ConfigOpts, heard: list[str]) -> None:
    bus = Bus(conf, "one", Keys(KEYS))
    envelope, _ = bus._sealed(ENGINE, "pull", REQUEST)
    client = oslo_messaging.get_rpc_client(
        oslo_messaging.get_rpc_transport(conf), oslo_messaging.Target(topic=topics.ENGINE), timeout=5
    )
    client.call({}, "pull", envelope=envelope)
    for again in (envelope, envelope.replace("ovs-agent", "ovs-agenT")):
        with pytest.raises(oslo_messaging.RemoteError, match="ForgedError"):
            client.call({}, "pull", envelope=again)
    assert heard == ["one"]


def test_an_old_message_is_refused(
    conf: cfg.ConfigOpts, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = Bus(conf, "one", Keys(KEYS))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - FRESHNESS_S - 5)
    envelope, _ = bus._sealed(ENGINE, "pull", REQUEST)
    monkeypatch.undo()
    client = oslo_messaging.get_rpc_client(
        oslo_messaging.get_rpc_transport(conf), oslo_messaging.Target(topic=topics.ENGINE), timeout=5
    )
    with pytest.raises(oslo_messaging.RemoteError, match="ForgedError"):
        client.call({}, "pull", envelope=envelope)
    assert heard == []


def test_a_process_that_ends_answers_what_it_took_and_refuses_the_rest(conf: cfg.ConfigOpts) -> None:
    """Whoever stops serving closes next what answers are made of."""
    taken, gate, stopped = threading.Event(), threading.Event(), threading.Event()

    def pull(_request: Pull, _host: str) -> PullAnswer:
        taken.set()
        assert gate.wait(10)
        assert not stopped.is_set()
        return PullAnswer(database_id="d", revision=1)

    server, client = Bus(conf, CONTROLLER, Keys(KEYS)), Bus(conf, "one", Keys(KEYS))
    endpoint = _Endpoint(server, {"pull": Method(Pull, pull)})
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(endpoint.pull, {}, client._sealed(ENGINE, "pull", REQUEST)[0])  # type: ignore[attr-defined]
        assert taken.wait(10)
        end = pool.submit(lambda: (endpoint.finish(), stopped.set()))
        with endpoint._changed:
            assert endpoint._changed.wait_for(lambda: endpoint._is_finishing, 10)
        gate.set()
        assert answer.result(10)
        end.result(10)
    with pytest.raises(oslo_messaging.ExpectedException) as refused:
        endpoint.pull({}, client._sealed(ENGINE, "pull", REQUEST)[0])  # type: ignore[attr-defined]
    assert isinstance(refused.value.exc_info[1], StoppingError)


def test_trouble_is_the_callers_and_no_bug_of_the_server(conf: cfg.ConfigOpts) -> None:
    def pull(_request: Pull, _host: str) -> PullAnswer:
        raise Trouble("the disk is full")

    server, client = Bus(conf, CONTROLLER, Keys(KEYS)), Bus(conf, "one", Keys(KEYS))
    endpoint = _Endpoint(server, {"pull": Method(Pull, pull)})
    with pytest.raises(oslo_messaging.ExpectedException) as told:
        endpoint.pull({}, client._sealed(ENGINE, "pull", REQUEST)[0])  # type: ignore[attr-defined]
    assert str(told.value.exc_info[1]) == "the disk is full"
