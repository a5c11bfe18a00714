"""Rules that new security groups begin with: administrators say them, for default groups and for all others.

Until somebody changes them they are what security groups always began with: everything may leave, and members of a
project's default group reach each other.
"""

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db import mark
from controller.db.columns import Base, Id, new_uuid
from controller.network.security_groups.model import SecurityGroup, SecurityGroupRule
from controller.network.standard import Standard

#: As ``remote_group_id``: the group that the rule is in.
PARENT = "PARENT"
_MARK = "default_security_group_rules"
#: What of a rule goes into the groups.
_COPIED = (
    "direction",
    "ethertype",
    "protocol",
    "port_range_min",
    "port_range_max",
    "remote_ip_prefix",
    "remote_group_id",
    "remote_address_group_id",
)


class DefaultRule(Standard, Base):
    """A rule for new groups. It is nobody's; ``project_id`` is whose token made it."""

    __tablename__ = "default_security_group_rules"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    direction: Mapped[str] = mapped_column(String(8))
    ethertype: Mapped[str] = mapped_column(String(8))
    protocol: Mapped[str | None] = mapped_column(String(40))
    port_range_min: Mapped[int | None]
    port_range_max: Mapped[int | None]
    remote_ip_prefix: Mapped[str | None] = mapped_column(String(64))
    remote_group_id: Mapped[Id | None]
    remote_address_group_id: Mapped[Id | None]
    is_for_default: Mapped[bool] = mapped_column(default=False)
    is_for_others: Mapped[bool] = mapped_column(default=True)


def are_there(session: Session) -> bool:
    """Whether the first ones were written."""
    return mark.is_set(session, _MARK)


def ensure(session: Session) -> None:
    """Writes the first ones, once in the life of a database: whoever deletes them has them gone."""
    if are_there(session) or not mark.set_once(session, _MARK):
        return
    for ethertype in ("IPv4", "IPv6"):
        session.add(_first("egress", ethertype, is_for_others=True))
        session.add(_first("ingress", ethertype, is_for_others=False, remote_group_id=PARENT))
    session.flush()


def lock(session: Session) -> None:
    """Verbs on the rules stand in line. The first ones are written."""
    ensure(session)
    mark.lock(session, _MARK)


def count(session: Session, *, is_default: bool) -> int:
    """How many rules a new group gets."""
    return len(_for(session, is_default))


def put_into(session: Session, group: SecurityGroup) -> None:
    """Gives a new group its rules."""
    for template in _for(session, group.default_of is not None):
        values = {name: getattr(template, name) for name in _COPIED}
        if values["remote_group_id"] == PARENT:
            values["remote_group_id"] = group.id
        session.add(SecurityGroupRule(project_id=group.project_id, group_id=group.id, **values))
    session.flush()


def names_address_group(session: Session, group_id: str) -> bool:
    """Whether a rule names an address group."""
    naming = select(DefaultRule.id).where(DefaultRule.remote_address_group_id == group_id)
    return session.scalar(naming.limit(1)) is not None


def forget_group(session: Session, group_id: str) -> None:
    """Removes the rules that name a security group which goes."""
    session.execute(delete(DefaultRule).where(DefaultRule.remote_group_id == group_id))


def _for(session: Session, is_default: bool) -> list[DefaultRule]:
    ensure(session)
    wanted = DefaultRule.is_for_default if is_default else DefaultRule.is_for_others
    return list(
        session.scalars(select(DefaultRule).where(wanted).order_by(DefaultRule.created_at, DefaultRule.id))
    )


def _first(
    direction: str, ethertype: str, *, is_for_others: bool, remote_group_id: str | None = None
) -> DefaultRule:
    return DefaultRule(
        project_id="",
        direction=direction,
        ethertype=ethertype,
        remote_group_id=remote_group_id,
        is_for_default=True,
        is_for_others=is_for_others,
    )
