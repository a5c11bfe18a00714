"""Processes stopped in the middle of each verb for longer than they are waited for, and then let go on.

An engine is stopped past its lease while another takes over: the late one must write nothing. An agent, or the one
process that is everything, is stopped until it counts as dead: the verb ends all the same once it is back.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence

import pytest

from contract.topics import NOVA_COMPUTE, OVS_AGENT, VOLUME_AGENT
from tests.faults import choice, engines, truth, verbs
from tests.faults.cases import ENGINE
from tests.faults.cloud import Cloud
from tests.faults.verbs import Site

Record = Callable[[str, object], None]

#: Where the engine is stopped.
_ENGINE: Mapping[str, Sequence[str]] = {
    "boot": ("operation.server.boot.place.before", "operation.server.boot.spawn.before"),
    "attach": ("operation.server.attach_volume.export.before", "operation.server.attach_volume.plug.before"),
    "detach": (
        "operation.server.detach_volume.unplug.before",
        "operation.server.detach_volume.unexport.before",
    ),
    "delete": ("operation.server.delete.leave.before", "operation.server.delete.release.before"),
}
#: Where an agent is stopped; one that has no part in a verb is stopped before that is asked for.
_AGENTS: Mapping[str, Mapping[str, str]] = {
    "boot": {NOVA_COMPUTE: "compute.start.before", OVS_AGENT: "ovs.install_flows.before", VOLUME_AGENT: ""},
    "attach": {
        NOVA_COMPUTE: "compute.attach_disk.before",
        OVS_AGENT: "",
        VOLUME_AGENT: "volume.export.before",
    },
    "detach": {
        NOVA_COMPUTE: "compute.detach_disk.before",
        OVS_AGENT: "",
        VOLUME_AGENT: "volume.unexport.before",
    },
    "delete": {
        NOVA_COMPUTE: "agent.server.remove.before",
        OVS_AGENT: "agent.port.remove.before",
        VOLUME_AGENT: "",
    },
}
_APART, _TOGETHER = choice.needs(choice.PROCESSES_APART), choice.needs(choice.ONE_PROCESS)
_ENGINE_CASES = [(verb, point) for verb, points in _ENGINE.items() for point in points]
#: Who is stopped before a verb cannot be asked for it, if it is everything.
_AGENT_CASES = [
    pytest.param(verb, agent, point, marks=() if point else _APART)
    for verb, points in _AGENTS.items()
    for agent, point in points.items()
]


@_APART
@choice.sampled(1)
@pytest.mark.parametrize(("verb", "point"), _ENGINE_CASES)
def test_engine_stopped_past_its_lease(
    cloud: Cloud, site: Site, verb: str, point: str, record_property: Record
) -> None:
    record_property("group", "the engine stopped past its lease, another takes over")
    record_property("case", f"({verb}: {point})")
    with contextlib.ExitStack() as stack, verbs.tidied(site):

        def amid() -> None:
            cloud.until_held(point)
            stack.enter_context(engines.another(cloud))

        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{point} stop"), amid)
        record_property("recovery_s", round(seconds, 1))
        cloud.until(lambda: not truth.unrest(cloud), "rest")
        before, log = engines.rows(cloud), cloud.log(ENGINE)
        cloud.go_on(ENGINE)
        cloud.until(lambda: log.has("goes on elsewhere"), "the late engine's look at its lease")
        assert engines.rows(cloud) == before
    truth.holds(cloud)


@choice.sampled(1)
@pytest.mark.parametrize(("verb", "agent", "point"), _AGENT_CASES)
def test_agent_stopped_until_it_counts_as_dead(
    cloud: Cloud, site: Site, verb: str, agent: str, point: str, record_property: Record
) -> None:
    record_property("group", "an agent stopped until it counts as dead")
    record_property("case", f"({verb}: {agent}{' at ' * bool(point)}{point})")

    def amid() -> None:
        if point:
            cloud.until_held(point)
        cloud.until(lambda: not cloud.is_heard(agent), f"the silence of {agent}")
        cloud.go_on(agent)

    with verbs.tidied(site):
        harm = (lambda: cloud.plan(f"{point} stop")) if point else (lambda: cloud.stop(agent))
        record_property("recovery_s", round(verbs.VERBS[verb](site, harm, amid), 1))
        truth.holds(cloud)
    truth.holds(cloud)


@_TOGETHER
@choice.full_set_only
@pytest.mark.parametrize(("verb", "point"), _ENGINE_CASES)
def test_everything_stopped_past_the_lease(
    cloud: Cloud, site: Site, verb: str, point: str, record_property: Record
) -> None:
    """When it goes on, another worker of it takes the operation up beside the one that was stopped in it."""
    record_property("group", "the one process stopped past its lease")
    record_property("case", f"({verb}: {point})")

    def amid() -> None:
        cloud.until_held(point)
        cloud.until(lambda: not cloud.is_heard(NOVA_COMPUTE), "its silence")
        cloud.go_on()

    with verbs.tidied(site):
        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{point} stop"), amid)
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
    truth.holds(cloud)


@_APART
@choice.full_set_only
def test_attach_is_given_up_while_the_host_is_stopped(
    cloud: Cloud, site: Site, record_property: Record
) -> None:
    """The volume is free again before the host goes on: what the host still meant to do must come to nothing."""
    record_property("group", "a host stopped until attach is given up")
    volume, server, point = site.disk(is_attached=False), site.guest(), "compute.attach_disk.before"
    cloud.plan(f"{point} stop")
    cloud.attach(server, volume)
    cloud.until_held(point)
    cloud.until(lambda: cloud.volume_state(volume) == "available", "the giving up", 400)
    cloud.go_on(NOVA_COMPUTE)
    truth.holds(cloud)
    assert not list(cloud.sdk.compute.volume_attachments(server))
