"""The lock under which a project's usage is counted: bumping its generation, before any read."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from controller.identity.projects.model import Project
from controller.web.errors import Unauthorized


def lock(session: Session, project_id: str) -> None:
    """Makes all verbs on one project stand in line until this transaction ends; makes no row.

    Raises Unauthorized when the project is not there (any more).
    """
    bumped = session.execute(
        update(Project).where(Project.id == project_id).values(generation=Project.generation + 1),
        execution_options={"synchronize_session": False},
    )
    if not bumped.rowcount:  # type: ignore[attr-defined]
        raise Unauthorized("The project of your token does not exist any more: get a token for another.")
