"""What README and the network guide tell one to type after ``make up`` is typed here, as it stands there."""

import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lab.up import profile

ROOT = pathlib.Path(__file__).parents[2]
_FIRST = ". /etc/cumulet/openrc"
#: A ping that ended well; the first one to a guest that boots may lose some.
_ANSWERED = re.compile(r"3 packets transmitted, [1-3] (packets )?received")


@pytest.fixture
def rules(openstack: Any) -> Iterator[None]:
    """Takes back what is opened in the group that other tests share."""
    before = {rule["ID"] for rule in openstack("security", "group", "rule", "list", "default")}
    yield
    for rule in openstack("security", "group", "rule", "list", "default"):
        if rule["ID"] not in before:
            openstack.text("security", "group", "rule", "delete", rule["ID"])


@pytest.mark.usefixtures("rules")
def test_readme(openstack: Any) -> None:
    # the first block is for a machine on which nothing is yet
    said = _typed("README.md", "## Try it", "| command | effect |")
    assert _ANSWERED.search(said), said
    for shown in ("ACTIVE", "login:", "['first']"):
        assert shown in said, shown
    assert "first" not in openstack.text("server", "list")


@pytest.mark.parametrize("openstack", [profile.DEFAULT], indirect=True)
def test_network_guide(openstack: Any) -> None:
    said = _typed("docs/networking.md", "## Guide", "## The map of tables")
    gateway = said.rpartition('"ip_address": "')[2].partition('"')[0]
    shown = (
        "in by the floating IP: front",
        f"{gateway} - - [",
        "200",
        f"SNAT: 192.168.20.10 leaves as {gateway}",
        "floating IP 172.24.4.110 stands for 192.168.10.10",
        "dropped on",
    )
    assert len(_ANSWERED.findall(said)) == 1, said
    for words in shown:
        assert words in said, f"{words}\n{said}"
    for kind in (("router",), ("network",), ("floating", "ip"), ("port",)):
        for trace in ("edge", "front", "back", "172.24.4.11", "192.168.20."):
            assert trace not in openstack.text(*kind, "list")


def _typed(file: str, begin: str, end: str) -> str:
    """What is said while all commands of a part of a page are typed into one shell."""
    text = (ROOT / file).read_text()
    section = text[text.index(begin) : text.index(end)]
    commands = [line.strip() for line in section[section.index(_FIRST) :].splitlines() if line[:4] == "    "]
    script = "\n".join([_FIRST, *commands])
    done = subprocess.run(["bash", "-exc", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
