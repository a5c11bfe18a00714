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
ORDER = ("unit", "contract", "functional", "system", "faults")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by folder; inside a folder the order stays."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(HERE).parts[0]
    return ORDER.index(folder) if folder in ORDER else len(ORDER)
