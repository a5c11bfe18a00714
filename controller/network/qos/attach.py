"""Whether a caller may lay a QoS policy on something, or take the one away that is there."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.network import collection, standard
from controller.network.qos.kind import KIND
from controller.network.qos.model import QosPolicy
from controller.web.caller import Caller
from controller.web.errors import Forbidden, NotFound


def check(session: Session, caller: Caller, wanted: str | None, before: str | None = None) -> None:
    """The policy is the caller's or shared, and nobody deletes it meanwhile; so is the one before it.

    Raises NotFound, Forbidden.
    """
    if wanted == before:
        return
    if before is not None:
        _check_removable(session, caller, before)
    if wanted is not None:
        standard.lock(session, QosPolicy, [wanted])
        collection.find(session, KIND, caller, wanted)


def default_of(session: Session, project_id: str) -> str | None:
    """The policy that new networks of a project have; nobody deletes it meanwhile. The project is locked."""
    statement = select(QosPolicy.id).where(QosPolicy.project_id == project_id, QosPolicy.is_default)
    found = session.scalar(statement.limit(1))
    return found if found and standard.lock(session, QosPolicy, [found]) else None


def _check_removable(session: Session, caller: Caller, before: str) -> None:
    try:
        collection.find(session, KIND, caller, before)
    except NotFound:
        raise Forbidden(
            f"Failed to remove provided policy {before} because you are not authorized.",
            kind="PolicyRemoveAuthorizationError",
        ) from None
