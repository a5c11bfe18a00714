"""The daemons below us killed in the middle of each verb; supervisord starts them again.

A guest that writes to a volume all the time looks on: none of this may end it or keep it from writing.
"""

from collections.abc import Callable, Mapping, Sequence

import pytest

from tests.faults import choice, truth, verbs
from tests.faults.cases import program_of
from tests.faults.cloud import Cloud
from tests.faults.verbs import Site
from tests.faults.witness import Witness

#: By daemon and verb: where the verb is held while the daemon is killed.
_MIDDLES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "rabbitmq": {
        "boot": ("engine.hint.before", "agent.server.apply.after"),
        "attach": ("engine.hint.before", "agent.server.apply.after"),
        "detach": ("engine.hint.before", "agent.export.remove.after"),
        "delete": ("engine.hint.before", "agent.server.remove.after"),
    },
    "mariadb": {
        "boot": ("operation.server.boot.place.before", "agent.server.apply.after"),
        "attach": ("operation.server.attach_volume.plug.before", "agent.server.apply.after"),
        "detach": ("operation.server.detach_volume.unplug.before", "agent.export.remove.after"),
        "delete": ("operation.server.delete.release.before", "agent.server.remove.after"),
    },
    "libvirtd": {
        "boot": ("compute.start.before", "compute.resume.before"),
        "attach": ("compute.attach_disk.before",),
        "detach": ("compute.detach_disk.before", "compute.detach_disk.after"),
        "delete": ("agent.server.remove.before",),
    },
    "ovs-vswitchd": {
        "boot": ("compute.start.before", "ovs.install_flows.before"),
        "attach": ("compute.attach_disk.before",),
        "detach": ("compute.detach_disk.before",),
        "delete": ("agent.server.remove.before", "agent.port.remove.before"),
    },
    "ovsdb-server": {
        "boot": ("ovs.plug_service.before", "ovs.mark_wired.before"),
        "attach": ("compute.attach_disk.before",),
        "detach": ("compute.detach_disk.before",),
        "delete": ("agent.server.remove.before", "ovs.remove_service.before"),
    },
    "tgtd": {
        "boot": ("compute.start.before",),
        "attach": ("volume.export.before", "volume.export.after", "compute.attach_disk.before"),
        "detach": ("compute.detach_disk.before", "volume.unexport.before"),
        "delete": ("agent.server.remove.before",),
    },
}
#: Those that one profile alone has.
_NEEDS = {"rabbitmq": choice.RABBITMQ, "mariadb": choice.MARIADB}
_CASES = [
    pytest.param(daemon, verb, point, marks=choice.needs(_NEEDS[daemon]) if daemon in _NEEDS else ())
    for daemon, by_verb in _MIDDLES.items()
    for verb, points in by_verb.items()
    for point in points
]


@choice.sampled(1)
@pytest.mark.parametrize(("daemon", "verb", "point"), _CASES)
def test_daemon_killed(
    cloud: Cloud,
    site: Site,
    onlooker: Witness,
    daemon: str,
    verb: str,
    point: str,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("group", f"{daemon} killed in the middle of a verb")
    record_property("case", f"({verb}: {point})")
    process = onlooker.process()

    def amid() -> None:
        cloud.until_held(point)
        cloud.kill(daemon)
        cloud.go_on(program_of(point))

    with verbs.tidied(site):
        seconds = verbs.VERBS[verb](site, lambda: cloud.plan(f"{point} stop"), amid)
        record_property("recovery_s", round(seconds, 1))
        truth.holds(cloud)
        onlooker.goes_on()
        assert onlooker.process() == process, "the guest that looked on was ended"
    truth.holds(cloud)
