"""What the documents name is there: tests, files and links."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_LINK = re.compile(r"\]\(([^)#:]+)(#[\w-]+)?\)")


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> pathlib.Path:
    found: pathlib.Path = request.param
    return found


def test_tests_that_are_named_exist(document: pathlib.Path) -> None:
    for name, function in _TEST.findall(document.read_text()):
        assert (ROOT / name).exists(), f"{document.name} names {name}, which is not there"
        assert f"def {function}(" in (ROOT / name).read_text(), f"{name} has no {function}"


def test_links_lead_somewhere(document: pathlib.Path) -> None:
    for target, _ in _LINK.findall(document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}, which is not there"


def test_every_class_of_bug_has_its_row() -> None:
    text = (ROOT / "docs/security.md").read_text()
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert rows == list(range(1, 26))
