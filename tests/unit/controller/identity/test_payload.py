"""What a token says, to bytes and back."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.identity.tokens import payload
from controller.web.errors import Unauthorized


@given(st.one_of(st.text(max_size=64), st.text(alphabet="0123456789abcdefA", min_size=32, max_size=32)))
def test_ids_survive(some_id: str) -> None:
    assert payload.unpacked(payload.packed(some_id)) == some_id


def test_round_trip() -> None:
    moment = datetime.datetime(2026, 1, 31, 12, 0, 0, 123456)
    made = payload.Payload(
        user=payload.packed("0f" * 16),
        scope=payload.DOMAIN,
        scope_id=payload.packed("default"),
        methods=payload.method_bits(("token", "password")),
        issued_us=payload.microseconds(moment),
        expires_us=payload.microseconds(moment),
        audit_ids=(payload.new_audit_id(),),
        generation=7,
    )
    back = payload.decode(payload.encode(made))
    assert back == made
    assert (back.user_id, back.target_id, back.expires_at) == ("0f" * 16, "default", moment)
    assert back.method_names == ("password", "token")
    assert len(back.audit_texts[0]) == 22


@given(st.binary(max_size=80))
def test_foreign_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(Unauthorized):
        payload.decode(raw)
