"""``POST /servers``: everything that is wanted of new servers, written in one transaction.

Order: the project is locked and quota counted, then flavor, image and key are looked up, then for each
server its row, ports, volumes and the boot operation. Whatever is refused leaves nothing behind.
"""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.server import BootImage
from controller.compute import flavors, keypairs, zones
from controller.compute.servers.block_devices import BootPlan, plan
from controller.compute.servers.model import Server
from controller.compute.servers.networks import NetworkPlan, attach, resolve
from controller.compute.servers.operations import boot
from controller.db.columns import new_uuid
from controller.db.outbox import changed
from controller.identity import projects
from controller.image.images import lookup as images
from controller.image.images.lookup import BootImageInfo
from controller.operations import quota
from controller.operations.begin import begin
from controller.volume.attachments import server as server_volumes
from controller.web.caller import Caller
from controller.web.errors import BadRequest, NotFound


@dataclass(frozen=True)
class Created:
    """What was made: the servers, in the order of their launch index, and the id that joins them."""

    servers: list[Server]
    reservation_id: str
    group_names: list[str]


def create(session: Session, caller: Caller, values: dict[str, Any]) -> Created:
    """Writes the wish for one or more servers. ``values`` are of fields.FIELDS.

    Raises BadRequest for what does not fit together, OverQuota, Conflict.
    """
    projects.lock(session, caller.own_project)
    count = _count(values)
    flavor = _flavor(session, caller, values.pop("flavorRef"))
    _check_quota(session, caller, flavor, count)
    image = _image(session, caller, values, flavor)
    block = plan(values, image, flavor)
    groups = [g.get("name", "") for g in values.get("security_groups") or [{"name": "default"}]]
    network = resolve(session, caller, values)
    key = _key(session, caller, values)
    zone, forced_host = _zone(session, caller, values)
    reservation_id = f"r-{secrets.token_hex(4)}"
    servers = []
    for index in range(count):
        row = Server(
            id=new_uuid(),
            project_id=caller.own_project,
            user_id=caller.user_id,
            reservation_id=reservation_id,
            launch_index=index,
            task="scheduling",
            requested_zone=zone,
            forced_host=forced_host,
            random_seed=_random_seed(),
            **_of_flavor(flavor),
            **_of_image(image, block),
            **_of_key(key),
            **_given(values),
        )
        _name(row, values["name"], index if count > 1 else None, values.get("hostname"))
        servers.append(row)
        session.add(row)
        session.flush()
        _wire(session, caller, row, network, block)
    return Created(servers, reservation_id, groups)


def _wire(session: Session, caller: Caller, row: Server, network: NetworkPlan, block: BootPlan) -> None:
    """Ports, volumes and the operation of one new server."""
    attach(session, caller, row, network)
    for device in block.volumes:
        volume_id = device.volume_id or server_volumes.create_for_boot(
            session, caller, device.size_gib, device.image_id, device.volume_type
        )
        server_volumes.reserve(
            session,
            caller.own_project,
            volume_id,
            row.id,
            device.device_name,
            delete_on_termination=device.delete_on_termination,
            boot_index=device.boot_index,
            tag=device.tag,
        )
    begin(session, boot.DEFINITION, f"server:{row.id}", (row.project_id, row.user_id))
    changed(session, "server", row.id)


def _count(values: dict[str, Any]) -> int:
    least, most = values.pop("min_count", None), values.pop("max_count", None)
    least = least or 1
    most = most or least
    if least > most:
        raise BadRequest("min_count must be less than or equal to max_count.")
    return int(most)


def _flavor(session: Session, caller: Caller, reference: str) -> flavors.Flavor:
    try:
        return flavors.find(session, caller, reference.rsplit("/", 1)[-1])
    except NotFound as error:
        raise BadRequest(f"{error.message} Choose one of 'openstack flavor list'.") from None


def _check_quota(session: Session, caller: Caller, flavor: flavors.Flavor, count: int) -> None:
    used = session.execute(
        select(
            func.count(), func.coalesce(func.sum(Server.vcpus), 0), func.coalesce(func.sum(Server.ram_mib), 0)
        ).where(Server.project_id == caller.own_project, ~Server.is_deleted)
    ).one()
    used_after = {
        "instances": int(used[0]) + count,
        "cores": int(used[1]) + count * flavor.vcpus,
        "ram": int(used[2]) + count * flavor.ram,
    }
    quota.check(session, caller.own_project, "compute", used_after)


def _image(
    session: Session, caller: Caller, values: dict[str, Any], flavor: flavors.Flavor
) -> BootImageInfo | None:
    reference = values.pop("imageRef", "") or ""
    if not reference:
        return None
    try:
        image = images.for_boot(session, caller, reference.rsplit("/", 1)[-1])
    except NotFound:
        raise BadRequest(f"Can not find requested image {reference}.") from None
    if image.min_ram and flavor.ram < image.min_ram:
        raise BadRequest(f"Flavor's memory is too small for requested image: it needs {image.min_ram} MiB.")
    return image


def _key(session: Session, caller: Caller, values: dict[str, Any]) -> keypairs.Keypair | None:
    name = values.pop("key_name", None)
    if not name:
        return None
    keypair = keypairs.find_or_none(session, caller.user_id, name)
    if keypair is None:
        raise BadRequest("Invalid key_name provided.")
    return keypair


def _zone(session: Session, caller: Caller, values: dict[str, Any]) -> tuple[str | None, str | None]:
    """(availability zone, host) of ``ZONE[:HOST]``; only administrators name a host."""
    zone, _, host = (values.pop("requested_zone", None) or "").partition(":")
    if host and not caller.is_admin:
        raise BadRequest("Only an administrator may name a host in availability_zone.")
    if zone and zone != zones.DEFAULT_ZONE and zone not in zones.known(session):
        raise BadRequest(f"The requested availability zone {zone} is not available: it has no host.")
    return zone or None, host.partition(":")[0] or None


def _of_flavor(flavor: flavors.Flavor) -> dict[str, Any]:
    return {
        "vcpus": flavor.vcpus,
        "ram_mib": flavor.ram,
        "disk_gib": flavor.disk,
        "ephemeral_gib": flavor.ephemeral,
        "swap_mib": flavor.swap,
        "flavor_id": flavor.id,
        "flavor_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def _of_image(image: BootImageInfo | None, block: BootPlan) -> dict[str, Any]:
    """What the server keeps of its image: shown in the API, told to the host."""
    if image is None:
        return {"image_id": None, "boot_image": None, "image_properties": {}}
    properties = {k: v for k, v in image.properties.items() if not k.startswith("os_hash")}
    kept = {"image_properties": properties, "image_id": image.id, "boot_image": None}
    if not block.is_from_volume:
        kept["boot_image"] = msgspec.to_builtins(_boot_image(image))
    else:
        kept["image_id"] = None
    return kept


def _boot_image(image: BootImageInfo) -> BootImage:
    return BootImage(
        id=image.id,
        sha512=image.sha512,
        size_bytes=image.size,
        disk_format=image.disk_format,
        kernel_id=image.kernel_id,
        ramdisk_id=image.ramdisk_id,
        kernel_sha512=image.kernel_sha512,
        ramdisk_sha512=image.ramdisk_sha512,
        kernel_args=image.properties.get("os_command_line"),
    )


def _of_key(key: keypairs.Keypair | None) -> dict[str, Any]:
    if key is None:
        return {}
    return {"key_name": key.name, "key_type": key.type, "key_data": key.public_key}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """What is stored as it was given: a column that the body may name. The name has a rule, see _name."""
    columns = set(Server.__table__.columns.keys()) - {"name", "hostname"}
    return {name: value for name, value in values.items() if name in columns and value is not None}


def _name(row: Server, name: str, index: int | None, hostname: str | None) -> None:
    """One of several servers gets its number, in name and host name, as users of nova expect."""
    suffix = "" if index is None else f"-{index + 1}"
    row.name = name + suffix
    row.hostname = (hostname or hostname_of(name, row.id)) + suffix


def hostname_of(name: str, server_id: str) -> str:
    """A host name made of a server's name: letters, digits and dashes, at most 63 long."""
    text = re.sub(r"[^a-z0-9.-]", "", re.sub(r"[ _]", "-", name.lower()))
    text = text.strip(".-")[:63].rstrip(".-").replace(".", "-")
    return text or f"server-{server_id}"


def _random_seed() -> str:
    return base64.b64encode(secrets.token_bytes(512)).decode()
