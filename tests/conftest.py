"""What holds for all tests: their order, and that two runs of the same code try the same.

What is cheap and exact comes first, whichever way the tests are called.
"""

import os
import pathlib
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling, Scheduling

# A deadline would measure the machine. CUMULET_EXPLORE=1 tries new examples at each run.
hypothesis.settings.register_profile(
    "cumulet", deadline=None, derandomize=not os.environ.get("CUMULET_EXPLORE")
)
hypothesis.settings.load_profile("cumulet")

HERE = pathlib.Path(__file__).parent
#: Folders; what is not named comes last.
ORDER = ("unit", "contract", "functional", "faults", "system")
#: Those whose own files share a cloud.
TOGETHER = ("faults", "system")
FAILED = pathlib.Path("/var/log/cumulet/tests-failed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by folder; inside a folder files come before folders, else the order stays."""
    items.sort(key=_rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    """For ``--dist loadscope``: machines side by side, each with a part of the tests."""
    return _Machines(config, log) if config.getvalue("dist") == "loadscope" else None


class _Machines(LoadScopeScheduling):
    """Keeps tests together that share a cloud, which takes long to set up: those of the files that stand in a folder
    of ``TOGETHER`` itself. Others are together with those of their file."""

    def _split_scope(self, nodeid: str) -> str:
        path = pathlib.PurePath(nodeid.partition("::")[0])
        return str(path.parent if path.parent.name in TOGETHER else path)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On a machine of its own (``alone.sh``): leaves word that its logs are to be kept."""
    if session.testsfailed and hasattr(session.config, "workerinput") and FAILED.parent.is_dir():
        FAILED.touch()


def _rank(item: pytest.Item) -> tuple[int, int]:
    folder, *below = item.path.relative_to(HERE).parts
    return ORDER.index(folder) if folder in ORDER else len(ORDER), len(below)
