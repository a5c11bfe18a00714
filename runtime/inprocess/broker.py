"""The queues of the bus inside of one process, with what AMQP promises and this cloud relies on: competing consumers,
acknowledgement, redelivery of what a consumer took and left, and an end of waiting. Nothing is polled."""

import collections
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: (exchange, topic, server): server "" is the queue that all servers of a topic share.
Address = tuple[str, str, str]
Reply = tuple[str | None, str | None]
#: Casts that nobody takes: beyond this the oldest are dropped, as a broker's bounded queue would.
_LONGEST_QUEUE = 10_000


@dataclass(eq=False)
class Message:
    """One request on its way. ``expires_at`` is on the monotonic clock: nobody waits for an answer after it."""

    body: str
    answers: "queue.SimpleQueue[Reply] | None" = None
    expires_at: float = float("inf")


class Broker:
    """All queues of this process. A queue is there as soon as somebody names it, sender or consumer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queues: dict[Address, collections.deque[Message]] = collections.defaultdict(
            lambda: collections.deque(maxlen=_LONGEST_QUEUE)
        )

    def put(self, address: Address, message: Message) -> None:
        """Takes a message for ``address``."""
        with self._changed:
            self._queues[address].append(message)
            self._changed.notify_all()

    def fan_out(self, exchange: str, topic: str, body: str) -> None:
        """A copy for each server of the topic that was ever heard of."""
        with self._changed:
            for address, waiting in self._queues.items():
                if address[:2] == (exchange, topic) and address[2]:
                    waiting.append(Message(body))
            self._changed.notify_all()

    def put_back(self, address: Address, messages: Sequence[Message]) -> None:
        """What a consumer took and did not acknowledge is the next consumer's, in the old order."""
        with self._changed:
            self._queues[address].extendleft(reversed(messages))
            self._changed.notify_all()

    def deliver(self, address: Address, body: str, timeout: float | None) -> Reply:
        """Takes a message, and waits for its answer unless ``timeout`` is None. Raises TimeoutError."""
        if timeout is None:
            self.put(address, Message(body))
            return None, None
        answers: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        request = Message(body, answers, time.monotonic() + timeout)
        self.put(address, request)
        try:
            return answers.get(timeout=timeout)
        except queue.Empty:
            self._withdraw(address, request)
            raise TimeoutError from None

    def _withdraw(self, address: Address, message: Message) -> None:
        """Whoever already has it is not disturbed."""
        with self._changed:
            if message in self._queues[address]:
                self._queues[address].remove(message)

    def take(
        self, addresses: Sequence[Address], timeout: float | None, is_over: Callable[[], bool]
    ) -> tuple[Address, Message] | None:
        """The oldest message of the first address that has one; None after ``timeout`` seconds or when ``is_over``."""
        found: list[tuple[Address, Message]] = []

        def settled() -> bool:
            if not is_over():
                found.extend(self._first(addresses))
            return bool(found) or is_over()

        with self._changed:
            for address in addresses:
                self._queues[address]  # from now on a fan-out counts this one
            self._changed.wait_for(settled, timeout)
        return found[0] if found else None

    def wake(self) -> None:
        """Has everybody in ``take`` look whether it is over."""
        with self._changed:
            self._changed.notify_all()

    def _first(self, addresses: Sequence[Address]) -> list[tuple[Address, Message]]:
        now = time.monotonic()
        for address in addresses:
            waiting = self._queues[address]
            while waiting:
                message = waiting.popleft()
                if message.expires_at > now:
                    return [(address, message)]
        return []
