"""The table of a volume's states."""

import pytest

from controller.volume.volumes import states
from controller.web.errors import BadRequest


@pytest.mark.parametrize(
    ("attachments", "is_multiattach", "status"),
    [
        ([], False, "available"),
        (["reserved"], False, "reserved"),
        (["attaching"], False, "attaching"),
        (["attached"], False, "in-use"),
        (["detaching"], False, "detaching"),
        (["attached", "reserved"], True, "in-use"),
        (["attached", "detaching"], True, "in-use"),
        (["detaching", "reserved"], True, "detaching"),
    ],
)
def test_status_follows_from_attachments(attachments: list[str], is_multiattach: bool, status: str) -> None:
    assert states.of_attachments(attachments, is_multiattach) == status


def test_refusal_names_what_would_do() -> None:
    with pytest.raises(BadRequest, match="must be available to reserve, but the status is error"):
        states.require("reserve", "error")
    states.require("reserve", "in-use", is_multiattach=True)
    with pytest.raises(BadRequest):
        states.require("reserve", "in-use")


def test_targets_are_states_that_can_be_left() -> None:
    left = {status for move in states.MOVES.values() for status in move.source + move.multiattach}
    ends = {"deleting", "reserved"}
    assert {move.target for move in states.MOVES.values()} - left <= ends
