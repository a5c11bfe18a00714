"""What a server boots from: image or volume, and which volumes it starts with. Pure."""

from dataclasses import dataclass, field
from typing import Any

from controller.web import schema
from controller.web.errors import BadRequest

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class VolumePlan:
    """A volume that the server starts with: an existing one, or a new one (of an image)."""

    volume_id: str | None = None
    image_id: str | None = None
    size_gib: int = 0
    volume_type: str | None = None
    device_name: str | None = None
    boot_index: int | None = None
    delete_on_termination: bool = False
    tag: str | None = None


@dataclass(frozen=True)
class BootPlan:
    """All volumes, and whether the root disk is one."""

    volumes: list[VolumePlan] = field(default_factory=list)
    is_from_volume: bool = False


def plan(values: dict[str, Any], image: Any, flavor: Any) -> BootPlan:
    """Reads ``block_device_mapping_v2``, taken out of ``values``.

    Raises BadRequest for a server without a root disk, with two, or with sources that are not offered.
    """
    volumes, has_local_root = [], image is not None
    for given in values.pop("block_device_mapping_v2", None) or []:
        if _is_local_image(given):
            has_local_root = True
            continue
        volumes.append(_volume(given))
    roots = [v for v in volumes if v.boot_index == 0]
    if len(roots) > 1:
        raise BadRequest("Block Device Mapping is Invalid: more than one device has boot_index 0.")
    if not roots and not has_local_root:
        raise BadRequest("Block Device Mapping is Invalid: give imageRef, or a volume with boot_index 0.")
    if not roots:
        _check_fits(image, flavor)
    return BootPlan(volumes, bool(roots))


def _check_fits(image: Any, flavor: Any) -> None:
    if image is None:
        raise BadRequest(
            "Block Device Mapping is Invalid: the image of the local disk must be given as imageRef too."
        )
    smallest = max(image.min_disk or 0, -(-(image.virtual_size or 0) // GIB))
    if flavor.disk and flavor.disk < smallest:
        raise BadRequest(
            f"Flavor's disk is too small for requested image. Flavor disk is {flavor.disk} GiB, "
            f"the image needs {smallest} GiB."
        )


def _is_local_image(given: dict[str, Any]) -> bool:
    return (
        given.get("source_type") == "image"
        and given.get("destination_type", "local") == "local"
        and (str(given.get("boot_index")) == "0")
    )


def _volume(given: dict[str, Any]) -> VolumePlan:
    source, index = given.get("source_type"), given.get("boot_index")
    if source == "snapshot" or given.get("destination_type") == "local":
        raise BadRequest(
            f"Block Device Mapping is Invalid: {source} to "
            f"{given.get('destination_type', 'volume')} is not offered here; use a volume."
        )
    if source in ("volume", "image") and not given.get("uuid"):
        raise BadRequest("Block Device Mapping is Invalid: uuid is missing.")
    size = int(given.get("volume_size") or 0)
    if source in ("image", "blank") and size < 1:
        raise BadRequest("Block Device Mapping is Invalid: volume_size is needed to make a volume.")
    return VolumePlan(
        volume_id=given["uuid"] if source == "volume" else None,
        image_id=given["uuid"] if source == "image" else None,
        size_gib=size,
        volume_type=given.get("volume_type"),
        device_name=given.get("device_name"),
        boot_index=_index(index),
        tag=given.get("tag"),
        delete_on_termination=schema.as_bool(given.get("delete_on_termination", False)),
    )


def _index(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        index = int(value)
    except ValueError:
        raise BadRequest(f"Block Device Mapping is Invalid: boot_index {value!r} is no number.") from None
    return index if index >= 0 else None
