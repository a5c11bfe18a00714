"""The life of a process: start, tell the supervisor, wait for a signal, stop in order."""

import contextlib
import logging
import os
import queue
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from oslo_config import cfg

from runtime import log, metrics, notify, settings, watchdog

LOG = logging.getLogger(__name__)

#: Exit status for a configuration that cannot work: supervisors must not restart on it (sysexits EX_CONFIG).
EXIT_CONFIGURATION = 78
#: Exit status when something that is needed is not there yet: start again in a moment (EX_TEMPFAIL).
EXIT_NOT_YET = 75


def run(
    program: str, start: Callable[[cfg.ConfigOpts, contextlib.ExitStack], None], parts: Sequence[str] = ()
) -> None:
    """Runs ``program`` until SIGTERM or SIGINT; SIGHUP has it read its options anew.

    ``start`` brings everything up and pushes what is to be stopped onto the stack; it must not block.
    ``parts`` are programs that this one contains: their configuration files are read, too.
    """
    signals = _signals()
    log.register(cfg.CONF)
    try:
        conf = settings.load(program, parts=parts)
        log.setup(conf, program)
        with contextlib.ExitStack() as stack:
            metrics.serve(conf)
            start(conf, stack)
            settings.check(conf, program)
            LOG.info("%s is up on %s", program, conf.host)
            with _told_alive():
                while signals.get() == signal.SIGHUP:
                    _reread(conf, program)
            LOG.info("%s stops", program)
    except settings.ConfigurationError as error:
        _give_up(str(error), EXIT_CONFIGURATION)
    except settings.NotYetError as error:
        _give_up(str(error), EXIT_NOT_YET)
    except cfg.Error as error:  # whoever needs the option has found it first
        _give_up(str(settings.wrong(program, error)), EXIT_CONFIGURATION)
    _leave()


@contextlib.contextmanager
def _told_alive() -> Iterator[None]:
    """systemd is told that we are up, then that we live, then that we stop."""
    notify.send("READY=1")
    watch = watchdog.wanted()
    if watch is not None:
        watch.start()
    yield
    notify.send("STOPPING=1")
    if watch is not None:
        watch.stop()


def _reread(conf: cfg.ConfigOpts, program: str) -> None:
    """Options that may change while the process runs; files that cannot be read change nothing."""
    notify.send("RELOADING=1")
    try:
        settings.reread(conf, program)
    except settings.ConfigurationError as error:
        LOG.error("options stay as they were: %s", error)
    else:
        LOG.info("options were read anew")
    notify.send("READY=1")


def _give_up(reason: str, status: int) -> None:
    print(f"error: {reason}", file=sys.stderr)
    sys.exit(status)


def _leave() -> None:
    """Ends the process now: all of ours has ended, and idle threads of libraries would hold it for a second."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _signals() -> "queue.SimpleQueue[int]":
    """Signals as they come; its ``put`` may be called while it is being called."""
    received: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda found, _frame: received.put(found))
    return received
