"""Options that are read anew while the process runs."""

import pathlib

import pytest
from oslo_config import cfg

from runtime import settings

OPTIONS = [cfg.IntOpt("speed", default=1, min=1, mutable=True), cfg.IntOpt("size", default=1, min=1)]


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "thing.conf"
    path.write_text("[thing]\nspeed = 2\nsize = 2\n")
    return path


@pytest.fixture
def conf(file: pathlib.Path) -> cfg.ConfigOpts:
    made = cfg.ConfigOpts()
    settings.register(made)
    made.register_opts(OPTIONS, group="thing")
    made(["--config-file", str(file)])
    return made


def test_only_what_may_change_changes(conf: cfg.ConfigOpts, file: pathlib.Path) -> None:
    file.write_text("[thing]\nspeed = 3\nsize = 3\n")
    settings.reread(conf, "thing")
    assert (conf.thing.speed, conf.thing.size) == (3, 2)


@pytest.mark.parametrize("text", ["[thing]\nspeed = -3\n", "[thing]\nspeed = fast\n", "[thing\n", None])
def test_a_wrong_file_is_named_and_changes_nothing(
    conf: cfg.ConfigOpts, file: pathlib.Path, text: str | None
) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(settings.ConfigurationError, match=str(file)):
        settings.reread(conf, "thing")
    assert (conf.thing.speed, conf.thing.size) == (2, 2)


def test_after_a_wrong_file_the_next_counts(conf: cfg.ConfigOpts, file: pathlib.Path) -> None:
    file.write_text("[thing]\nspeed = fast\n")
    with pytest.raises(settings.ConfigurationError, match="speed"):
        settings.reread(conf, "thing")
    file.write_text("[thing]\nspeed = 5\n")
    settings.reread(conf, "thing")
    assert conf.thing.speed == 5
