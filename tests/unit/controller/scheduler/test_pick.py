"""The scheduler says who may serve and, of everybody else, why not."""

import dataclasses

from controller.scheduler.host_view import Capacity, HostView, Request
from controller.scheduler.pick import pick

NEEDS = Request(resources={"VCPU": 2, "MEMORY_MB": 512})


def host(name: str, vcpus: int = 8, **more: object) -> HostView:
    capacities = {
        "VCPU": Capacity(total=vcpus, reserved=0, allocation_ratio=1.0, allocated=0),
        "MEMORY_MB": Capacity(total=4096, reserved=512, allocation_ratio=1.0, allocated=0),
    }
    view = HostView(host=name, provider_id=name, is_up=True, is_disabled=False, capacities=capacities)
    return dataclasses.replace(view, **more)  # type: ignore[arg-type]


def test_emptiest_host_comes_first() -> None:
    ranking = pick(NEEDS, [host("small", vcpus=4), host("large", vcpus=16)])
    assert [h.host for h in ranking.candidates] == ["large", "small"]
    assert not ranking.rejections


def test_every_rejected_host_is_named_with_filter_and_reason() -> None:
    hosts = [
        host("off", is_disabled=True),
        host("dead", is_up=False),
        host("cold", frozen="database went back"),
        host("full", vcpus=1),
        host("far", availability_zone="other"),
        host("tried"),
    ]
    wanted = dataclasses.replace(NEEDS, availability_zone="nova", rejected_hosts=frozenset({"tried"}))
    ranking = pick(wanted, hosts)
    assert not ranking.candidates
    filters = {r.host: r.filter for r in ranking.rejections}
    assert filters == {
        "off": "ComputeEnabled",
        "dead": "ComputeAlive",
        "cold": "ComputeAlive",
        "full": "Resources",
        "far": "AvailabilityZone",
        "tried": "Retry",
    }
    text = ranking.explain()
    assert "Resources: full: it has 1 VCPU left of the 2 needed" in text
    assert all(h.host in text for h in hosts)


def test_no_host_at_all_is_said_so() -> None:
    assert "start nova-compute" in pick(NEEDS, []).explain()


def test_reserved_capacity_is_not_given() -> None:
    ranking = pick(Request(resources={"MEMORY_MB": 3585}), [host("one")])
    assert ranking.rejections[0].reason == "it has 3584 MEMORY_MB left of the 3585 needed"


def test_equal_hosts_are_ordered_by_name() -> None:
    assert [h.host for h in pick(NEEDS, [host("b"), host("a")]).candidates] == ["a", "b"]
