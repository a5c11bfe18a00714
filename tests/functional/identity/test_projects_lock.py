"""The project's lock: bumps the generation, makes no row."""

import pytest

from controller.db.session import Database
from controller.identity import projects
from controller.identity.projects.model import Project
from controller.web.errors import Unauthorized


def test_lock_bumps_the_generation(db: Database) -> None:
    db.write(lambda s: projects.lock(s, "a" * 32))
    with db.read() as session:
        row = session.get(Project, "a" * 32)
        assert row is not None and row.generation == 1


def test_lock_of_no_project_is_refused(db: Database) -> None:
    with pytest.raises(Unauthorized):
        db.write(lambda s: projects.lock(s, "f" * 32))
