"""Hints that are lost, that come several times, and that come late, when the state is a newer one."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.faults import choice, engines, truth, verbs
from tests.faults.cases import ENGINE
from tests.faults.cloud import Cloud
from tests.faults.hints import Voice, voice
from tests.faults.verbs import Site

Record = Callable[[str, object], None]

_HINT = "engine.hint.before"
#: Where each verb's first agent is held while its hints pile up.
_HELD_AT = {
    "boot": "agent.network.apply.before",
    "attach": "agent.export.apply.before",
    "detach": "compute.detach_disk.before",
    "delete": "agent.server.remove.before",
}


@pytest.fixture(scope="module")
def engine_voice(cloud: Cloud) -> Iterator[Voice]:
    with voice(cloud) as made:
        yield made


@choice.sampled(1)
@pytest.mark.parametrize("verb", list(verbs.VERBS))
def test_every_hint_is_lost(cloud: Cloud, site: Site, verb: str, record_property: Record) -> None:
    """The engine commits and then never sends: heartbeats alone must bring the verb to its end."""
    record_property("group", "every hint of a verb lost")
    record_property("case", f"({verb})")
    with verbs.tidied(site):
        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{_HINT} fail *"))
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        assert cloud.fired()
    truth.holds(cloud)


@choice.full_set_only
@choice.needs(choice.PROCESSES_APART)
@pytest.mark.parametrize("verb", list(verbs.VERBS))
def test_hints_come_thrice(
    cloud: Cloud, site: Site, engine_voice: Voice, verb: str, record_property: Record
) -> None:
    """All hints of the host, three times, while an agent is at work on one of them."""
    record_property("group", "every hint of a verb thrice")
    record_property("case", f"({verb})")
    point = _HELD_AT[verb]

    def amid() -> None:
        cloud.until_held(point)
        engine_voice.say(engine_voice.known() * 3)
        cloud.go_on()

    with verbs.tidied(site):
        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{point} stop"), amid)
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
    truth.holds(cloud)


@choice.full_set_only
@choice.needs(choice.PROCESSES_APART)
def test_hint_of_attach_comes_after_detach(cloud: Cloud, site: Site, record_property: Record) -> None:
    """An engine is stopped as it is about to send; another attaches and detaches; then it sends."""
    record_property("group", "a hint late, when the state is a newer one")
    with verbs.tidied(site), contextlib.ExitStack() as stack:

        def amid() -> None:
            cloud.until_held(_HINT)
            stack.enter_context(engines.another(cloud))

        verbs.attach(site, lambda: cloud.plan(f"{_HINT} stop"), amid)
        record_property("recovery_s", round(verbs.detach(site, verbs.nothing), 1))
        cloud.until(lambda: not truth.unrest(cloud), "rest")
        before = engines.rows(cloud)
        cloud.go_on(ENGINE)
        stack.close()
        truth.holds(cloud)
        assert engines.rows(cloud) == before
    # the late hint is over when those of another verb have come
    verbs.attach(site, verbs.nothing)
    truth.holds(cloud)


@choice.full_set_only
def test_hints_of_what_is_gone(
    cloud: Cloud, site: Site, engine_voice: Voice, record_property: Record
) -> None:
    """Words about a server and its network that come after these were deleted make nothing anew."""
    record_property("group", "a hint late, when the state is a newer one")
    with verbs.tidied(site):
        verbs.boot(site, verbs.nothing)
        old = engine_voice.known()
    truth.holds(cloud)
    engine_voice.say(old)
    with verbs.tidied(site):
        record_property("recovery_s", round(verbs.boot(site, verbs.nothing), 1))
        truth.holds(cloud)
    truth.holds(cloud)
