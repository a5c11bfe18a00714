"""One suite for every transport that a cloud may run on: RabbitMQ, and the bus inside of one process."""

import runtime.lean  # noqa: F401, I001  before oslo.messaging, which would import eventlet

import functools
import pathlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import oslo_messaging
import pytest
from oslo_config import cfg

from contract.report import Pull, PullAnswer
from runtime.bus import CONTROLLER, Bus, Method, RemoteFailedError, UnreachableError
from runtime.inprocess.driver import open_home
from tests.contract.rabbitmq import RabbitMq

Buses = Callable[[str], Bus]
Serve = Callable[..., Callable[[], None]]

HOST = "one"
PATIENCE_S = 30.0


class Keys:
    """Everybody has the same key here: who speaks is not what is tested."""

    def key(self, key_id: str) -> bytes | None:
        return b"k" * 32


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    node = RabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    yield node.url
    node.stop()


@pytest.fixture(params=["rabbit", "inprocess"])
def conf(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[cfg.ConfigOpts]:
    is_rabbit = request.param == "rabbit"
    url = request.getfixturevalue("rabbitmq") if is_rabbit else f"inprocess://{tmp_path}/bus.sock"
    cfg.CONF([], project="cumulet", default_config_files=[])
    oslo_messaging.get_rpc_transport(cfg.CONF, url).cleanup()  # registers the options
    cfg.CONF.set_override("transport_url", url)
    close = open_home(cfg.CONF)
    yield cfg.CONF
    close()
    cfg.CONF.clear_override("transport_url")
    cfg.CONF.reset()


@pytest.fixture
def topic() -> str:
    """A broker may live longer than a test."""
    return f"topic-{uuid.uuid4().hex}"


@pytest.fixture
def buses(conf: cfg.ConfigOpts) -> Iterator[Buses]:
    """Makes connections as a process of its own would have them."""
    made: list[Bus] = []

    def make(identity: str) -> Bus:
        made.append(Bus(conf, identity, Keys()))
        return made[-1]

    yield make
    for bus in made:
        bus.close()


@pytest.fixture
def serve(buses: Buses) -> Iterator[Serve]:
    """Serves (identity, topic, server, methods), and answers when that is so; returns what ends it."""
    running: list[Callable[[], None]] = []

    def begin(identity: str, topic: str, server: str, methods: dict[str, Method]) -> Callable[[], None]:
        pong = Method(Pull, lambda _request, _host: PullAnswer(database_id="", revision=0))
        stop = buses(identity).serve(topic, server, {"ping": pong, **methods})
        caller = buses(CONTROLLER)
        until(lambda: answers(caller, (topic, server)))
        running.append(stop)
        return lambda: running.remove(stop) or stop()  # type: ignore[func-returns-value]

    yield begin
    for stop in running:
        stop()


def answers(caller: Bus, to: tuple[str, str]) -> bool:
    try:
        caller.call(to, "ping", pull(), PullAnswer, timeout_s=1)
    except UnreachableError:
        return False
    return True


def pull(resource_id: str = "p") -> Pull:
    return Pull(agent="ovs-agent", kind="port", id=resource_id)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_call_is_answered(buses: Buses, serve: Serve, topic: str) -> None:
    heard: list[tuple[str, str]] = []

    def handle(request: Pull, host: str) -> PullAnswer:
        heard.append((request.id, host))
        return PullAnswer(database_id="d", revision=7)

    serve(CONTROLLER, topic, "engine", {"pull": Method(Pull, handle)})
    answer = buses(HOST).call((topic, None), "pull", pull(), PullAnswer, timeout_s=PATIENCE_S)
    assert (answer.revision, heard) == (7, [("p", HOST)])


def test_what_failed_there_is_told_here(buses: Buses, serve: Serve, topic: str) -> None:
    def handle(_request: Pull, _host: str) -> PullAnswer:
        raise ValueError("there is no such port")

    serve(CONTROLLER, topic, "engine", {"pull": Method(Pull, handle)})
    with pytest.raises(RemoteFailedError, match="ValueError: there is no such port"):
        buses(HOST).call((topic, None), "pull", pull(), PullAnswer, timeout_s=PATIENCE_S)


def test_nobody_answers(buses: Buses, topic: str) -> None:
    with pytest.raises(UnreachableError):
        buses(HOST).call((topic, None), "pull", pull(), PullAnswer, timeout_s=0.2)


def test_an_answer_that_is_late_is_nobodys(buses: Buses, serve: Serve, topic: str) -> None:
    """The next call gets its own."""
    first_may_end = threading.Event()
    ended: list[str] = []

    def handle(request: Pull, _host: str) -> PullAnswer:
        if request.id == "slow":
            first_may_end.wait(PATIENCE_S)
        ended.append(request.id)
        return PullAnswer(database_id=request.id, revision=1)

    serve(CONTROLLER, topic, "engine", {"pull": Method(Pull, handle)})
    caller = buses(HOST)
    with pytest.raises(UnreachableError):
        caller.call((topic, None), "pull", pull("slow"), PullAnswer, timeout_s=0.5)
    first_may_end.set()
    answer = caller.call((topic, None), "pull", pull("quick"), PullAnswer, timeout_s=PATIENCE_S)
    assert answer.database_id == "quick"
    until(lambda: len(ended) == 2)


def test_a_server_is_spoken_to_by_name(buses: Buses, serve: Serve, topic: str) -> None:
    heard: list[tuple[str, str]] = []
    for name in ("one", "two"):
        method = Method(Pull, lambda request, _host, name=name: heard.append((name, request.id)))
        serve(name, topic, name, {"changed": method})
    engine = buses(CONTROLLER)
    engine.cast((topic, "two"), "changed", pull("b"))
    engine.cast((topic, "one"), "changed", pull("a"))
    until(lambda: len(heard) == 2)
    assert sorted(heard) == [("one", "a"), ("two", "b")]


def test_servers_of_a_topic_share_its_work(buses: Buses, serve: Serve, topic: str) -> None:
    """Each call is done once, whoever does it."""
    done: list[str] = []

    def handle(request: Pull, _host: str) -> PullAnswer:
        done.append(request.id)
        return PullAnswer(database_id=request.id, revision=1)

    for server in ("a", "b"):
        serve(CONTROLLER, topic, server, {"pull": Method(Pull, handle)})
    caller = buses(HOST)
    wanted = [str(n) for n in range(20)]
    with ThreadPoolExecutor(len(wanted)) as pool:
        ask = functools.partial(caller.call, (topic, None), "pull", answer=PullAnswer, timeout_s=PATIENCE_S)
        got = list(pool.map(lambda n: ask(pull(n)).database_id, wanted))
    assert got == wanted
    assert sorted(done) == sorted(wanted)


def test_what_was_sent_meanwhile_is_there_after_a_restart(buses: Buses, serve: Serve, topic: str) -> None:
    heard: list[str] = []
    methods = {"changed": Method(Pull, lambda request, _host: heard.append(request.id))}
    stop = serve(HOST, topic, HOST, methods)
    stop()
    buses(CONTROLLER).cast((topic, HOST), "changed", pull("meanwhile"))
    serve(HOST, topic, HOST, methods)
    until(lambda: heard == ["meanwhile"])


def test_one_bad_message_ends_nothing(buses: Buses, serve: Serve, conf: cfg.ConfigOpts, topic: str) -> None:
    answer = PullAnswer(database_id="d", revision=1)
    serve(CONTROLLER, topic, "engine", {"pull": Method(Pull, lambda _r, _h: answer)})
    transport = oslo_messaging.get_rpc_transport(conf)
    raw = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic=topic), timeout=PATIENCE_S)
    for envelope in ("", "{}", '{"head": 1}', "[" * 1000):
        raw.cast({}, "pull", envelope=envelope)
        raw.cast({}, "nonsense", envelope=envelope)
    asked = buses(HOST).call((topic, None), "pull", pull(), PullAnswer, timeout_s=PATIENCE_S)
    transport.cleanup()
    assert asked == answer
