"""Hears of what somebody changes within namespaces (rules, addresses, routes, links), and of namespaces that go.

One socket for each netlink protocol hears of every namespace that has a number here, for which a process needs
CAP_NET_BROADCAST. None is opened inside: that would keep a namespace alive whose name somebody deleted, with all that
is in it.
"""

import contextlib
import ctypes
import logging
import os
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterable

from ovs_agent.host import netns

LOG = logging.getLogger(__name__)

_ROUTE, _NETFILTER = 0, 12
#: Multicast groups: links, and addresses and routes of both families; rules of nf_tables.
_GROUPS = {_ROUTE: (1, 5, 7, 9, 11), _NETFILTER: (7,)}
_SOL_NETLINK, _ADD_MEMBERSHIP, _LISTEN_ALL_NSID = 270, 1, 8
_NEW_NSID, _GET_NSID = 88, 90
_REQUEST, _ACKNOWLEDGE = 1, 4
_NSID, _FD = 1, 3
_IN_CLOEXEC, _IN_DELETE = 0o2000000, 0x200
_TIMEOUT_S = 10


class Changes:
    """Thread-safe. ``changed`` gets the names of namespaces, on a thread of its own, also when we changed them."""

    def __init__(self, changed: Callable[[set[str]], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        #: Names by number, and the inode of each: a namespace made anew has another number.
        self._names: dict[int, str] = {}
        self._inodes: dict[str, int] = {}
        self._selector = selectors.DefaultSelector()
        self._reader, self._writer = os.pipe()
        self._sockets = list(_listeners())
        self._directory = _watch_directory()
        self._selector.register(self._reader, selectors.EVENT_READ, None)
        self._selector.register(self._directory, selectors.EVENT_READ, self._gone)
        for sock in self._sockets:
            self._selector.register(sock, selectors.EVENT_READ, lambda sock=sock: self._heard(sock))
        self._thread = threading.Thread(target=self._wait, name="changes", daemon=True)
        self._thread.start()

    def follow(self, namespace: str) -> None:
        """Hears of a namespace from now on; safe to repeat, and needed again when it was made anew."""
        with netns.opened(namespace) as handle:
            inode = os.fstat(handle).st_ino
            with self._lock:
                if self._inodes.get(namespace) == inode:
                    return
            number = _number(handle)
        with self._lock:
            self._forget({namespace})
            self._names[number], self._inodes[namespace] = namespace, inode

    def stop(self) -> None:
        """Ends the thread."""
        os.write(self._writer, b".")
        self._thread.join(timeout=5)
        for sock in self._sockets:
            sock.close()
        for handle in (self._directory, self._reader, self._writer):
            os.close(handle)

    def _wait(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                try:
                    if names := key.data():
                        self._changed(names)
                except Exception:
                    # whatever it was: later changes are heard, and this one is found at the next look
                    LOG.exception("changes of namespaces")

    def _heard(self, sock: socket.socket) -> set[str]:
        """Of whom the messages are that wait; of everybody when some were lost."""
        try:
            numbers = set(_senders(sock))
        except OSError:
            return set(self._inodes)
        with self._lock:
            return {self._names[number] for number in numbers if number in self._names}

    def _gone(self) -> set[str]:
        names = set(_names_in(os.read(self._directory, 65536)))
        with self._lock:
            self._forget(names)
        return names

    def _forget(self, names: set[str]) -> None:
        for name in names:
            self._inodes.pop(name, None)
        self._names = {number: name for number, name in self._names.items() if name not in names}


def _listeners() -> Iterable[socket.socket]:
    """Those that this process may have: without them the host works, and is mended when it is looked at again."""
    for protocol, groups in _GROUPS.items():
        try:
            yield _listen(protocol, groups)
        except OSError as error:
            LOG.warning(
                "what others change within namespaces is not heard of (%s): is CAP_NET_BROADCAST taken from the agent?",
                error,
            )


def _listen(protocol: int, groups: Iterable[int]) -> socket.socket:
    with contextlib.ExitStack() as unless_done:
        sock = unless_done.enter_context(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol))
        sock.bind((0, 0))
        sock.setsockopt(_SOL_NETLINK, _LISTEN_ALL_NSID, 1)
        for group in groups:
            sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        sock.setblocking(False)
        unless_done.pop_all()
    return sock


def _senders(sock: socket.socket) -> Iterable[int]:
    """Numbers of namespaces, one a message; what comes of our own has none. Raises OSError when messages were lost."""
    while True:
        try:
            _, ancillary, _, _ = sock.recvmsg(4096, socket.CMSG_SPACE(4))
        except BlockingIOError:
            return
        for level, kind, data in ancillary:
            if (level, kind) == (_SOL_NETLINK, _LISTEN_ALL_NSID):
                yield struct.unpack("=i", data)[0]


def _number(handle: int) -> int:
    """The number of a namespace, given to it if it has none."""
    attribute = struct.pack("=HHI", 8, _FD, handle)
    any_number = struct.pack("=HHi", 8, _NSID, -1)
    _ask(_NEW_NSID, _ACKNOWLEDGE, attribute + any_number)  # refused when it has one
    answer = _ask(_GET_NSID, 0, attribute)
    (kind,), (number,) = struct.unpack_from("=H", answer, 4), struct.unpack_from("=i", answer, 24)
    if kind != _NEW_NSID or number < 0:
        raise netns.NamespaceError("the kernel gives the namespace no number")
    return int(number)


def _ask(kind: int, flags: int, attributes: bytes) -> bytes:
    body = struct.pack("=Bxxx", 0) + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _ROUTE) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.bind((0, 0))
        sock.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | flags, 1, 0) + body)
        return sock.recv(4096)


def _watch_directory() -> int:
    """An inotify handle that tells when a name goes from where namespaces have theirs."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(_IN_CLOEXEC)
    netns.DIRECTORY.mkdir(parents=True, exist_ok=True)
    if handle < 0 or libc.inotify_add_watch(handle, bytes(netns.DIRECTORY), _IN_DELETE) < 0:
        raise OSError(ctypes.get_errno(), f"inotify on {netns.DIRECTORY}")
    return int(handle)


def _names_in(events: bytes) -> Iterable[str]:
    while events:
        length = struct.unpack_from("=iIII", events)[3]
        yield events[16 : 16 + length].rstrip(b"\0").decode(errors="replace")
        events = events[16 + length :]
