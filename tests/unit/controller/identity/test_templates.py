"""Substitution in endpoint URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.identity.catalog import templates
from controller.web.errors import BadRequest

KNOWN = {"project_id": "p", "tenant_id": "p", "user_id": "u"}


def test_known_names_are_filled() -> None:
    assert templates.filled("http://x/%(project_id)s/$(user_id)s/%20", KNOWN) == "http://x/p/u/%20"
    assert templates.filled("http://x/", {}) == "http://x/"


def test_what_cannot_be_filled_is_left_out() -> None:
    assert templates.filled("http://x/%(project_id)s", {"project_id": None}) is None
    assert templates.filled("http://x/%(other)s", {"other": "secret"}) is None


@given(st.text(alphabet="%$(){}_.[]adeipstujcorn0", max_size=40))
def test_what_passes_the_check_is_filled_completely(url: str) -> None:
    try:
        templates.check(url)
    except BadRequest:
        return
    filled = templates.filled(url, KNOWN)
    assert filled is not None and "%(" not in filled and "$" not in filled


def test_foreign_names_are_refused() -> None:
    with pytest.raises(BadRequest):
        templates.check("http://x/%(os)s")
