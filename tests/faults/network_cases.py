"""Every place of the network's verbs where a process may die, as ``cases`` has those of servers."""

from collections.abc import Mapping, Sequence

_ENGINE = ("api.poke", "engine.documents", "engine.hint")
#: A link of a router, from nothing to wired.
_LINK = (
    "agent.router.apply",
    "ovs.make_link",
    "ovs.plug_link",
    "ovs.furnish_router",
    "agent.port.apply",
    "ovs.quiet_tap",
    "ovs.forget_connections",
    "ovs.install_flows",
    "ovs.mark_wired",
    "ovs.announce",
)
POINTS: Mapping[str, Sequence[str]] = {
    "router create": (*_ENGINE, *_LINK, "ovs.make_router", "ovs.apply_nat"),
    "router delete": (
        *_ENGINE,
        "agent.router.remove",
        "ovs.stop_dnsmasq",
        "ovs.remove_link",
        "ovs.remove_router",
        "agent.port.remove",
    ),
    "interface add": (
        *_ENGINE,
        *_LINK,
        "agent.network.apply",
        "agent.segment.apply",
        "ovs.make_namespace",
        "ovs.plug_service",
        "ovs.write_files",
        "ovs.start_dnsmasq",
        "ovs.open_metadata",
    ),
    "interface remove": (
        *_ENGINE,
        "agent.router.apply",
        "ovs.remove_link",
        "ovs.furnish_router",
        "agent.port.remove",
        "agent.network.remove",
        "ovs.close_metadata",
        "ovs.stop_dnsmasq",
        "ovs.remove_service",
        "agent.segment.remove",
    ),
    "gateway set": (*_ENGINE, *_LINK, "ovs.apply_nat"),
    "gateway clear": (
        *_ENGINE,
        "agent.router.apply",
        "ovs.remove_link",
        "ovs.apply_nat",
        "ovs.furnish_router",
        "agent.port.remove",
    ),
    "floating IP associate": (
        *_ENGINE,
        "agent.router.apply",
        "ovs.apply_nat",
        "ovs.furnish_router",
        "ovs.announce",
    ),
    "floating IP move": (*_ENGINE, "agent.router.apply", "ovs.apply_nat"),
    "rule change": (*_ENGINE, "agent.security_group.apply"),
    "port update": (
        *_ENGINE,
        "agent.port.apply",
        "agent.security_group.apply",
        "agent.security_group.remove",
        "ovs.install_flows",
        "ovs.mark_wired",
    ),
}
#: What a run may pass by: what one look finds done by another.
MAY_BE_MISSED = frozenset({"ovs.remove_link", "ovs.stop_dnsmasq", "agent.port.apply", "ovs.announce"})
