"""Desired and seen in, actions out."""

import msgspec

from contract.document import Key
from contract.port import Port
from ovs_agent import plan
from ovs_agent.namespaces import router as routers
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior
from ovs_agent.namespaces.nat import Nat

PORT = Port(
    id="p", network_id="n", project_id="t", mac_address="fa:16:3e:00:00:01", device_id="", device_owner=""
)
INSIDE = Interior("qdhcp-n", "svc1", "ns-1", "fa:16:3e:00:00:02", 1450, ("10.0.0.2/24",))
FILES = Files("config", "hosts", "options", "names")
OWNER = Key("network", "n")
WHOLE = plan.ServiceSeen(is_namespace=True, is_plugged=True, files=FILES, is_dnsmasq=True, is_metadata=True)


def seen_service() -> plan.ServiceSeen:
    """A host without the network."""
    return plan.ServiceSeen(
        is_namespace=False, is_plugged=False, files=None, is_dnsmasq=False, is_metadata=False
    )


def seen(tap: plan.Tap | None, flows_at: int | None = None, highest_zone: int = 0) -> plan.PortSeen:
    """A port as seen in epoch 15."""
    return plan.PortSeen(tap, flows_at, 15, highest_zone)


def names(actions: list[plan.Action] | tuple[plan.Action, ...]) -> list[str]:
    """The actions' names in order."""
    return [type(action).__name__ for action in actions]


def test_a_new_tap_is_wired_and_marked_last() -> None:
    actions = plan.port(PORT, "d", seen(plan.Tap("tap1", 7, "")))
    assert names(actions) == ["QuietTap", "ForgetConnections", "InstallFlows", "MarkWired"]
    assert actions[-1] == plan.MarkWired("p", "7 d f")


def test_a_zone_is_emptied_only_if_it_may_have_been_used() -> None:
    fresh = plan.port(PORT, "d", seen(plan.Tap("tap1", 7, ""), highest_zone=6))[1]
    used = plan.port(PORT, "d", seen(plan.Tap("tap1", 7, ""), highest_zone=7))[1]
    assert (fresh, used) == (plan.ForgetConnections(7, False), plan.ForgetConnections(7, True))


def test_what_is_wired_stays_as_it_is() -> None:
    assert names(plan.port(PORT, "d", seen(plan.Tap("tap1", 7, "7 d f"), 7))) == ["InstallFlows"]


def test_a_changed_document_or_epoch_is_marked_anew_without_cutting_connections() -> None:
    for mark in ("7 old f", "7 d e"):
        assert names(plan.port(PORT, "d", seen(plan.Tap("tap1", 7, mark), 7))) == [
            "InstallFlows",
            "MarkWired",
        ]


def test_a_subport_is_wired_by_its_parents_tap_whose_mark_is_not_its_own() -> None:
    tap = plan.Tap("tap1", 7, "7 d f")
    install = plan.InstallFlows("p", 65534, 7)
    assert plan.subport(PORT, 65534, seen(tap)) == (plan.EmptyZone(65534), install)
    assert plan.subport(PORT, 65534, seen(tap, 65534)) == (install,)
    assert names(plan.subport(PORT, 65534, seen(None, 65534))) == ["RemoveFlows"]
    assert plan.subport(PORT, 65534, seen(None)) == ()


def test_a_port_without_tap_has_no_flows() -> None:
    assert plan.port(PORT, "d", seen(None)) == ()
    assert names(plan.port(PORT, "d", seen(None, 7))) == ["RemoveFlows"]


def test_services_from_nothing_and_when_all_is_there() -> None:
    nothing = seen_service()
    made = ["MakeNamespace", "PlugService", "WriteFiles", "StartDnsmasq", "OpenMetadata"]
    assert names(plan.service("n", INSIDE, FILES, nothing)) == made
    assert names(plan.service("n", INSIDE, FILES, WHOLE)) == ["MakeNamespace"]


def test_more_hosts_are_reread() -> None:
    hosts = Files("config", "hosts\nmore", "options", "names")
    assert names(plan.dnsmasq(OWNER, INSIDE.namespace, hosts, WHOLE)) == ["WriteFiles", "ReloadDnsmasq"]


def test_a_new_configuration_restarts_and_so_does_a_host_that_went() -> None:
    """dnsmasq holds the address of one that went, and would not give it to another one."""
    for files in (
        Files("other", "hosts", "options", "names"),
        Files("config", "other", "options", "names"),
        Files("config", "", "options", "names"),
    ):
        actions = names(plan.dnsmasq(OWNER, INSIDE.namespace, files, WHOLE))
        assert actions == ["StopDnsmasq", "WriteFiles", "StartDnsmasq"]


def test_a_network_without_served_subnets_has_no_dnsmasq() -> None:
    assert names(plan.dnsmasq(OWNER, INSIDE.namespace, None, WHOLE)) == ["StopDnsmasq"]


def test_a_lost_namespace_is_furnished_again() -> None:
    lost = msgspec.structs.replace(WHOLE, is_namespace=False)
    made = ["MakeNamespace", "PlugService", "StopDnsmasq", "WriteFiles", "StartDnsmasq", "OpenMetadata"]
    assert names(plan.service("n", INSIDE, FILES, lost)) == made


LINK = routers.Link("qr-1", "rtr1", "p")
INNER = routers.Inside(
    {"qr-1": routers.LinkState("fa:16:3e:00:00:03", 1450, frozenset({"10.0.0.1/24", "fe80::1/64"}))}, {}
)
ROUTER = routers.Interior("qrouter-r", (LINK,), INNER)
ROUTES = plan.RouterSeen(
    is_namespace=True,
    files=None,
    is_dnsmasq=False,
    inside=INNER,
    outer={"rtr1": 1450},
    plugged=frozenset({"rtr1"}),
    nat="d",
    wired=frozenset({"qr-1"}),
    announced=frozenset(("qr-1", "fa:16:3e:00:00:03", address) for address in ("10.0.0.1", "fe80::1")),
)


def router_names(**fields: object) -> list[str]:
    """The actions for a router that was seen whole but for these fields."""
    found = msgspec.structs.replace(ROUTES, **fields)
    return names(plan.router("r", ROUTER, (Nat(), "d"), None, found))


def test_a_router_that_is_as_it_should_be_is_left_alone() -> None:
    assert router_names() == []


def test_a_router_from_nothing_translates_before_it_has_addresses() -> None:
    nothing = {"is_namespace": False, "inside": None, "outer": {}, "plugged": frozenset(), "nat": ""}
    made = ["MakeRouter", "MakeLink", "PlugLink", "ApplyNat", "FurnishRouter"]
    assert router_names(**nothing, wired=frozenset(), announced=frozenset()) == made


def test_what_differs_of_a_router_is_mended_alone() -> None:
    assert router_names(nat="") == ["ApplyNat"]
    assert router_names(inside=routers.Inside(INNER.links, {}, is_forwarding=False)) == ["FurnishRouter"]
    assert router_names(plugged=frozenset()) == ["PlugLink"]
    assert router_names(outer={}) == ["PlugLink"], "it was taken down"
    assert router_names(outer={"rtr1": 1450, "rtr2": 1450}) == ["RemoveLink"]
    assert router_names(announced=frozenset()) == ["Announce"]
    assert router_names(files=FILES) == ["StopDnsmasq"]


def test_addresses_are_announced_once_the_port_has_its_flows() -> None:
    assert router_names(announced=frozenset(), wired=frozenset()) == []
