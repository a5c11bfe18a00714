"""The planner: state in, actions out."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.server import Flavor, Imperative, Interface, Server
from nova_compute import plan


def context(**more: Any) -> plan.Context:
    made = plan.Context(
        now=1000.0,
        note=plan.Note(),
        finished=frozenset(),
        config_digest="d",
        shutdown_timeout_s=10.0,
        reboot_timeout_s=60.0,
    )
    return msgspec.structs.replace(made, **more)


def seen(state: Any, **more: Any) -> plan.Observed:
    made = plan.Observed(
        state=state, config_digest="d", domain_id=7 if state in ("running", "paused") else -1
    )
    return msgspec.structs.replace(made, **more)


def names(actions: plan.Plan) -> list[str]:
    return [type(action).__name__ for action in actions]


def ran(generation: int = 1, **more: Any) -> plan.Note:
    return plan.Note(ran_generation=generation, resumed_domain_id=7, **more)


def test_a_new_server_is_defined_started_and_resumed_when_wired(make: Any) -> None:
    actions = plan.plan(make.server(), plan.Observed(state="absent"), context())
    assert names(actions) == ["Define", "Remember", "Start", "Resume"]
    assert actions[-1] == plan.Resume((make.port_id,))


def test_a_running_server_as_wanted_needs_nothing(make: Any) -> None:
    observed = seen("running", interfaces=(make.port_id,))
    assert plan.plan(make.server(), observed, context(note=ran())) == ()


def test_a_changed_definition_is_given_to_libvirt_without_touching_the_guest(make: Any) -> None:
    observed = seen("running", interfaces=(make.port_id,), config_digest="old")
    assert names(plan.plan(make.server(), observed, context(note=ran()))) == ["Define"]


def test_a_guest_s_own_shutdown_is_respected_until_the_wish_changes(make: Any) -> None:
    off = seen("off", reason="guest")
    (remember,) = plan.plan(make.server(), off, context(note=ran()))
    assert isinstance(remember, plan.Remember)
    assert plan.is_guest_shutdown(make.server(), off, remember.note)
    assert plan.plan(make.server(), off, context(note=remember.note)) == ()
    unknown = seen("off", reason="unknown")
    assert plan.plan(make.server(), unknown, context(note=remember.note)) == ()
    again = plan.plan(make.server(power_generation=2), off, context(note=remember.note))
    assert names(again) == ["Remember", "Start", "Resume"]


def test_a_crashed_or_host_rebooted_guest_is_started_again(make: Any) -> None:
    for reason in ("crash", "unknown", "destroyed"):
        actions = plan.plan(make.server(), seen("off", reason=reason), context(note=ran()))
        assert names(actions) == ["Start", "Resume"]


def test_power_off_presses_the_button_then_cuts(make: Any) -> None:
    off = make.server(power="off", power_generation=2)
    first = plan.plan(off, seen("running"), context(note=ran()))
    assert names(first) == ["RequestShutdown", "Remember", "AwaitShutdown"]
    assert isinstance(first[1], plan.Remember)
    pressed = first[1].note
    assert plan.plan(off, seen("running"), context(now=1004.0, note=pressed)) == (plan.AwaitShutdown(6.0),)
    assert names(plan.plan(off, seen("running"), context(now=1010.0, note=pressed))) == ["Destroy"]
    (clear,) = plan.plan(off, seen("off", reason="guest"), context(note=pressed))
    assert isinstance(clear, plan.Remember) and clear.note.stop is None


def test_a_stop_by_our_hand_is_not_the_guest_s_even_when_power_is_wanted_again(make: Any) -> None:
    stop = plan.Stop(domain_id=7, deadline=1010.0)
    on = make.server(power_generation=3)
    note = ran(stop=stop)
    running = seen("running", interfaces=(make.port_id,))
    assert plan.plan(on, running, context(note=note)) == ()
    assert names(plan.plan(on, seen("off", reason="guest"), context(note=note)))[-2:] == ["Start", "Resume"]


def test_a_paused_start_whose_devices_changed_begins_anew(make: Any) -> None:
    note = plan.Note(ran_generation=1, resumed_domain_id=6)
    observed = seen("paused", interfaces=("gone",))
    assert names(plan.plan(make.server(), observed, context(note=note))) == ["Destroy"]


def test_devices_are_asked_to_go_before_others_come_and_are_waited_for_last(make: Any) -> None:
    server = make.server(disks=(make.volume(),))
    observed = seen("running", interfaces=(make.port_id, "old-nic"), disks=("old-disk",))
    assert names(plan.plan(server, observed, context(note=ran()))) == [
        "DetachInterface",
        "DetachDisk",
        "AttachDisk",
        "AwaitRemoval",
    ]


def test_sessions_of_volumes_that_are_gone_are_ended(make: Any) -> None:
    session = plan.Session(attachment_id="gone", portal="p", iqn="i", lun=1)
    observed = seen("running", interfaces=(make.port_id,))
    assert plan.plan(make.server(), observed, context(note=ran(sessions=(session,)))) == (
        plan.Disconnect(session),
    )
    still_there = msgspec.structs.replace(observed, disks=("gone",))
    assert "Disconnect" not in names(
        plan.plan(make.server(), still_there, context(note=ran(sessions=(session,))))
    )


class Rehearsal:
    """Carries plans out on a pretended domain, on which a guest may be deaf to its power button."""

    def __init__(self, make: Any, kind: Any, is_deaf: bool) -> None:
        self.make, self.is_deaf = make, is_deaf
        self.server = make.server(imperatives=(Imperative(operation_id="op", kind=kind),))
        self.domain, self.note = seen("running", interfaces=(make.port_id,)), ran()
        self.finished, self.now, self.starts = frozenset[str](), 1000.0, 0
        self.done: list[str] = []

    def run(self, dies_after: int) -> None:
        """Until nothing is left to do; the agent dies once, after so many actions, and plans again."""
        for _ in range(20):
            actions = self.next_actions()
            if not actions:
                return
            for action in actions:
                self.perform(action)
                self.done.append(type(action).__name__)
                if len(self.done) == dies_after or isinstance(action, plan.AwaitShutdown):
                    break
        raise AssertionError(self.done)

    def next_actions(self) -> plan.Plan:
        return plan.plan(
            self.server, self.domain, context(note=self.note, finished=self.finished, now=self.now)
        )

    def perform(self, action: plan.Action) -> None:
        match action:
            case plan.Remember():
                self.note = action.note
            case plan.RequestShutdown() if not self.is_deaf:
                self.domain = seen("off", reason="guest")
            case plan.Destroy():
                self.domain = seen("off", reason="destroyed")
            case plan.Start():
                self.starts += 1
                self.domain = seen("paused", domain_id=7 + self.starts, interfaces=(self.make.port_id,))
            case plan.FinishOperation():
                self.finished = self.finished | {action.operation_id}
            case plan.AwaitShutdown() if self.domain.state == "running":
                self.now += action.seconds
            case plan.Resume():
                self.domain = msgspec.structs.replace(self.domain, state="running")
                self.note = msgspec.structs.replace(self.note, resumed_domain_id=self.domain.domain_id)


@given(kind=st.sampled_from(["reboot_soft", "reboot_hard"]), is_deaf=st.booleans(), crash=st.integers(0, 9))
def test_a_reboot_happens_exactly_once_wherever_the_agent_dies(kind: str, is_deaf: bool, crash: int) -> None:
    rehearsal = Rehearsal(_Maker, kind, is_deaf)
    rehearsal.run(dies_after=crash)
    assert rehearsal.starts == 1
    assert rehearsal.done.count("FinishOperation") == 1
    assert ("Destroy" in rehearsal.done) == (kind == "reboot_hard" or is_deaf)


class _Maker:
    """hypothesis does not take fixtures of a function's scope."""

    port_id = "p"

    @staticmethod
    def server(**more: Any) -> Server:
        return Server(
            id="s",
            name="s",
            hostname="s",
            project_id="p",
            flavor=Flavor(vcpus=1, ram_mib=1, disk_gib=1),
            power="on",
            power_generation=1,
            interfaces=(Interface(port_id="p", mac_address="m", mtu=1500),),
            **more,
        )


def test_a_finished_reboot_is_never_repeated(make: Any) -> None:
    server = make.server(imperatives=(Imperative(operation_id="op", kind="reboot_hard"),))
    observed = seen("running", interfaces=(make.port_id,))
    assert plan.plan(server, observed, context(note=ran(), finished=frozenset({"op"}))) == ()


def test_a_reboot_of_a_server_that_is_to_be_off_only_ends(make: Any) -> None:
    server = make.server(power="off", imperatives=(Imperative(operation_id="op", kind="reboot_hard"),))
    assert plan.plan(server, seen("off"), context()) == (plan.FinishOperation("op"),)
