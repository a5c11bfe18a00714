"""What operators do by hand, as they type it."""

import pathlib

import pytest
from click.testing import CliRunner
from oslo_config import cfg
from sqlalchemy import func, select

from controller.db.session import Database
from controller.identity.tokens.model import TokenKey
from controller.main import manage
from controller.main.process import Process


@pytest.fixture
def process(
    conf: cfg.ConfigOpts, db: Database, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Process:
    """A process on the test's database, in place of the configured one."""
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    conf.register_opts(manage.SEALED_OPTIONS)
    conf.set_override("master_key_file", str(key))
    manage.db_options.register(conf)
    conf.set_override("connection", db.engine.url.render_as_string(hide_password=False), group="database")
    made = manage.prepare(conf)
    monkeypatch.setattr(manage, "_process", lambda: made)
    return made


def _keys(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(TokenKey)) or 0


def test_token_keys_are_rotated_and_the_newest_kept(process: Process, db: Database) -> None:
    for expected in (1, 2, 3, 3):
        result = CliRunner().invoke(manage.cli, ["rotate-token-keys"])
        assert result.exit_code == 0, result.output
        assert _keys(db) == expected


def test_a_host_has_one_key_until_a_new_one_is_asked_for(process: Process) -> None:
    runner = CliRunner()
    first = runner.invoke(manage.cli, ["host-key", "one"]).output
    assert runner.invoke(manage.cli, ["host-key", "one"]).output == first and len(first.strip()) == 64
    assert runner.invoke(manage.cli, ["host-key", "one", "--new"]).output != first
