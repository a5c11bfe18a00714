"""Our own processes: their configuration, and when they are ready."""

import http.client
import os
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence

from lab.up import command, environment, files, outside, places, profile, supervisor
from lab.up.step import StepError

#: Of the environment of 'make up', what our processes are given: fault points, and the options of tests.
_PASSED_ON = ("CUMULET_FAULTS", "OS_ENGINE__LEASE_S")
_CONFIG = places.CONFIG / "cumulet.conf"
_MASTER_KEY = places.CONFIG / "master.key"
_HOST_KEY = places.CONFIG / "host.key"
_PASSWORD = places.CONFIG / "admin-password"
_REMEDY = "correct what the log says, then run 'make up' again"

_SETTINGS = """\
# Each 'make up' writes this anew: your own settings belong into /etc/cumulet/<process>.conf, read after it.
[DEFAULT]
host = {host}
my_ip = {ip}
state_path = {state}
run_path = {run}
image_endpoint = {api}
transport_url = {transport}

[database]
connection = {database}

[ovs]
bridge_mappings = {mapping}
"""
_OPENRC = """\
export OS_AUTH_URL={url}/identity/v3
export OS_USERNAME=admin
export OS_PASSWORD='{password}'
export OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export OS_REGION_NAME={region}
export OS_IDENTITY_API_VERSION=3
unset OS_CLOUD
"""
_CLOUDS = """\
clouds:
  cumulet:
    auth:
      auth_url: {url}/identity/v3
      username: admin
      password: '{password}'
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: {region}
    identity_api_version: 3
"""


def configure(database_url: str, transport_url: str, admin_password: str) -> None:
    """Writes cumulet.conf, the master key, and the credentials of the administrator (all 0600)."""
    text = _SETTINGS.format(
        host=socket.gethostname(),
        ip=places.MY_IP,
        state=places.STATE,
        run=places.RUN,
        api=places.API_URL,
        transport=transport_url,
        database=database_url,
        mapping=f"{outside.PHYSICAL_NETWORK}:{outside.BRIDGE}",
    )
    files.write(_CONFIG, text, 0o600)
    if not _MASTER_KEY.exists():
        files.write(_MASTER_KEY, secrets.token_hex(32) + "\n", 0o600)
    files.write(_PASSWORD, admin_password + "\n", 0o600)
    credentials = {"url": places.API_URL, "password": admin_password, "region": places.REGION}
    files.write(places.OPENRC, _OPENRC.format(**credentials), 0o600)
    files.write(places.CLOUDS, _CLOUDS.format(**credentials), 0o600)


def sections(programs: Sequence[str]) -> list[str]:
    """supervisord's sections; a change of code or configuration starts a process anew."""
    code = environment.code_digest()
    result = []
    for program in programs:
        read = profile.every_program() if program == profile.ALL_IN_ONE else (program,)
        files_read = [_CONFIG, *(places.CONFIG / f"{name}.conf" for name in read)]
        config = supervisor.digest(path for path in files_read if path.exists())
        result.append(supervisor.section(program, f"{code}-{config}", passed_on=_passed_on()))
    return result


def _passed_on() -> str:
    """More of supervisord's ``environment=``."""
    return "".join(f',{name}="{os.environ[name]}"' for name in _PASSED_ON if os.environ.get(name))


def make_schema() -> str:
    """Tables, first rows and this host's key; nothing to do while code and database are the same."""
    code = environment.code_digest()
    if files.remembered().get("schema") == code and _HOST_KEY.exists():
        return "is current"
    manage = places.tool("controller-manage")
    command.run("schema", [manage, "migrate"], _REMEDY)
    first_rows = ["--admin-password-file", str(_PASSWORD), "--url", places.API_URL, "--region", places.REGION]
    command.run("schema", [manage, "bootstrap", *first_rows], _REMEDY)
    key = command.output([manage, "host-key", socket.gethostname()])
    if not key:
        remedy = f"run '{manage} host-key {socket.gethostname()}' and correct what it says"
        raise StepError("this host's key could not be made", remedy, command.step_log("schema"))
    files.write(_HOST_KEY, key.strip() + "\n", 0o600)
    files.remember(schema=code)
    return "migrated"


def start() -> str:
    """Starts those that do not run; what was started is remembered for the demo."""
    started = supervisor.start_programs(profile.programs())
    if started:
        files.remember(demo=None)
    return ", ".join(started) or "all run"


def wait() -> str:
    """Until the API answers and all others run."""
    command.wait_until(
        _are_ready, 60, lambda: supervisor.did_not_start(_first_not_running() or profile.programs()[0])
    )
    return places.API_URL


def check() -> None:
    """Raises StepError if one of ours has ended: that is then the reason of what did not come about."""
    if ended := _first_not_running():
        raise supervisor.did_not_start(ended)


def _are_ready() -> bool:
    """Raises StepError for one whose configuration cannot work: it will not do so later."""
    if refusing := supervisor.misconfigured(profile.programs()):
        raise supervisor.did_not_start(refusing[0])
    return not _first_not_running() and _answers()


def _first_not_running() -> str:
    states = supervisor.states()
    return next((name for name in profile.programs() if states.get(name) != "RUNNING"), "")


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"{places.API_URL}/identity/v3", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False
