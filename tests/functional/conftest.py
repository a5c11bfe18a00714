"""Fixtures of all services' functional tests: a database, a service's API on it, callers without keystone.

``client_of(SERVICE, RULES)`` gives an ``Api`` on the service's application. A token is written as
``roles@project`` ("member@alpha", "reader,service@beta") or a bare role, which means project "alpha"; ""
is no token. ``CUMULET_TEST_DATABASE`` (an SQLAlchemy URL) runs the same tests on another database.
"""

import contextlib
import os
import pathlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from falcon import testing
from oslo_config import cfg
from oslo_policy import policy as oslo_policy
from sqlalchemy import Engine, event

from controller.db.columns import Base
from controller.db.session import Database
from controller.identity.projects.model import Project
from controller.web import app
from controller.web.caller import Caller
from controller.web.errors import Unauthorized
from controller.web.policy import Policy
from controller.web.resource import Cloud
from runtime import settings
from tests.functional.mariadb import MariaDb

HERE = pathlib.Path(__file__).parent
SQLITE, MARIADB = "sqlite", "mariadb"
#: Folders and files whose tests run on MariaDB, alone or as well: whatever locks, counts and claims.
DATABASES = {
    "compute": (SQLITE, MARIADB),
    "db": (MARIADB,),
    "network/test_at_the_same_time.py": (SQLITE, MARIADB),
    "network/test_server_ports.py": (SQLITE, MARIADB),
    "network/test_trunks.py": (SQLITE, MARIADB),
    "placement": (SQLITE, MARIADB),
    "volume/test_images_and_races.py": (SQLITE, MARIADB),
    "volume/test_operations.py": (SQLITE, MARIADB),
}
#: Projects that exist in every test, by the name used in tokens.
PROJECTS = {"alpha": "a" * 32, "beta": "b" * 32, "admin": "c" * 32}
#: What keystone's implied roles make of a role.
IMPLIED = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeats tests for each of DATABASES."""
    path = metafunc.definition.path.relative_to(HERE)
    databases = DATABASES.get(str(path)) or DATABASES.get(path.parts[0])
    if "db" in metafunc.fixturenames and databases and "CUMULET_TEST_DATABASE" not in os.environ:
        metafunc.parametrize("db", databases, indirect=True)


def caller(token: str) -> Caller:
    """The caller that a test token stands for. Raises Unauthorized for an empty one."""
    roles, _, project = token.partition("@")
    project = project or "alpha"
    if not roles or project not in PROJECTS:
        raise Unauthorized("The request you have made requires authentication.")
    every = frozenset(r for role in roles.split(",") for r in IMPLIED.get(role, (role,)))
    return Caller(
        user_id=(roles.replace(",", "") + project).encode().hex()[:32].ljust(32, "0"),
        user_name=f"{roles}-{project}",
        user_domain_id="default",
        user_domain_name="Default",
        project_id=PROJECTS[project],
        project_name=project,
        project_domain_id="default",
        roles=every,
    )


class Api:
    """A service's API as a client sees it."""

    def __init__(self, application: app.WsgiApp, token: str = "member") -> None:
        self._client = testing.TestClient(application)
        self.token = token

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        """One request; ``path`` may have a query. The answer has ``status_code``, ``json``, ``headers``."""
        sent = {"X-Auth-Token": self.token if token is None else token, **(headers or {})}
        path, _, query = path.partition("?")
        if body is not None:
            more["json"] = body
        return self._client.simulate_request(
            method, path, headers={k: v for k, v in sent.items() if v}, query_string=query, **more
        )

    def get(self, path: str, **more: Any) -> Any:
        """GET."""
        return self.call("GET", path, **more)

    def head(self, path: str, **more: Any) -> Any:
        """HEAD."""
        return self.call("HEAD", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST."""
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Any:
        """PUT."""
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Any:
        """PATCH."""
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **more)


@pytest.fixture
def conf() -> cfg.ConfigOpts:
    """Options with their defaults, read from no file."""
    return default_options()


def default_options() -> cfg.ConfigOpts:
    """As the fixture, for what lasts longer than a test."""
    options = cfg.ConfigOpts()
    settings.register(options)
    options([], project="cumulet", default_config_files=[])
    return options


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[pathlib.Path], None]:
    """Copies a file of SQLite with all tables that are known by now: to make them takes a second."""
    directory = tmp_path_factory.mktemp("empty-databases")

    def copy(path: pathlib.Path) -> None:
        template = directory / f"{len(Base.metadata.tables)}.db"
        if not template.exists():
            _fill(Database(f"sqlite:///{template}")).close()
        shutil.copy(template, path)

    return copy


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A server for all tests of DATABASES."""
    server = MariaDb(tmp_path_factory.mktemp("mariadb"))
    yield server
    server.stop()


@pytest.fixture
def db(
    request: pytest.FixtureRequest,
    tmp_path: pathlib.Path,
    empty_databases: Callable[[pathlib.Path], None],
) -> Iterator[Database]:
    """An empty database with all tables that the test's imports know, and the rows of PROJECTS."""
    if url := os.environ.get("CUMULET_TEST_DATABASE"):
        database = _fill(Database(url))
    elif getattr(request, "param", SQLITE) == MARIADB:
        server = request.getfixturevalue("mariadb")
        server.empty()
        database = Database(server.url)
        database.write(lambda session: session.add_all(projects()))
    else:
        empty_databases(tmp_path / "test.db")
        database = Database(f"sqlite:///{tmp_path}/test.db")
    yield database
    database.close()


@pytest.fixture
def client_of(conf: cfg.ConfigOpts, db: Database) -> Callable[..., Api]:
    """Makes an Api of a service: ``client_of(service, rules, tools={...}, authenticate=caller)``."""

    def make(
        service: app.Service,
        rules: Iterable[oslo_policy.RuleDefault],
        tools: Mapping[str, Any] | None = None,
        authenticate: app.Authenticate = caller,
    ) -> Api:
        cloud = Cloud(conf=conf, db=db, policy=Policy(conf, rules), tools=tools or {})
        return Api(app.build(service, cloud, authenticate))

    return make


@pytest.fixture
def queries(db: Database) -> Callable[[], contextlib.AbstractContextManager[list[str]]]:
    """``with queries() as seen:`` collects the statements that this thread sends meanwhile."""

    @contextlib.contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        thread = threading.get_ident()

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if threading.get_ident() == thread:
                seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return counting


def _fill(database: Database) -> Database:
    Base.metadata.drop_all(database.engine)
    Base.metadata.create_all(database.engine)
    database.write(lambda session: session.add_all(projects()))
    return database


def projects() -> list[Project]:
    """The rows of PROJECTS and of their domain."""
    domain = Project(id="default", name="Default", domain_id="", is_domain=True)
    return [
        domain,
        *(
            Project(id=project_id, name=name, domain_id="default", parent_id="default")
            for name, project_id in PROJECTS.items()
        ),
    ]
