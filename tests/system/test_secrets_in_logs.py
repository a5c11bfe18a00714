"""Secrets that go through the whole cloud are in no log of any process, and in no file that others may read.

Each is known to the test: made up by it, told once by an answer, or read from where it is kept.
"""

import base64
import contextlib
import os
import pathlib
import re
import sqlite3
import stat
import uuid
from collections.abc import Iterator
from typing import Any

import openstack
import pytest

from lab.acts import cloud
from lab.contents import IMAGE, NETWORK
from lab.up import places, profile
from tests.system.watch import eventually

NAME = f"secrets-{uuid.uuid4().hex[:8]}"
LOGS = (places.LOG, pathlib.Path("/var/log/libvirt"), pathlib.Path("/var/log/openvswitch"))
BOOT_S = 180.0


def _word(what: str) -> str:
    return f"{what}-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def connection(openstack: Any) -> Iterator[Any]:
    """The administrator's; what the test made is removed."""
    made = cloud()
    yield made
    for server in made.compute.servers(name=NAME):
        made.compute.delete_server(server)
        made.compute.wait_for_delete(server, wait=60)
    for volume in made.block_storage.volumes(name=NAME):
        made.block_storage.delete_volume(volume)
        made.block_storage.wait_for_delete(volume, wait=60)
    made.compute.delete_keypair(NAME)
    made.identity.delete_user(made.identity.find_user(NAME))


@pytest.fixture(scope="module")
def secrets(connection: Any) -> dict[str, str]:
    """What every one is, and the secret itself, after all have been used."""
    found = {"administrator's password": connection.config.auth["password"], "token": connection.auth_token}
    found |= _of_users(connection)
    found |= _of_servers(connection)
    found |= _of_processes()
    assert all(len(secret) >= 12 for secret in found.values()), "too short to be found by chance"
    return found


def test_no_log_has_a_secret(secrets: dict[str, str]) -> None:
    seen = []
    for path in (p for place in LOGS for p in place.rglob("*") if p.is_file()):
        text = path.read_bytes()
        seen += [f"{what} in {path}" for what, secret in secrets.items() if secret.encode() in text]
    assert not seen


def test_only_its_owner_may_read_a_file_with_a_secret(secrets: dict[str, str]) -> None:
    """Small files: what a guest writes on its disk is no matter of this test."""
    seen = []
    for path in (p for place in (places.CONFIG, places.STATE, places.RUN) for p in place.rglob("*")):
        with contextlib.suppress(OSError):  # a socket, or gone meanwhile
            if path.is_file() and _is_readable_by_others(path) and path.stat().st_size < 1 << 20:
                text = path.read_bytes()
                seen += [f"{what} in {path}" for what, secret in secrets.items() if secret.encode() in text]
    assert not seen


def _of_users(connection: Any) -> dict[str, str]:
    """A user that is made, makes a mistake, changes the password and delegates."""
    first, second, wrong = _word("first"), _word("second"), _word("wrong")
    user = connection.identity.create_user(name=NAME, password=first)
    project = connection.identity.find_project("admin")
    role = connection.identity.find_role("member")
    connection.identity.assign_project_role_to_user(project, user, role)
    own = _as_user(connection, first)
    token = own.auth_token
    with pytest.raises(Exception, match="401"):
        _as_user(connection, wrong).authorize()
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": [wrong]}}}}}
    assert connection.session.post(_auth(connection), json=body, raise_exc=False).status_code == 400
    change = {"user": {"original_password": first, "password": second}}
    own.identity.post(f"/users/{user.id}/password", json=change)
    own = _as_user(connection, second)
    delegated = own.identity.create_application_credential(own.current_user_id, NAME)
    return {
        "first password": first,
        "second password": second,
        "wrong password": wrong,
        "token of the user": token,
        "secret of the application credential": delegated.secret,
    }


def _of_servers(connection: Any) -> dict[str, str]:
    """A server with everything, its volume attached and detached."""
    user_data, metadata, password = _word("user-data"), _word("metadata"), _word("admin-password")
    key = connection.compute.create_keypair(name=NAME)
    server = connection.compute.create_server(
        name=NAME,
        image_id=connection.image.find_image(IMAGE, ignore_missing=False).id,
        flavor_id=connection.compute.find_flavor("m1.tiny", ignore_missing=False).id,
        networks=[{"uuid": connection.network.find_network(NETWORK, ignore_missing=False).id}],
        key_name=NAME,
        config_drive=True,
        metadata={"of the user": metadata},
        user_data=base64.b64encode(user_data.encode()).decode(),
        admin_password=password,
    )
    connection.compute.wait_for_server(server, wait=BOOT_S)
    volume = connection.block_storage.create_volume(name=NAME, size=1)
    connection.block_storage.wait_for_status(volume, "available", wait=60)
    connection.compute.create_volume_attachment(server, volume_id=volume.id)
    eventually(lambda: connection.block_storage.get_volume(volume).status == "in-use", "the attachment", 60)
    found = {
        "user data": user_data,
        "user data in base64": base64.b64encode(user_data.encode()).decode(),
        "metadata": metadata,
        "server's password": password,
        "private key": key.private_key.splitlines()[2],
        **_chap(),
    }
    connection.compute.delete_volume_attachment(server, volume)
    eventually(
        lambda: connection.block_storage.get_volume(volume).status == "available", "the detachment", 60
    )
    connection.compute.reboot_server(server, "HARD")
    connection.compute.wait_for_server(server, wait=BOOT_S)
    return found


def _chap() -> dict[str, str]:
    """Passwords of exports, from the documents that the agents keep."""
    found = {}
    for agent in ("nova-compute", "volume-agent"):
        with contextlib.closing(sqlite3.connect(places.STATE / agent / "ledger.db")) as ledger:
            bodies = [bytes(body).decode() for (body,) in ledger.execute("SELECT body FROM documents")]
        for body in bodies:
            for number, secret in enumerate(re.findall(r'"chap_password":"([^"]+)"', body)):
                found[f"CHAP password {number} of {agent}"] = secret
    assert {name.split()[-1] for name in found} == {"nova-compute", "volume-agent"}
    return found


def _of_processes() -> dict[str, str]:
    """Keys, and the passwords with which our processes reach database and broker."""
    settings = (places.CONFIG / "cumulet.conf").read_text()
    urls = re.findall(r"://[^:/\s]+:([^@\s]+)@", settings)
    assert urls or profile.current() == profile.EMBEDDED
    return {
        "master key": (places.CONFIG / "master.key").read_text().strip(),
        "host key": (places.CONFIG / "host.key").read_text().strip(),
        **{f"password {number} of cumulet.conf": secret for number, secret in enumerate(urls)},
    }


def _as_user(connection: Any, password: str) -> Any:
    return openstack.connect(
        auth_url=connection.config.auth["auth_url"],
        username=NAME,
        password=password,
        project_name="admin",
        user_domain_name="Default",
        project_domain_name="Default",
        load_yaml_config=False,
    )


def _auth(connection: Any) -> str:
    return f"{connection.config.auth['auth_url'].rstrip('/').removesuffix('/v3')}/v3/auth/tokens"


def _is_readable_by_others(path: pathlib.Path) -> bool:
    """Whether some user who is not its owner could read it, by its mode and those of its folders."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(os.stat(folder).st_mode & stat.S_IXOTH for folder in path.parents)
