"""The message bus of one process: a transport driver for oslo.messaging, ``transport_url = inprocess:///SOCKET``.

It keeps what AMQP promises and what this cloud relies on: competing consumers, acknowledgement, redelivery of
what a consumer took and left, time-outs of calls, and text instead of objects on the way. Nothing is polled.
Upstream's ``fake`` driver hands objects over and looks every 50 ms.

The process that calls ``open_home`` has the queues; what others of the host send goes through its door, the
socket that the URL names. Without a socket (``inprocess://``) the queues are every process's own.
"""

import collections
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging._drivers import base, common

from runtime.inprocess import door
from runtime.inprocess.broker import Address, Broker, Message, Reply

SCHEME = "inprocess"
#: Of a caller that names no time-out.
_LONGEST_WAIT_S = 3600.0

#: By the URL's path, "" for none: the brokers of this process.
_brokers: dict[str, Broker] = collections.defaultdict(Broker)
_homes: set[str] = set()


def open_home(conf: cfg.ConfigOpts) -> Callable[[], None]:
    """Makes this process the home of the bus that ``transport_url`` names; returns what ends that."""
    url = oslo_messaging.TransportURL.parse(conf)
    place = url.virtual_host or ""
    if url.transport != SCHEME or not place:
        return lambda: None
    broker = _brokers[place]
    _homes.add(place)
    opened = door.Door(pathlib.Path("/", place), broker.deliver)

    def close() -> None:
        opened.close()
        _homes.discard(place)

    return close


class Incoming(base.RpcIncomingMessage):  # type: ignore[misc]
    """A message that a consumer has."""

    def __init__(self, message: Message, settle: Callable[[Message, bool], None]) -> None:
        content = json.loads(message.body)
        super().__init__(content["context"], content["message"])
        self._message = message
        self._settle = settle

    def acknowledge(self) -> None:
        """It is this consumer's for good."""
        self._settle(self._message, True)

    def requeue(self) -> None:
        """It is for whoever takes it next."""
        self._settle(self._message, False)

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Answers the caller, if one waits."""
        if self._message.answers is not None:
            told = common.serialize_remote_exception(failure) if failure else None
            self._message.answers.put((json.dumps(reply), told))

    def heartbeat(self) -> None:
        """Nothing to say: a caller in this process dies with it."""


class Listener(base.PollStyleListener):  # type: ignore[misc]
    """One consumer of some addresses."""

    def __init__(self, broker: Broker, addresses: Sequence[Address]) -> None:
        super().__init__()
        self._broker = broker
        self._addresses = addresses
        self._taken: dict[Message, Address] = {}
        self._is_stopped = False

    @base.batch_poll_helper  # type: ignore[untyped-decorator]
    def poll(self, timeout: float | None = None) -> Incoming | None:
        """The next message; None after ``timeout`` seconds or when stopped."""
        found = self._broker.take(self._addresses, timeout, lambda: self._is_stopped)
        if found is None:
            return None
        address, message = found
        self._taken[message] = address
        return Incoming(message, self._settle)

    def stop(self) -> None:
        """Has ``poll`` end."""
        self._is_stopped = True
        self._broker.wake()

    def cleanup(self) -> None:
        """Gives back what was taken and not acknowledged."""
        while self._taken:
            message, address = self._taken.popitem()
            self._broker.put_back(address, [message])

    def _settle(self, message: Message, is_done: bool) -> None:
        address = self._taken.pop(message)
        if not is_done:
            self._broker.put_back(address, [message])


class InProcessDriver(base.BaseDriver):  # type: ignore[misc]
    """The driver, loaded by oslo.messaging through the entry point ``inprocess``."""

    def __init__(self, conf: Any, url: Any, default_exchange: Any = None, allowed_remote_exmods: Any = None):
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        self._place = url.virtual_host or ""
        self._broker = _brokers[self._place]
        self._listeners: list[Listener] = []

    def require_features(self, requeue: bool = False) -> None:
        """All are there."""

    def send(
        self,
        target: Any,
        ctxt: Any,
        message: Any,
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        **_more: Any,
    ) -> Any:
        """Sends, and waits for the answer where one is wanted.

        Raises MessagingTimeout, and RemoteError or an allowed exception when the other side raised.
        """
        body = json.dumps({"context": ctxt, "message": message})
        if target.fanout:
            self._broker.fan_out(self._exchange(target), target.topic, body)
            return None
        address = self._address(target, target.server)
        patience = (timeout or _LONGEST_WAIT_S) if wait_for_reply else None
        try:
            reply, failure = self._deliver(address, body, patience)
        except TimeoutError:
            raise oslo_messaging.MessagingTimeout(f"no answer on {address[1]} in {patience:g} s") from None
        except OSError as error:
            raise oslo_messaging.MessageDeliveryFailure(f"/{self._place}: {error}") from error
        if failure:
            raise common.deserialize_remote_exception(failure, self._allowed_remote_exmods)
        return json.loads(reply or "null")

    def send_notification(
        self, target: Any, ctxt: Any, message: Any, version: Any, retry: Any = None
    ) -> None:
        """Sends to whoever listens for notifications."""
        self.send(target, ctxt, message)

    def listen(self, target: Any, batch_size: int, batch_timeout: float | None) -> Any:
        """A consumer of a server's own queue and of the one that its topic's servers share."""
        addresses = [self._address(target, server) for server in (target.server, None)]
        return self._listener(addresses, batch_size, batch_timeout)

    def listen_for_notifications(
        self, targets_and_priorities: Any, pool: Any, batch_size: int, batch_timeout: float | None
    ) -> Any:
        """A consumer of notifications."""
        if pool:  # oslo.messaging's way for a driver to say so; nothing here listens for notifications
            raise NotImplementedError("the in-process bus has no pools of notification listeners")
        addresses = [
            (self._exchange(target), f"{target.topic}.{priority}", "")
            for target, priority in targets_and_priorities
        ]
        return self._listener(addresses, batch_size, batch_timeout)

    def cleanup(self) -> None:
        """Ends this driver's consumers; the queues stay with the process."""
        for listener in self._listeners:
            listener.stop()
            listener.cleanup()

    def _listener(self, addresses: Sequence[Address], batch_size: int, batch_timeout: float | None) -> Any:
        listener = Listener(self._broker, addresses)
        self._listeners.append(listener)
        return base.PollStyleListenerAdapter(listener, batch_size, batch_timeout)

    def _deliver(self, address: Address, body: str, timeout: float | None) -> Reply:
        if self._place and self._place not in _homes:
            return door.send(pathlib.Path("/", self._place), address, body, timeout)
        return self._broker.deliver(address, body, timeout)

    def _address(self, target: Any, server: str | None) -> Address:
        return (self._exchange(target), target.topic, server or "")

    def _exchange(self, target: Any) -> str:
        return str(target.exchange or self._default_exchange or "")
