"""The table of states: every verb is refused outside of its states, with a sentence that names them."""

import pytest

from controller.compute.servers import states
from controller.web.errors import Conflict

STATES = sorted(states.SHOWN)


@pytest.mark.parametrize("verb", sorted(states.ALLOWED))
@pytest.mark.parametrize("state", STATES)
def test_a_verb_begins_only_in_its_states(verb: str, state: str) -> None:
    if state in states.ALLOWED[verb]:
        states.require("id", verb, state, None)
    else:
        with pytest.raises(Conflict, match="must be in"):
            states.require("id", verb, state, None)


@pytest.mark.parametrize("verb", sorted(states.ALLOWED))
def test_a_task_under_way_refuses_all_but_interrupting_verbs(verb: str) -> None:
    state = sorted(states.ALLOWED[verb])[0]
    if verb in states.INTERRUPTING:
        states.require("id", verb, state, "powering-off")
    else:
        with pytest.raises(Conflict, match="task_state powering-off"):
            states.require("id", verb, state, "powering-off")


def test_every_state_may_be_left_by_delete() -> None:
    assert states.ALLOWED["delete"] == set(states.SHOWN) - {"deleted"}


def test_status_filter_is_the_inverse_of_status() -> None:
    for state in STATES:
        assert state in states.status_filter(states.shown(state, None).status)
    assert states.status_filter("NONSENSE") == ()


def test_reboot_shows_while_it_runs() -> None:
    assert states.shown("active", "rebooting").status == "REBOOT"
    assert states.shown("active", "rebooting_hard").status == "HARD_REBOOT"
