"""The lock under which a project's usage is counted: bumping its generation, before any read."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.identity.projects.model import Project
from controller.web.errors import Unauthorized

#: Key in ``Session.info``: the projects that this transaction has locked.
_HELD = "locked projects"


def lock(session: Session, project_id: str) -> None:
    """Makes all verbs on one project stand in line until this transaction ends; makes no row.

    A verb that is part of a greater one (the ports of a new server) finds the lock taken.
    Raises Unauthorized when the project is not there (any more).
    """
    held: set[str] = session.info.setdefault(_HELD, set())
    if project_id in held:
        return
    bumped = session.execute(
        update(Project).where(Project.id == project_id).values(generation=Project.generation + 1),
        execution_options={"synchronize_session": False},
    )
    if not bumped.rowcount:  # type: ignore[attr-defined]
        raise Unauthorized("The project of your token does not exist any more: get a token for another.")
    held.add(project_id)
