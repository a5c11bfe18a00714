"""What holds for all tests: their order, and that two runs of the same code try the same.

What is cheap and exact comes first, whichever way the tests are called.
"""

import os
import pathlib

import hypothesis
import pytest

# A deadline would measure the machine. CUMULET_EXPLORE=1 tries new examples at each run.
hypothesis.settings.register_profile(
    "cumulet", deadline=None, derandomize=not os.environ.get("CUMULET_EXPLORE")
)
hypothesis.settings.load_profile("cumulet")

HERE = pathlib.Path(__file__).parent
#: Folders; what is not named comes last.
ORDER = ("unit", "contract", "functional", "faults", "system")
#: Tests that share a cloud or a host that takes long to set up, and so a machine, where machines work side by side.
TOGETHER = ("faults", "system")
FAILED = pathlib.Path("/var/log/cumulet/tests-failed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by folder; inside a folder files come before folders, else the order stays."""
    items.sort(key=_rank)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On a machine of its own (``alone.sh``): leaves word that its logs are to be kept."""
    if session.testsfailed and hasattr(session.config, "workerinput") and FAILED.parent.is_dir():
        FAILED.touch()


def _rank(item: pytest.Item) -> tuple[int, int]:
    folder, *below = item.path.relative_to(HERE).parts
    return ORDER.index(folder) if folder in ORDER else len(ORDER), len(below)


def _group(item: pytest.Item) -> str:
    """All tests of one cloud (whose file stands in the folder itself), else those of a file."""
    folder, *below = item.path.relative_to(HERE).parts
    apart = item.get_closest_marker("apart")
    return folder if folder in TOGETHER and len(below) == 1 and not apart else str(item.path)
