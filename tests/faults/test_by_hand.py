"""What somebody takes away from a network or router by hand: the doctor names it, and the agent brings it back."""

from collections.abc import Callable, Mapping

import pytest

from ovs_agent.namespaces import names
from tests.faults import choice, truth
from tests.faults.cloud import Cloud, doctor, output_of, run
from tests.faults.network_verbs import Outlet
from tests.faults.stand_in import answers
from tests.faults.test_network_kill import end_dnsmasq


def _flush(outlet: Outlet) -> None:
    output_of("ip", "netns", "exec", names.router_namespace(outlet.router.id), "nft", "flush", "ruleset")


def _delete_address(outlet: Outlet) -> None:
    output_of("ip", "-n", names.router_namespace(outlet.router.id), "address", "flush", "to", "172.24.4.0/24")


def _delete_router(outlet: Outlet) -> None:
    output_of("ip", "netns", "delete", names.router_namespace(outlet.router.id))


def _delete_link(outlet: Outlet) -> None:
    ports = outlet.cloud.sdk.network.ports(device_id=outlet.router.id)
    for port in ports:
        output_of("ip", "link", "delete", names.router_outer(port.id))


def _delete_services(outlet: Outlet) -> None:
    output_of("ip", "netns", "delete", names.namespace(outlet.network.id))


#: What is done, and what the doctor says is to be done then.
_HARMS: Mapping[str, tuple[Callable[[Outlet], None], str]] = {
    "nftables flushed": (_flush, "ApplyNat"),
    "addresses deleted": (_delete_address, "FurnishRouter"),
    "a router's namespace deleted": (_delete_router, "MakeRouter"),
    "a router's links deleted": (_delete_link, "MakeLink"),
    "a network's namespace deleted": (_delete_services, "MakeNamespace"),
    "dnsmasq killed": (lambda _outlet: end_dnsmasq(), "StartDnsmasq"),
}


@choice.sampled(1)
@pytest.mark.parametrize("harm", list(_HARMS))
def test_by_hand(
    cloud: Cloud, outlet: Outlet, harm: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("group", "by hand, on the host")
    record_property("case", f"({harm})")
    act, named = _HARMS[harm]
    cloud.plan("agent.router.apply.before fail *", "agent.network.apply.before fail *")
    act(outlet)
    cloud.until(lambda: named in doctor("--dry-run")[1], f"the doctor's word on {named}")
    cloud.unplan()
    address = outlet.floating.floating_ip_address
    recovery_s = cloud.until(lambda: answers(address) and has_services(outlet), "what was taken away")
    record_property("recovery_s", round(recovery_s, 1))
    truth.holds(cloud)


def has_services(outlet: Outlet) -> bool:
    """Whether dnsmasq is in the namespace of the network."""
    told = run("ip", "netns", "pids", names.namespace(outlet.network.id))
    return bool(told.stdout.split())
