"""A RabbitMQ node for one run of tests, on the loopback, with an epmd of its own."""

import pathlib
import signal
import socket
import subprocess
import time

_START_S = 120.0
_GREETING = b"AMQP\x00\x00\x09\x01"
_ERLANG = (
    "-noinput -start_epmd false +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none "
    "-kernel inet_dist_use_interface {127,0,0,1}"
)


class RabbitMq:
    """A node whose files are in ``directory``."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._port, epmd_port, dist_port = _free_ports(3)
        (directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\nlog.file = false\n"
        )
        (directory / "plugins").write_text("[].\n")
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(epmd_port),
            "RABBITMQ_NODENAME": "tests@localhost",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "none"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "none-advanced"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "config"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(directory / "expand"),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        }
        self._log = directory / "output"
        epmd = ["epmd", "-address", "127.0.0.1", "-port", str(epmd_port)]
        self._processes = [self._start(epmd, environment)]
        _wait(lambda: _listens(epmd_port), self._log)
        self._processes.append(self._start(["/usr/lib/rabbitmq/bin/rabbitmq-server"], environment))
        _wait(lambda: _greets(self._port), self._log)

    @property
    def url(self) -> str:
        """For oslo.messaging."""
        return f"rabbit://guest:guest@127.0.0.1:{self._port}/"

    def stop(self) -> None:
        """Ends node and epmd; Erlang's helpers end with the node."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with self._log.open("a") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def _wait(holds: object, log: pathlib.Path) -> None:
    assert callable(holds)
    deadline = time.monotonic() + _START_S
    while not holds():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(_GREETING)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
