"""The life of a process: start, tell the supervisor, wait for a signal, stop in order."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence

from oslo_config import cfg

from runtime import log, metrics, settings

LOG = logging.getLogger(__name__)

#: Exit status for a configuration that cannot work: supervisors must not restart on it (sysexits EX_CONFIG).
EXIT_CONFIGURATION = 78


def run(
    program: str, start: Callable[[cfg.ConfigOpts, contextlib.ExitStack], None], parts: Sequence[str] = ()
) -> None:
    """Runs ``program`` until SIGTERM or SIGINT.

    ``start`` brings everything up and pushes what is to be stopped onto the stack; it must not block.
    ``parts`` are programs that this one contains: their configuration files are read, too.
    """
    log.register(cfg.CONF)
    try:
        conf = settings.load(program, parts=parts)
        log.setup(conf, program)
        with contextlib.ExitStack() as stack:
            stopping = _stop_event()
            metrics.serve(conf)
            start(conf, stack)
            settings.check(conf, program)
            LOG.info("%s is up on %s", program, conf.host)
            notify("READY=1")
            stopping.wait()
            notify("STOPPING=1")
            LOG.info("%s stops", program)
    except settings.ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CONFIGURATION)
    except cfg.Error as error:  # whoever needs the option has found it first
        print(f"error: {settings.wrong(program, error)}", file=sys.stderr)
        sys.exit(EXIT_CONFIGURATION)
    _leave()


def notify(message: str) -> None:
    """Tells systemd (``sd_notify``), if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        sock.sendto(message.encode(), address)


def _leave() -> None:
    """Ends the process now: all of ours has ended, and idle threads of libraries would hold it for a second."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _stop_event() -> threading.Event:
    event = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event
