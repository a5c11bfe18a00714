"""Limits of a project, counted from rows: never kept in counters, so they cannot drift."""

from collections.abc import Mapping

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, Id
from controller.web.errors import OverQuota

#: Names as the services' quota APIs have them; -1 means no limit.
DEFAULTS = {
    "compute": {
        "instances": 10,
        "cores": 20,
        "ram": 51200,
        "key_pairs": 100,
        "metadata_items": 128,
        "server_groups": 10,
        "server_group_members": 10,
    },
    "volume": {
        "volumes": 10,
        "gigabytes": 1000,
        "snapshots": 10,
        "per_volume_gigabytes": -1,
        "backups": 10,
        "backup_gigabytes": 1000,
        "groups": 10,
    },
    "network": {
        "network": 100,
        "subnet": 100,
        "port": 500,
        "security_group": 10,
        "security_group_rule": 100,
        "router": 10,
        "floatingip": 50,
        "subnetpool": -1,
        "trunk": -1,
        "rbac_policy": 10,
    },
}


#: What stands in place of a project's id in the limits of a quota class; those of "default" are defaults.
CLASS = "class:"
DEFAULT_CLASS = CLASS + "default"


class QuotaLimit(Base):
    """A limit that differs from the default for one project, or for one quota class."""

    __tablename__ = "quota_limits"

    project_id: Mapped[Id] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(32), primary_key=True)
    resource: Mapped[str] = mapped_column(String(255), primary_key=True)
    limit: Mapped[int]


def limits(session: Session, project_id: str, service: str) -> dict[str, int]:
    """All limits that hold for a project, or for a class ("class:name"), -1 for none. One query."""
    rows = session.execute(
        select(QuotaLimit.project_id, QuotaLimit.resource, QuotaLimit.limit).where(
            QuotaLimit.service == service, QuotaLimit.project_id.in_((DEFAULT_CLASS, project_id))
        )
    ).all()
    found = dict(DEFAULTS[service])
    for wanted in (DEFAULT_CLASS, project_id):
        found.update({resource: value for owner, resource, value in rows if owner == wanted})
    return found


def set_limits(session: Session, project_id: str, service: str, given: Mapping[str, int]) -> None:
    """Gives a project or class limits of its own."""
    for resource, value in given.items():
        session.merge(QuotaLimit(project_id=project_id, service=service, resource=resource, limit=value))


def reset(session: Session, project_id: str, service: str) -> None:
    """The defaults hold for the project again."""
    session.execute(
        delete(QuotaLimit).where(QuotaLimit.project_id == project_id, QuotaLimit.service == service)
    )


def check(session: Session, project_id: str, service: str, used_after: Mapping[str, int]) -> None:
    """Raises OverQuota if the project would use more of a resource than it may.

    The caller has locked the project first (identity.projects.lock) and counted rows since.
    """
    allowed = limits(session, project_id, service)
    for resource, used in used_after.items():
        if 0 <= allowed[resource] < used:
            raise OverQuota(
                f"Quota exceeded for resources: ['{resource}']. It would use {used} of "
                f"{allowed[resource]}: delete some or ask for a higher limit.",
                kind="OverQuota",
            )
