import logging

import pytest

from runtime import trouble

LOG = logging.getLogger(__name__)


def test_trouble_is_a_line_and_a_bug_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    trouble.tell(LOG, trouble.Trouble("the disk is full"), "%s failed", "upkeep")
    trouble.tell(LOG, KeyError("x"), "%s failed", "upkeep")
    line, bug = caplog.records
    assert line.getMessage() == "upkeep failed: the disk is full" and not line.exc_info
    assert bug.getMessage() == "upkeep failed" and bug.exc_info
