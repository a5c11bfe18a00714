"""Making, changing and deleting policies of access."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from controller.identity import projects
from controller.network import limits, refusals, standard
from controller.network.networks.model import Network
from controller.network.networks.update import check_not_outside
from controller.network.rbac import model as rbac
from controller.network.rbac import users
from controller.network.rbac.model import RbacPolicy
from controller.web.caller import Caller


def create(session: Session, caller: Caller, values: dict[str, Any]) -> RbacPolicy:
    """A new policy about what is the caller's. Raises BadRequest, NotFound, Conflict."""
    projects.lock(session, values["project_id"])
    limits.check(session, values["project_id"], "rbac_policy")
    actions = users.OBJECTS[values["object_type"]][1]
    if values["action"] not in actions:
        raise refusals.invalid(
            f"Invalid action '{values['action']}' for object type '{values['object_type']}'. Valid actions: "
            f"{tuple(actions)}",
            "InvalidActionForType",
        )
    row = _object(session, caller, values["object_type"], values["object_id"])
    policy = RbacPolicy(**values)
    _write(session, policy)
    if policy.action == rbac.EXTERNAL and not row.is_external:
        row.is_external = True
        standard.touch(row)
    return policy


def update(session: Session, caller: Caller, policy: RbacPolicy, values: dict[str, Any]) -> None:
    """The access is another project's. Raises BadRequest, Conflict while the one that loses it needs it."""
    row = _locked(session, caller, policy)
    wanted = values.get("target_project", policy.target_project)
    if wanted == policy.target_project:
        return
    _check_closed(session, policy, row, wanted)
    policy.target_project = wanted
    _write(session, policy)


def delete(session: Session, caller: Caller, policy: RbacPolicy) -> None:
    """The access ends; a network with no policy to be external by is so no longer. Raises Conflict while needed."""
    row = _locked(session, caller, policy)
    _check_closed(session, policy, row)
    session.delete(policy)
    session.flush()
    if policy.action == rbac.EXTERNAL and not rbac.targets(session, [row.id], rbac.EXTERNAL):
        check_not_outside(session, row)
        row.is_external, row.is_default = False, None
        standard.touch(row)


def _locked(session: Session, caller: Caller, policy: RbacPolicy) -> Any:
    """What the policy is about, locked; so the policy stands still too, and is as it is now. Raises NotFound."""
    row = _object(session, caller, policy.object_type, policy.object_id)
    if session.get(RbacPolicy, policy.id, populate_existing=True) is None:
        raise refusals.missing("rbac policy", policy.id)
    return row


def _object(session: Session, caller: Caller, object_type: str, object_id: str) -> Any:
    """What the policy is about, locked: who uses it stands still.

    What the caller does not see is not there; what he only sees is not his to give.
    """
    model = users.OBJECTS[object_type][0]
    standard.lock(session, model, [object_id])
    row = session.get(model, object_id, populate_existing=True)
    if row is not None and (caller.is_admin or row.project_id == caller.own_project):
        return row
    if row is None or not rbac.is_granted(session, object_id, caller.own_project, *rbac.ANY):
        raise refusals.missing(_WORDS.get(object_type, object_type.replace("_", " ")), object_id)
    raise refusals.invalid("Only admins can manipulate policies on objects they do not own")


#: Where the words of an error are not the type's.
_WORDS = {"subnetpool": "subnet pool"}


def _check_closed(session: Session, policy: RbacPolicy, row: Any, opened: str = "") -> None:
    is_default = isinstance(row, Network) and policy.action == rbac.EXTERNAL and row.is_default
    if is_default and policy.target_project == rbac.EVERYBODY:
        raise refusals.in_use(
            f"RBAC policy on object {row.id} cannot be removed: default external networks must be shared to "
            "everyone.",
            "RbacPolicyInUse",
        )
    if policy.target_project != row.project_id:
        users.check_closed(session, policy.object_type, row, policy.action, policy.target_project, opened)


def _write(session: Session, policy: RbacPolicy) -> None:
    try:
        with session.begin_nested():
            session.add(policy)
    except IntegrityError:
        raise refusals.in_use(
            "An RBAC policy already exists with those values.", "DuplicateRbacPolicy"
        ) from None
