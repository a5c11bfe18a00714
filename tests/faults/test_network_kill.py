"""Processes killed with SIGKILL amid each verb of the network: ours at each step and action, and daemons."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from lab.up import places
from tests.faults import cases, choice, network_verbs, truth, verbs
from tests.faults.cases import program_of
from tests.faults.cloud import Cloud, output_of
from tests.faults.network_cases import MAY_BE_MISSED, POINTS
from tests.faults.network_verbs import Outlet

Record = Callable[[str, object], None]


def _marks(point: str) -> Iterator[pytest.MarkDecorator]:
    if not cases.exists_in_one_process(point):
        yield choice.needs(choice.PROCESSES_APART)
    if _may_be_missed(point):
        yield choice.full_set_only


def _may_be_missed(point: str) -> bool:
    return point.rpartition(".")[0] in MAY_BE_MISSED


_CASES = [pytest.param(verb, point, marks=list(_marks(point))) for verb, point in cases.kills(POINTS)]
#: By daemon and verb: where the verb is held while the daemon is killed.
_MIDDLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "ovs-vswitchd": {
        "router create": ("ovs.plug_link.before", "ovs.mark_wired.before"),
        "router delete": ("ovs.remove_link.before",),
        "interface add": ("ovs.plug_service.before", "ovs.install_flows.before"),
        "interface remove": ("agent.port.remove.before",),
        "gateway set": ("ovs.make_link.before",),
        "gateway clear": ("ovs.apply_nat.before",),
        "floating IP associate": ("ovs.apply_nat.before",),
        "floating IP move": ("ovs.apply_nat.before",),
        "rule change": ("agent.security_group.apply.before",),
        "port update": ("ovs.install_flows.before",),
    },
    "dnsmasq": {
        "interface add": ("ovs.start_dnsmasq.after", "ovs.open_metadata.before"),
        "interface remove": ("ovs.close_metadata.before",),
        "floating IP move": ("agent.router.apply.before",),
        "port update": ("agent.port.apply.before",),
    },
}
_DAEMON_CASES = [
    pytest.param(daemon, verb, point)
    for daemon, by_verb in _MIDDLES.items()
    for verb, points in by_verb.items()
    for point in points
]


@choice.sampled(2, each="verb")
@pytest.mark.parametrize(("verb", "point"), _CASES)
def test_killed(cloud: Cloud, outlet: Outlet, verb: str, point: str, record_property: Record) -> None:
    record_property("group", f"{verb}: a process killed at each step and action")
    record_property("case", f"({point})")
    with verbs.tidied(outlet):
        seconds = network_verbs.VERBS[verb](outlet, lambda: cloud.plan(f"{point} kill"))
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        fired = cloud.fired()
    truth.holds(cloud)
    if not fired and _may_be_missed(point):
        pytest.skip(f"{point} was passed by this time")
    assert fired, f"{point} was not passed"


@choice.sampled(1)
@pytest.mark.parametrize(("daemon", "verb", "point"), _DAEMON_CASES)
def test_daemon_killed(
    cloud: Cloud, outlet: Outlet, daemon: str, verb: str, point: str, record_property: Record
) -> None:
    record_property("group", f"{daemon} killed in the middle of a verb of the network")
    record_property("case", f"({verb}: {point})")

    def amid() -> None:
        cloud.until_held(point)
        if daemon == "dnsmasq":
            end_dnsmasq()
        else:
            cloud.kill(daemon)
        cloud.go_on(program_of(point))

    with verbs.tidied(outlet):
        seconds = network_verbs.VERBS[verb](outlet, lambda: cloud.plan(f"{point} stop"), amid)
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
    truth.holds(cloud)


@choice.full_set_only
@pytest.mark.parametrize("verb", list(network_verbs.VERBS))
def test_every_point_has_its_case(cloud: Cloud, outlet: Outlet, verb: str) -> None:
    network_verbs.VERBS[verb](outlet, lambda: cloud.plan("* trace"))
    truth.holds(cloud)
    passed = cloud.passed()
    verbs.tidy(outlet)
    known = {point for of, point in cases.kills(POINTS) if of == verb}
    # another look at what is there already may come to any verb
    anywhere = (
        *("agent.network.apply", "agent.segment", "agent.router.apply", "agent.port.apply"),
        *("ovs.reload_dnsmasq", "ovs.write_files", "ovs.make_namespace", "ovs.install_flows", "ovs.announce"),
    )
    assert {p for p in passed if not p.startswith(anywhere)} <= known


def end_dnsmasq() -> None:
    """Every dnsmasq of the cloud."""
    for path in (places.STATE / "dhcp").glob("*/pid"):
        output_of("kill", "-9", path.read_text().strip())
