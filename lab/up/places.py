"""Where everything of the cloud on this machine lies."""

import pathlib

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
CONFIG = pathlib.Path("/etc/cumulet")
STATE = pathlib.Path("/var/lib/cumulet")
LOG = pathlib.Path("/var/log/cumulet")
RUN = pathlib.Path("/run/cumulet")
#: What was downloaded, for the cloud and for tests: it goes with the checkout, as .venv does.
CACHE = CHECKOUT / ".cache"

#: What ``up`` remembers for ``down``: a JSON object.
MEMORY = STATE / "up.json"
GUEST_IMAGE = STATE / "guest.qcow2"
CLOUDS = CONFIG / "clouds.yaml"
OPENRC = CONFIG / "openrc"
SUPERVISOR_CONFIG = CONFIG / "supervisord.conf"
SUPERVISOR_SOCKET = RUN / "supervisor.sock"

#: Management, tunnel and storage address of a cloud of one machine.
MY_IP = "127.0.0.1"
API_PORT = 5000
API_URL = f"http://{MY_IP}:{API_PORT}"
REGION = "RegionOne"


def tool(name: str) -> str:
    """A program of the virtual environment."""
    return str(VENV / "bin" / name)


def pid_file(program: str) -> pathlib.Path:
    """Where a supervised program's process id is."""
    return RUN / f"{program}.pid"


def log_file(program: str) -> pathlib.Path:
    """Where a supervised program's output goes."""
    return LOG / f"{program}.log"
