"""Who asks, and what is answered: pure but for the noted password.

A guest is known by (network, source address) as the switch let it through; nothing that it says about
itself in headers is looked at (SECURITY row 10).
"""

import json

import msgspec

from contract.instance_data import InstanceData
from contract.port import Port
from ovs_agent.desired import Desired
from ovs_agent.flows import addresses
from runtime import instance_metadata

#: As nova: four chunks of 255 bytes.
_MOST_PASSWORD = 1020
_JSON, _TEXT, _BYTES = "application/json", "text/plain; charset=UTF-8", "application/octet-stream"


class Request(msgspec.Struct, frozen=True):
    """One request: where it came from and what it asks."""

    network_id: str
    source: str
    method: str
    path: str
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True):
    """Status, type and bytes."""

    status: int
    body: bytes = b""
    content_type: str = _TEXT


NOT_FOUND = Answer(404, b"not found\n")


def answer(desired: Desired, request: Request) -> Answer:
    """What the guest that asks is told; 404 for one that is not known."""
    if request.method not in ("GET", "HEAD", "POST"):
        return Answer(405, b"method not allowed\n")
    data = _instance(desired, request.network_id, request.source)
    if data is None:
        return NOT_FOUND
    parts = [part for part in request.path.partition("?")[0].split("/") if part]
    if parts[:1] == ["openstack"] and parts[2:] == ["password"]:
        return _password(desired, data, request) if _is_openstack(parts[1]) else NOT_FOUND
    if request.method == "POST":
        return Answer(405, b"method not allowed\n")
    return _openstack(desired, data, parts[1:]) if parts[:1] == ["openstack"] else _ec2(data, parts)


def _instance(desired: Desired, network_id: str, source: str) -> InstanceData | None:
    port_id = next((p.id for p in desired.ports(network_id) if _has(p, source)), None)
    if port_id is None:
        return None
    for data in desired.instances():
        if any(nic.port_id == port_id for nic in data.nics):
            return data
    return None


def _has(port: Port, source: str) -> bool:
    try:
        return any(own.prefix == source for own in addresses.own(port))
    except ValueError:
        return False


def _openstack(desired: Desired, data: InstanceData, parts: list[str]) -> Answer:
    if not parts:
        return _listing(instance_metadata.OPENSTACK_VERSIONS)
    if not _is_openstack(parts[0]) or len(parts) > 2:
        return NOT_FOUND
    files = instance_metadata.openstack_files(data)
    if len(parts) == 1:
        return _listing([*sorted(files), "password"])
    body = files.get(parts[1])
    if body is None:
        return NOT_FOUND
    return Answer(200, body, _JSON if parts[1].endswith(".json") else _BYTES)


def _ec2(data: InstanceData, parts: list[str]) -> Answer:
    if not parts:
        return _listing(instance_metadata.EC2_VERSIONS)
    if parts[0] not in instance_metadata.EC2_VERSIONS:
        return NOT_FOUND
    user = instance_metadata.user_data(data)
    if len(parts) == 1:
        return _listing(["meta-data"] + ["user-data"] * (user is not None))
    if parts[1:] == ["user-data"]:
        return NOT_FOUND if user is None else Answer(200, user, _BYTES)
    if parts[1] != "meta-data":
        return NOT_FOUND
    found = instance_metadata.ec2_answer(data, "/".join(parts[2:]))
    return NOT_FOUND if found is None else Answer(200, found.encode())


def _password(desired: Desired, data: InstanceData, request: Request) -> Answer:
    """Posted once by the guest, encrypted to the user's key by it; read by whoever holds that key."""
    noted = desired.note(InstanceData.KIND, data.id)
    known = json.loads(noted)["password"] if noted else ""
    if request.method != "POST":
        return Answer(200, known.encode())
    if known:
        return Answer(409, b"the password is set already\n")
    if len(request.body) > _MOST_PASSWORD:
        return Answer(400, b"the password is too long\n")
    text = request.body.decode(errors="replace")
    desired.set_note(InstanceData.KIND, data.id, json.dumps({"password": text}).encode())
    return Answer(200)


def _is_openstack(version: str) -> bool:
    return version in instance_metadata.OPENSTACK_VERSIONS


def _listing(names: list[str] | tuple[str, ...]) -> Answer:
    return Answer(200, "\n".join(names).encode())
