"""Options that every process has, and how configuration files are found and read.

Each process reads ``/etc/cumulet/cumulet.conf`` and then ``/etc/cumulet/<process>.conf``.
"""

import pathlib
import re
import socket
import sys
from collections.abc import Mapping, Sequence

from oslo_config import cfg

CONFIG_DIR = "/etc/cumulet"

OPTIONS = [
    cfg.HostAddressOpt("host", default=socket.gethostname(), help="Name of this host, unique in the cloud."),
    cfg.StrOpt("state_path", default="/var/lib/cumulet", help="Directory of all state kept on this host."),
    cfg.StrOpt("run_path", default="/run/cumulet", help="Directory of sockets and pid files."),
    cfg.IPOpt("my_ip", default="127.0.0.1", help="Management address of this host."),
    cfg.IPOpt("tunnel_ip", help="Address of this host's VTEP; my_ip when not given."),
    cfg.IPOpt("storage_ip", help="Address on which volumes are exported; my_ip when not given."),
    cfg.StrOpt(
        "host_key_file",
        default=f"{CONFIG_DIR}/host.key",
        help="File (0600) with the key that signs this host's messages: controller-manage host-key.",
    ),
    cfg.StrOpt(
        "image_endpoint", default="http://127.0.0.1:9292", help="Base URL from which agents stream images."
    ),
    cfg.IntOpt(
        "metrics_port", default=0, min=0, max=65535, help="Port on my_ip for Prometheus /metrics; 0 for none."
    ),
]


#: How oslo.config names the file that a value is from.
_LOCATION = re.compile(r"from LocationInfo\(location=<[^>]*>, detail='([^']*)'\)")


class ConfigurationError(Exception):
    """A configuration that cannot work: the message names file, option and remedy."""


class NotYetError(Exception):
    """What this process cannot do without is not there yet: the message says what. To be started again."""


def load(program: str, argv: Sequence[str] | None = None, parts: Sequence[str] = ()) -> cfg.ConfigOpts:
    """The settings of ``program`` from its files and command line; ``parts`` are programs that it contains.

    The global ``cfg.CONF`` is used because oslo.messaging and oslo.log read it.
    Raises ConfigurationError.
    """
    conf = cfg.CONF
    register(conf)
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        conf(given, project="cumulet", prog=program, default_config_files=_files((*parts, program)))
    except cfg.ConfigFilesNotFoundError as error:
        raise ConfigurationError(
            f"{program}: {error}. Run 'make up' or name an existing --config-file."
        ) from error
    except (cfg.Error, ValueError) as error:
        raise wrong(program, error) from error
    return conf


def check(conf: cfg.ConfigOpts, program: str) -> None:
    """Reads every option once, as a wrong value is only found by whoever reads it. Raises ConfigurationError."""
    try:
        for group in (conf, *(conf[name] for name in conf)):
            if isinstance(group, Mapping):
                for name in group:
                    group[name]
    except (cfg.Error, ValueError) as error:
        raise wrong(program, error) from error


def wrong(program: str, error: Exception) -> ConfigurationError:
    """What oslo.config says of an option, in words of a user."""
    text = _LOCATION.sub(r"in \1", str(error)).rstrip(".")
    return ConfigurationError(f"{program}: {text}. Correct the option and start again.")


def reread(conf: cfg.ConfigOpts, program: str) -> None:
    """Takes changed values of the options that are marked ``mutable`` from the files that were read at start;
    of others that changed the log says that they wait for a restart. Raises ConfigurationError, and all is as before.
    """
    before = conf._mutable_ns
    try:
        conf.mutate_config_files()
        check(conf, program)
    except (ConfigurationError, cfg.Error, ValueError) as error:
        conf._mutable_ns = before  # oslo.config takes the new values in before anybody looks at them
        conf.clear_override("host")  # has it forget what it remembers of them
        raise error if isinstance(error, ConfigurationError) else wrong(program, error) from error


def register(conf: cfg.ConfigOpts) -> None:
    """Makes the options of this module known to ``conf``; safe to repeat."""
    conf.register_opts(OPTIONS)


def tunnel_ip(conf: cfg.ConfigOpts) -> str:
    """The address other hosts send tunnelled frames to."""
    return str(conf.tunnel_ip or conf.my_ip)


def storage_ip(conf: cfg.ConfigOpts) -> str:
    """The address on which initiators reach this host's volumes."""
    return str(conf.storage_ip or conf.my_ip)


def state_dir(conf: cfg.ConfigOpts, *parts: str) -> pathlib.Path:
    """A directory under ``state_path``, made (0755) if it is missing."""
    path = pathlib.Path(conf.state_path, *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def _files(programs: Sequence[str]) -> list[str]:
    candidates = [f"{CONFIG_DIR}/cumulet.conf", *(f"{CONFIG_DIR}/{program}.conf" for program in programs)]
    return [path for path in candidates if pathlib.Path(path).exists()]
