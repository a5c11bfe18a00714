"""Implied roles, followed to their end."""

from hypothesis import given
from hypothesis import strategies as st

from controller.identity.roles.closure import closure

ROLES = list("abcdef")


def test_chain() -> None:
    pairs = closure("abc", [("a", "b"), ("b", "c")])
    assert pairs == [("a", "a"), ("a", "b"), ("a", "c"), ("b", "b"), ("b", "c"), ("c", "c")]


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(ROLES)), max_size=20))
def test_closed_under_following(implications: list[tuple[str, str]]) -> None:
    pairs = set(closure(ROLES, implications))
    assert all((role, role) in pairs for role in ROLES)
    assert set(implications) <= pairs
    assert all((a, d) in pairs for a, b in pairs for c, d in pairs if b == c)
