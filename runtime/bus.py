"""The message bus: oslo.messaging with signed, typed requests and answers.

Every message carries who speaks, when, a nonce, and an HMAC under the key of the host at the agents' end
of the line, because oslo.messaging sets no user-id that a broker could check. The receiver takes the
host from the signature and from nothing else.
"""

import runtime.lean  # noqa: F401, I001  before oslo.messaging, which would import eventlet

import contextlib
import hashlib
import hmac
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import amqp  # type: ignore[import-untyped]
import msgspec
import oslo_messaging
import oslo_messaging.opts
from kombu.exceptions import KombuError
from oslo_config import cfg

from runtime import log, settings
from runtime.nonces import Nonces, PlayedError
from runtime.trouble import Trouble

LOG = logging.getLogger(__name__)

#: Key id of messages between processes of the controller.
CONTROLLER = ""
#: Messages that one server works on side by side. The library's default of 64 is reached soon, as it makes a
#: thread for each message until then; each keeps memory, and in the engine a connection to the database.
SERVING_THREADS = 16
#: Messages that the broker hands out before they are taken: what a stopped process has of them, no other one gets.
_PREFETCHED = 4
#: Between two tries to be served by a broker that refuses.
_SERVE_AGAIN_S = 5.0
#: How long a process that is to end waits for the requests that it has taken.
_FINISH_S = 10.0
#: How long it waits for a broker that may be away.
_LEAVE_S = 1.0
#: AMQP's port, and how long a broker may take to accept a connection.
_BROKER_PORT, _BROKER_S = 5672, 3.0
#: What calls raise while there is no broker, or one that refuses.
_AWAY = (oslo_messaging.MessagingException, amqp.AMQPError, KombuError, OSError)

Request = TypeVar("Request", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)


class BusError(Exception):
    """Root of what can go wrong on the bus."""


class UnreachableError(BusError):
    """No answer in time, or no broker: try again later."""


class RemoteFailedError(BusError):
    """The other side raised while handling the request; its log has the reason."""


class ForgedError(BusError):
    """A message whose signature, age or nonce is wrong."""


class _FailedError(Exception):
    """Carries any failure to the caller: oslo.messaging would raise there what has the name of a built-in one."""


class StoppingError(BusError):
    """What a process that is about to end answers; the caller sees it as RemoteFailedError."""


class Keys(Protocol):
    """Where the secret of a host (or of the controller) is found."""

    def key(self, key_id: str) -> bytes | None:
        """The key of host ``key_id``, None for an unknown host."""


class Method(msgspec.Struct, frozen=True):
    """One served method: the struct that it takes, and what is called with (request, host)."""

    request: type[msgspec.Struct]
    handle: Callable[[Any, str], msgspec.Struct | None]


class Bus:
    """One process's connection. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts, identity: str, keys: Keys) -> None:
        """``identity`` is the host this process speaks for, CONTROLLER for the controller."""
        self._identity = identity
        self._keys = keys
        self._nonces = Nonces()
        self._transport = _transport(conf)
        self._brokers = oslo_messaging.TransportURL.parse(conf).hosts
        self._was_reached = not self._brokers

    def call(
        self,
        to: tuple[str, str | None],
        method: str,
        request: msgspec.Struct,
        answer: type[Answer],
        timeout_s: float = 10.0,
    ) -> Answer:
        """Asks (topic, host) and waits. ``host`` None means any server of the topic.

        Raises UnreachableError, RemoteFailedError, ForgedError.
        """
        self._reach(method)
        envelope, key_id = self._sealed(to, method, request)
        try:
            reply = self._client(to, timeout_s).call({}, method, envelope=envelope)
        except oslo_messaging.MessagingTimeout as error:
            raise UnreachableError(
                f"{to[0]} on {to[1] or 'any host'} did not answer {method} in {timeout_s:g} s"
            ) from error
        except oslo_messaging.RemoteError as error:
            raise RemoteFailedError(f"{to[0]}: {method}: {error.value}") from error
        except _AWAY as error:
            raise UnreachableError(f"{method} was not sent: {error}") from error
        body = self._opened(reply, f"answer:{method}", key_id)
        return msgspec.json.decode(body, type=answer)

    def cast(self, to: tuple[str, str | None], method: str, request: msgspec.Struct) -> None:
        """Sends without waiting for an answer. Raises UnreachableError when the broker does not take it."""
        envelope, _ = self._sealed(to, method, request)
        try:
            self._client(to, None).cast({}, method, envelope=envelope)
        except _AWAY as error:
            raise UnreachableError(f"{method} was not sent: {error}") from error

    def serve(self, topic: str, server: str, methods: Mapping[str, Method]) -> Callable[[], None]:
        """Answers on (topic, server) as soon as the broker lets it; returns what stops it. Never waits."""
        endpoint = _Endpoint(self, methods)

        def make() -> Any:
            rpc = oslo_messaging.get_rpc_server(
                self._transport,
                oslo_messaging.Target(topic=topic, server=server),
                [endpoint],
                access_policy=oslo_messaging.DefaultRPCAccessPolicy,
            )
            # an option of the library, which knows it since it made the server
            rpc.conf.set_default("executor_thread_pool_size", SERVING_THREADS)
            return rpc

        def wake() -> None:
            with contextlib.suppress(*_AWAY):
                self._client((topic, server), None).cast({}, endpoint.wake.__name__)

        return _Serving(topic, make, endpoint.finish, wake).stop

    def close(self) -> None:
        """Gives the connections back, in the background: who listens on one only looks up every few seconds."""
        _in_background("close-bus", self._transport.cleanup)

    def _reach(self, method: str) -> None:
        """Before the first call: oslo.messaging would wait for ever for the connection on which answers come, and
        who starts while there is no broker (a host that reboots alone) has other things to do."""
        for broker in () if self._was_reached else self._brokers:
            place = (broker.hostname or "localhost", broker.port or _BROKER_PORT)
            with contextlib.suppress(OSError), socket.create_connection(place, _BROKER_S):
                self._was_reached = True
                return
        if not self._was_reached:
            raise UnreachableError(f"{method} was not sent: there is no broker yet")

    def _client(self, to: tuple[str, str | None], timeout_s: float | None) -> Any:
        target = oslo_messaging.Target(topic=to[0], server=to[1])
        return oslo_messaging.get_rpc_client(self._transport, target, timeout=timeout_s, retry=1)

    def _sealed(self, to: tuple[str, str | None], method: str, request: msgspec.Struct) -> tuple[str, str]:
        key_id = self._identity if self._identity != CONTROLLER else (to[1] or CONTROLLER)
        return self._seal(key_id, method, msgspec.json.encode(request)), key_id

    def _seal(self, key_id: str, purpose: str, body: bytes) -> str:
        head = {
            "key_id": key_id,
            "time": time.time(),
            "nonce": secrets.token_hex(12),
            "request_id": log.request_id(),
        }
        text = body.decode()
        head["signature"] = self._signature(key_id, purpose, head, text)
        return json.dumps({"head": head, "body": text})

    def _opened(self, sealed: str, purpose: str, key_id: str) -> bytes:
        message = json.loads(sealed)
        head = message["head"]
        if head["key_id"] != key_id:
            raise ForgedError(f"{purpose} is signed for {head['key_id']!r}, not {key_id!r}")
        self._verify(head, purpose, message["body"])
        return bytes(message["body"], "utf-8")

    def _verify(self, head: dict[str, Any], purpose: str, body: str) -> None:
        expected = self._signature(head["key_id"], purpose, head, body)
        if not hmac.compare_digest(expected, str(head.get("signature", ""))):
            raise ForgedError(
                f"{purpose} said to be from {head['key_id']!r} has a wrong signature: "
                "check the host's key (controller-manage host-key)"
            )
        try:
            self._nonces.use(head["nonce"], float(head["time"]))
        except PlayedError as error:
            raise ForgedError(str(error)) from error

    def _signature(self, key_id: str, purpose: str, head: dict[str, Any], body: str) -> str:
        key = self._keys.key(key_id)
        if key is None:
            raise ForgedError(f"host {key_id!r} has no key: make one with controller-manage host-key")
        signed = "\n".join((key_id, purpose, repr(head["time"]), head["nonce"], head["request_id"], body))
        return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()


class _Serving:
    """One server that is started in the background: a broker that is not there yet, or refuses the password,
    ends no process, and is tried until it takes it."""

    def __init__(
        self, topic: str, make: Callable[[], Any], finish: Callable[[], None], wake: Callable[[], None]
    ) -> None:
        """``finish`` waits for the requests under way, ``wake`` sends a message to this server."""
        self._topic, self._make, self._finish, self._wake = topic, make, finish, wake
        self._stopping = threading.Event()
        self._rpc: Any = None
        self._starting = _in_background(f"serve-{topic}", self._start)

    def stop(self) -> None:
        """Ends serving when the requests under way are answered; a broker that is away is not waited for."""
        self._stopping.set()
        leaving = _in_background(f"leave-{self._topic}", self._leave)
        self._finish()
        # who listens on a connection looks up when a message comes, else every few seconds
        _in_background(f"wake-{self._topic}", self._wake)
        leaving.join(_LEAVE_S)

    def _leave(self) -> None:
        self._starting.join()
        if self._rpc is not None:
            self._rpc.stop()
            self._rpc.listener.cleanup()  # wait() would do so when the idle threads of its pool look up

    def _start(self) -> None:
        while not self._stopping.is_set():
            rpc = self._make()
            try:
                rpc.start()
            except Exception as error:
                LOG.warning("%s is not served yet, the broker said: %s", self._topic, error)
                self._stopping.wait(_SERVE_AGAIN_S)
            else:
                self._rpc = rpc
                return


class _Endpoint:
    """What oslo.messaging dispatches to: opens the envelope, calls the method, seals the answer."""

    def __init__(self, bus: Bus, methods: Mapping[str, Method]) -> None:
        self._bus = bus
        self._changed = threading.Condition()
        self._under_way = 0
        self._is_finishing = False
        for name, method in methods.items():
            setattr(self, name, self._served(name, method))

    def finish(self) -> None:
        """Refuses requests from now on, and waits for those under way."""
        with self._changed:
            self._is_finishing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._under_way == 0, _FINISH_S)

    def wake(self, _context: dict[str, Any]) -> None:
        """Does nothing: it is for whom the message wakes."""

    @contextlib.contextmanager
    def _request(self) -> Iterator[None]:
        with self._changed:
            if self._is_finishing:
                raise StoppingError("this process is about to end: ask again")
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _served(self, name: str, method: Method) -> Callable[[dict[str, Any], str], str]:
        @oslo_messaging.expected_exceptions(StoppingError, Trouble)  # type: ignore[untyped-decorator]
        def serve(_context: dict[str, Any], envelope: str) -> str:
            try:
                return self._answer(envelope, name, method)
            except (StoppingError, Trouble):
                raise
            except Exception as error:
                raise _FailedError(f"{type(error).__name__}: {error}") from error

        served: Callable[[dict[str, Any], str], str] = serve
        return served

    def _answer(self, envelope: str, name: str, method: Method) -> str:
        head = json.loads(envelope)["head"]
        body = self._bus._opened(envelope, name, head["key_id"])
        with self._request(), log.working_for(head["request_id"]):
            answer = method.handle(msgspec.json.decode(body, type=method.request), head["key_id"])
        encoded = b"{}" if answer is None else msgspec.json.encode(answer)
        return self._bus._seal(head["key_id"], f"answer:{name}", encoded)


def _transport(conf: cfg.ConfigOpts) -> Any:
    group = "oslo_messaging_rabbit"
    conf.register_opts(dict(oslo_messaging.opts.list_opts())[group], group=group)
    conf.set_default("rabbit_qos_prefetch_count", _PREFETCHED, group=group)
    try:
        return oslo_messaging.get_rpc_transport(conf)
    except (oslo_messaging.InvalidTransportURL, oslo_messaging.DriverLoadFailure) as error:
        raise settings.ConfigurationError(
            f"transport_url: {error}. It is rabbit://user:password@address:port/, "
            "or inprocess:///run/cumulet/bus.sock with cumulet-allinone."
        ) from error


def _in_background(name: str, work: Callable[[], None]) -> threading.Thread:
    """A thread that keeps no process from ending."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
