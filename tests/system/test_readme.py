"""What README tells a newcomer to type after ``make up`` is typed here, as it stands there."""

import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).parents[2]
#: The first block is for a machine on which nothing is yet.
_BEGIN, _FIRST, _END = "## Try it", ". /etc/cumulet/openrc", "| command | effect |"


@pytest.fixture
def rules(openstack: Any) -> Iterator[None]:
    """Takes back what is opened in the group that other tests share."""
    before = {rule["ID"] for rule in openstack("security", "group", "rule", "list", "default")}
    yield
    for rule in openstack("security", "group", "rule", "list", "default"):
        if rule["ID"] not in before:
            openstack.text("security", "group", "rule", "delete", rule["ID"])


@pytest.mark.usefixtures("rules")
def test_every_command_works_as_written(openstack: Any) -> None:
    text = (ROOT / "README.md").read_text()
    section = text[text.index(_BEGIN) : text.index(_END)]
    commands = [line.strip() for line in section[section.index(_FIRST) :].splitlines() if line[:4] == "    "]
    script = "\n".join([_FIRST, *commands])
    done = subprocess.run(["bash", "-exc", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in ("ACTIVE", "3 received", "login:", "['first']"):
        assert shown in done.stdout, shown
    assert "first" not in openstack.text("server", "list")
