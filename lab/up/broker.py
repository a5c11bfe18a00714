"""RabbitMQ: a node of our own, on the loopback, without plugins, beside any other broker of this machine."""

import socket

from lab.up import command, files, places, supervisor

PROGRAMS = ("epmd", "rabbitmq")
_USER = "rabbitmq"
_CONFIG = places.CONFIG / "rabbitmq.conf"
_PLUGINS = places.CONFIG / "rabbitmq-plugins"
_GREETING = b"AMQP\x00\x00\x09\x01"

_SETTINGS = """\
listeners.tcp.1 = {ip}:{port}
num_acceptors.tcp = 2
default_user = cumulet
default_pass = {password}
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = info
log.file = false
"""


def url(password: str) -> str:
    """The transport URL of oslo.messaging."""
    port = files.remembered()["broker_ports"]["amqp"]
    return f"rabbit://cumulet:{password}@{places.MY_IP}:{port}/"


def configure(password: str) -> None:
    """Writes the configuration. The ports are chosen once, so that another broker here is not disturbed."""
    ports = files.remembered().get("broker_ports") or _choose_ports()
    files.remember(broker_ports=ports)
    text = _SETTINGS.format(ip=places.MY_IP, port=ports["amqp"], password=password)
    files.write(_CONFIG, text, 0o600, _USER)
    files.write(_PLUGINS, "[].\n")
    for name in ("", "mnesia", "log", "config", "plugins"):
        files.directory(places.STATE / "rabbitmq" / name, 0o750, _USER)


def sections() -> list[str]:
    """supervisord's sections."""
    ports = files.remembered()["broker_ports"]
    more = {"epmd_port": str(ports["epmd"]), "dist_port": str(ports["dist"])}
    broker_digest = supervisor.digest([_CONFIG, _PLUGINS])
    return [
        supervisor.section(PROGRAMS[0], "1", **more),
        supervisor.section(PROGRAMS[1], broker_digest, **more),
    ]


def wait() -> str:
    """Starts it, and waits until it answers the AMQP greeting; it listens last of all.

    Not before epmd listens: a node that finds none starts one of its own, which would outlive the cloud.
    """
    ports = files.remembered()["broker_ports"]
    command.wait_until(lambda: _listens(ports["epmd"]), 30, lambda: supervisor.did_not_start(PROGRAMS[0]))
    supervisor.start_programs([PROGRAMS[1]])
    port = ports["amqp"]
    command.wait_until(lambda: _answers(port), 90, lambda: supervisor.did_not_start(PROGRAMS[1]))
    return f"{places.MY_IP}:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((places.MY_IP, port)) == 0


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((places.MY_IP, port), timeout=2) as connection:
            connection.sendall(_GREETING)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _choose_ports() -> dict[str, int]:
    return {"amqp": _free(5672), "epmd": _free(4370), "dist": _free(25673)}


def _free(wanted: int) -> int:
    """``wanted``, or the next port above it on which nobody listens."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {wanted} on")
