"""Making, changing and deleting QoS policies."""

from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import refusals, standard
from controller.network.qos.model import QosPolicy
from controller.network.qos.users import first_user
from controller.network.rbac import model as rbac
from controller.network.rbac import users
from controller.network.tags import model as tags


def create(session: Session, values: dict[str, Any]) -> QosPolicy:
    """A new policy without rules. Raises Conflict for a second default one."""
    projects.lock(session, values["project_id"])
    if values["is_default"]:
        _check_no_default(session, values["project_id"])
    is_shared = values.pop("is_shared")
    policy = QosPolicy(**values, revision_number=1)
    session.add(policy)
    session.flush()
    if is_shared:
        rbac.open_to_all(session, "qos_policy", policy)
    return policy


def update(session: Session, policy: QosPolicy, values: dict[str, Any]) -> None:
    """Writes the change. Raises Conflict for a second default one, and while others need what they would lose."""
    projects.lock(session, policy.project_id)
    standard.lock_row(session, policy, "qos policy")
    if values.get("is_default") and not policy.is_default:
        _check_no_default(session, policy.project_id)
    match values.pop("is_shared", None):
        case True:
            rbac.open_to_all(session, "qos_policy", policy)
        case False:
            users.check_closed(session, "qos_policy", policy, rbac.SHARED, rbac.EVERYBODY)
            rbac.close_to_all(session, policy.id)
    for name, value in values.items():
        setattr(policy, name, value)
    standard.touch(policy)


def delete(session: Session, policy: QosPolicy) -> None:
    """Removes a policy with its rules. Raises Conflict while something has it."""
    standard.lock_row(session, policy, "qos policy")
    if user := first_user(session, policy.id):
        raise refusals.in_use(f"QoS Policy {policy.id} is used by {user}.", "QosPolicyInUse")
    session.execute(sql_delete(QosPolicy).where(QosPolicy.id == policy.id))
    rbac.forget(session, policy.id)
    tags.forget(session, policy.id)


def _check_no_default(session: Session, project_id: str) -> None:
    """The project is locked."""
    statement = select(QosPolicy.id).where(QosPolicy.project_id == project_id, QosPolicy.is_default)
    if session.scalar(statement.limit(1)) is not None:
        raise refusals.in_use(
            f"A default QoS policy exists for project {project_id}.", "QoSPolicyDefaultAlreadyExists"
        )
