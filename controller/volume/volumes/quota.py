"""What a project uses of its volume quota, counted from rows, and the check before it uses more."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from controller.operations import quota
from controller.volume.types.model import VolumeType
from controller.volume.volumes.model import Volume
from controller.web.errors import TooLarge

SERVICE = "volume"


def used(session: Session, project_id: str) -> dict[str, int]:
    """How much there is of each resource, "volumes_<type>" and "gigabytes_<type>" included. One query."""
    rows = session.execute(
        select(VolumeType.name, func.count(), func.coalesce(func.sum(Volume.wanted_gib), 0))
        .join(VolumeType, VolumeType.id == Volume.volume_type_id)
        .where(Volume.project_id == project_id, ~Volume.is_deleted)
        .group_by(VolumeType.name)
    )
    counts = {"volumes": 0, "gigabytes": 0}
    for name, volumes, gigabytes in rows:
        counts["volumes"] += int(volumes)
        counts["gigabytes"] += int(gigabytes)
        counts[f"volumes_{name}"] = int(volumes)
        counts[f"gigabytes_{name}"] = int(gigabytes)
    return counts


def check(session: Session, project_id: str, volume_type: VolumeType, volumes: int, gigabytes: int) -> None:
    """Raises TooLarge (cinder's status for it) if so much more would be too much.

    The caller has locked the project first.
    """
    limits, have = quota.limits(session, project_id, SERVICE), used(session, project_id)
    for resource, more in (("volumes", volumes), ("gigabytes", gigabytes)):
        for name in (resource, f"{resource}_{volume_type.name}"):
            allowed = limits.get(name, -1)
            if more and 0 <= allowed < have.get(name, 0) + more:
                raise _over(resource, name, more, have.get(name, 0), allowed)


def check_size(session: Session, project_id: str, size_gib: int) -> None:
    """Raises TooLarge if a single volume may not be so big."""
    allowed = quota.limits(session, project_id, SERVICE)["per_volume_gigabytes"]
    if 0 <= allowed < size_gib:
        raise _refused(
            f"Requested volume size {size_gib}G is larger than maximum allowed limit {allowed}G.",
            "VolumeSizeExceedsLimit",
        )


def _over(resource: str, name: str, more: int, have: int, allowed: int) -> TooLarge:
    if resource == "volumes":
        return _refused(
            f"VolumeLimitExceeded: Maximum number of volumes allowed ({allowed}) exceeded for quota "
            f"'{name}': delete some or ask for a higher limit.",
            "VolumeLimitExceeded",
        )
    return _refused(
        "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
        f"{name} quota. Requested {more}G, quota is {allowed}G and {have}G has been consumed.",
        "VolumeSizeExceedsAvailableQuota",
    )


def _refused(message: str, kind: str) -> TooLarge:
    return TooLarge(message, kind=kind, headers={"Retry-After": "0"})
