"""Desired and seen in, actions out."""

import msgspec

from contract.document import Key
from contract.port import Port
from ovs_agent import plan
from ovs_agent.namespaces.dhcp import Files
from ovs_agent.namespaces.metadata import Interior

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


def test_a_port_without_tap_has_no_flows() -> None:
    assert plan.port(PORT, "d", seen(None)) == ()
    assert names(plan.port(PORT, "d", seen(None, 7))) == ["RemoveFlows"]


def test_services_from_nothing_and_when_all_is_there() -> None:
    nothing = seen_service()
    made = ["MakeNamespace", "PlugService", "WriteFiles", "StartDnsmasq", "OpenMetadata"]
    assert names(plan.service("n", INSIDE, FILES, nothing)) == made
    assert names(plan.service("n", INSIDE, FILES, WHOLE)) == ["MakeNamespace"]


def test_new_hosts_are_reread_a_new_configuration_restarts() -> None:
    hosts = Files("config", "other", "options", "names")
    config = Files("other", "hosts", "options", "names")
    assert names(plan.dnsmasq(OWNER, INSIDE.namespace, hosts, WHOLE)) == ["WriteFiles", "ReloadDnsmasq"]
    assert names(plan.dnsmasq(OWNER, INSIDE.namespace, config, WHOLE)) == ["WriteFiles", "StartDnsmasq"]


def test_a_network_without_served_subnets_has_no_dnsmasq() -> None:
    assert names(plan.dnsmasq(OWNER, INSIDE.namespace, None, WHOLE)) == ["StopDnsmasq"]


def test_a_lost_namespace_is_furnished_again() -> None:
    lost = msgspec.structs.replace(WHOLE, is_namespace=False)
    made = ["MakeNamespace", "PlugService", "StartDnsmasq", "OpenMetadata"]
    assert names(plan.service("n", INSIDE, FILES, lost)) == made
