"""What the in-process bus promises where oslo.messaging does not reach: redelivery, expiry, bounds."""

import runtime.lean  # noqa: F401, I001  before oslo.messaging, which would import eventlet

import json
import pathlib
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import oslo_messaging
import pytest
from oslo_config import cfg

from runtime.inprocess import driver as driver_module
from runtime.inprocess.broker import Broker, Message
from runtime.inprocess.driver import InProcessDriver, open_home

ADDRESS = ("", "topic", "server")


def driver(name: str) -> InProcessDriver:
    driver_module._homes.add(name)
    return InProcessDriver(cfg.ConfigOpts(), oslo_messaging.TransportURL(cfg.ConfigOpts(), virtual_host=name))


def target(**more: Any) -> oslo_messaging.Target:
    return oslo_messaging.Target(topic="topic", **more)


def listener(of: InProcessDriver) -> Any:
    return of.listen(target(server="server"), 1, None)._poll_style_listener


def test_what_a_consumer_took_and_left_is_the_next_ones() -> None:
    ours = driver(uuid.uuid4().hex)
    first, second = listener(ours), listener(ours)
    for number in range(3):
        ours.send(target(server="server"), {}, {"n": number})
    taken = [first.poll()[0] for _ in range(2)]
    taken[0].acknowledge()
    first.stop()
    first.cleanup()
    assert [second.poll()[0].message["n"] for _ in range(2)] == [1, 2]
    assert second.poll(timeout=0.01) == []


def test_requeue() -> None:
    ours = driver(uuid.uuid4().hex)
    consumer = listener(ours)
    ours.send(target(server="server"), {"request": "r"}, {"n": 1})
    consumer.poll()[0].requeue()
    again = consumer.poll()[0]
    assert (again.ctxt, again.message) == ({"request": "r"}, {"n": 1})


def test_a_call_that_was_given_up_is_not_done_later() -> None:
    ours = driver(uuid.uuid4().hex)
    with pytest.raises(oslo_messaging.MessagingTimeout):
        ours.send(target(server="server"), {}, {"n": 1}, wait_for_reply=True, timeout=0.01)
    assert listener(ours).poll(timeout=0.01) == []


def test_a_stopped_consumer_takes_nothing_more() -> None:
    ours = driver(uuid.uuid4().hex)
    consumer = listener(ours)
    waiting = threading.Thread(target=consumer.poll)
    waiting.start()
    consumer.stop()
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    ours.send(target(server="server"), {}, {"n": 1})
    assert consumer.poll() == []


def test_fan_out_reaches_each_server_once() -> None:
    ours = driver(uuid.uuid4().hex)
    consumers = [ours.listen(target(server=s), 1, None)._poll_style_listener for s in ("a", "b")]
    for consumer in consumers:
        assert consumer.poll(timeout=0.01) == []
    ours.send(target(fanout=True), {}, {"n": 1})
    assert [[m.message["n"] for m in c.poll()] for c in consumers] == [[1], [1]]


def test_processes_of_other_names_hear_nothing() -> None:
    ours, other = driver(uuid.uuid4().hex), driver(uuid.uuid4().hex)
    ours.send(target(server="server"), {}, {"n": 1})
    assert listener(other).poll(timeout=0.01) == []


def test_objects_do_not_cross() -> None:
    with pytest.raises(TypeError):
        driver(uuid.uuid4().hex).send(target(server="server"), {}, {"n": object()})


def test_a_queue_that_nobody_empties_is_bounded() -> None:
    broker = Broker()
    for number in range(10_001):
        broker.put(ADDRESS, Message(json.dumps(number)))
    found = broker.take([ADDRESS], 0, lambda: False)
    assert found is not None
    assert found[1].body == "1"


ASK = """
import runtime.lean
import sys
import oslo_messaging
from oslo_config import cfg
cfg.CONF([])
transport = oslo_messaging.get_rpc_transport(cfg.CONF, sys.argv[1])
target = oslo_messaging.Target(topic="t", server=sys.argv[3])
client = oslo_messaging.get_rpc_client(transport, target, timeout=float(sys.argv[2]))
try:
    print(client.call({}, "double", number=21))
except oslo_messaging.MessagingException as error:
    print(type(error).__name__)
"""


def ask(url: str, timeout_s: float = 30.0, server: str = "s") -> str:
    """What another process is answered."""
    command = [sys.executable, "-c", ASK, url, str(timeout_s), server]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


class Doubler:
    def double(self, _context: dict[str, Any], number: int) -> int:
        return 2 * number


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Iterator[str]:
    """The URL of a bus whose home this process is."""
    url = f"inprocess://{tmp_path}/bus.sock"
    cfg.CONF([], project="cumulet", default_config_files=[])
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    cfg.CONF.set_override("transport_url", url)
    close = open_home(cfg.CONF)
    server = oslo_messaging.get_rpc_server(
        transport,
        oslo_messaging.Target(topic="t", server="s"),
        [Doubler()],
        access_policy=oslo_messaging.DefaultRPCAccessPolicy,
    )
    server.start()
    yield url
    server.stop()
    server.wait()
    close()
    cfg.CONF.clear_override("transport_url")
    cfg.CONF.reset()


def test_others_of_the_host_are_answered_through_the_door(home: str) -> None:
    assert ask(home) == "42"
    socket = pathlib.Path(home.removeprefix("inprocess://"))
    assert socket.stat().st_mode & 0o777 == 0o600


def test_a_door_behind_which_nobody_answers(home: str) -> None:
    assert ask(home, 0.2, server="other") == "MessagingTimeout"


def test_no_door(tmp_path: pathlib.Path) -> None:
    assert ask(f"inprocess://{tmp_path}/bus.sock") == "MessageDeliveryFailure"
