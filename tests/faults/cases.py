"""Every place of every verb where a process may die: a case each.

The names are those that the code passes (``runtime/faultpoint.py``); ``test_kill.py`` compares them with a
trace, so that a new step or action without a case is noticed.
"""

from collections.abc import Mapping, Sequence

from contract import topics

API, ENGINE = "controller-api", "controller-engine"
#: Whose points begin with a word; those of the agents' engine name the kind of document.
_PROGRAMS = {
    "api": API,
    "operation": ENGINE,
    "engine": ENGINE,
    "compute": topics.NOVA_COMPUTE,
    "ovs": topics.OVS_AGENT,
    "volume": topics.VOLUME_AGENT,
}
#: What each verb passes, each ``before`` and ``after``; the process is told by the first word.
POINTS: Mapping[str, Sequence[str]] = {
    "boot": (
        "api.poke",
        "engine.documents",
        "engine.hint",
        "operation.server.boot.volumes",
        "operation.server.boot.place",
        "operation.server.boot.export",
        "operation.server.boot.spawn",
        "agent.server.apply",
        "compute.define",
        "compute.remember",
        "compute.image.fetch",
        "compute.start",
        "compute.resume",
        "agent.network.apply",
        "agent.segment.apply",
        "agent.security_group.apply",
        "agent.instance_data.apply",
        "agent.port.apply",
        "ovs.make_namespace",
        "ovs.plug_service",
        "ovs.write_files",
        "ovs.start_dnsmasq",
        "ovs.open_metadata",
        "ovs.reload_dnsmasq",
        "ovs.quiet_tap",
        "ovs.forget_connections",
        "ovs.install_flows",
        "ovs.mark_wired",
    ),
    "attach": (
        "api.poke",
        "engine.documents",
        "engine.hint",
        "operation.server.attach_volume.export",
        "operation.server.attach_volume.plug",
        "agent.export.apply",
        "volume.export",
        "agent.server.apply",
        "compute.define",
        "compute.attach_disk",
    ),
    "detach": (
        "api.poke",
        "engine.documents",
        "engine.hint",
        "operation.server.detach_volume.unplug",
        "operation.server.detach_volume.unexport",
        "agent.server.apply",
        "compute.define",
        "compute.detach_disk",
        "compute.await_removal",
        "agent.export.remove",
        "volume.unexport",
    ),
    "delete": (
        "api.poke",
        "engine.documents",
        "engine.hint",
        "operation.server.delete.leave",
        "operation.server.delete.release",
        "agent.server.apply",
        "agent.server.remove",
        "agent.instance_data.remove",
        "agent.port.apply",
        "ovs.remove_flows",
        "agent.port.remove",
        "ovs.write_files",
        "ovs.reload_dnsmasq",
        "agent.security_group.apply",
        "agent.security_group.remove",
        "agent.network.remove",
        "ovs.close_metadata",
        "ovs.stop_dnsmasq",
        "ovs.remove_service",
        "agent.segment.remove",
    ),
}
#: Cases that a run may pass by: several words about one document are merged into one look.
MAY_BE_MISSED = frozenset(
    (verb, f"{point}.{side}")
    for verb, points in {
        "boot": ("ovs.reload_dnsmasq", "agent.server.apply", "agent.port.apply"),
        "attach": ("agent.server.apply",),
        "detach": ("compute.await_removal", "agent.server.apply"),
        "delete": (
            "agent.server.apply",
            "agent.port.apply",
            "agent.security_group.apply",
            "ovs.remove_flows",
            "ovs.write_files",
            "ovs.reload_dnsmasq",
        ),
    }.items()
    for point in points
    for side in ("before", "after")
)
#: What waits by raising passes no ``after``; of what is sent and forgotten there is nothing after.
_ONE_SIDED = {
    "compute.await_removal": ("before",),
    "api.poke": ("before",),
    "engine.documents": ("before",),
    "engine.hint": ("before",),
}


def exists_in_one_process(point: str) -> bool:
    """There the engine is told of a commit by a call of its own."""
    return not point.startswith("api.poke.")


def kills(of: Mapping[str, Sequence[str]] = POINTS) -> list[tuple[str, str]]:
    """All of them: a verb, and the point whose process is killed during it."""
    return [
        (verb, f"{point}.{side}")
        for verb, points in of.items()
        for point in points
        for side in _ONE_SIDED.get(point, ("before", "after"))
    ]


def program_of(point: str) -> str:
    """The process that passes a point."""
    first, second = point.split(".")[:2]
    return topics.AGENT_OF_KIND[second] if first == "agent" else _PROGRAMS[first]
