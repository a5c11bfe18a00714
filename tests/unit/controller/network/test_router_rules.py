"""The rules of routers that need no database: where a router goes, what routes and ranges may be."""

import ipaddress

import pytest

from controller.network.port_forwardings import ranges
from controller.network.routers import routes
from controller.network.routers.host import Candidate, choose
from controller.web.errors import BadRequest

LINKS = [ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("2001:db8::/64")]


def _host(name: str, routers: int = 0, is_live: bool = True, is_able: bool = True) -> Candidate:
    return Candidate(host=name, is_live=is_live, is_able=is_able, routers=routers)


@pytest.mark.parametrize(
    ("candidates", "current", "leaving", "chosen"),
    [
        ([], "", "", ""),
        ([_host("a", 2), _host("b", 1)], "", "", "b"),
        ([_host("b"), _host("a")], "", "", "a"),
        ([_host("a", is_live=False), _host("b", 9)], "", "", "b"),
        ([_host("a", is_live=False)], "", "", ""),
        ([_host("a", 9), _host("b")], "a", "", "a"),
        ([_host("a", is_live=False), _host("b")], "a", "", "a"),
        ([_host("a", is_live=False), _host("b")], "a", "a", "b"),
        ([_host("a", is_live=False)], "a", "a", "a"),
        ([_host("a", is_able=False), _host("b", 9)], "", "", "b"),
        ([_host("a", is_able=False), _host("b", 9)], "a", "", "b"),
        ([_host("a", is_able=False), _host("b", is_able=False)], "b", "", "b"),
        ([_host("a", is_able=False)], "", "", "a"),
        ([_host("b")], "gone", "gone", "b"),
    ],
)
def test_the_host_of_a_router(candidates: list[Candidate], current: str, leaving: str, chosen: str) -> None:
    assert choose(candidates, current, leaving) == chosen


def _route(destination: str, nexthop: str) -> dict[str, str]:
    return {"destination": destination, "nexthop": nexthop}


def test_next_hops_are_on_a_link_and_not_the_router() -> None:
    routes.check_reached(
        [_route("192.0.2.0/24", "10.0.0.2"), _route("::/0", "2001:db8::2")], LINKS, {"10.0.0.1"}
    )
    for next_hop in ("10.0.1.2", "10.0.0.1"):
        with pytest.raises(BadRequest, match="nexthop"):
            routes.check_reached([_route("192.0.2.0/24", next_hop)], LINKS, {"10.0.0.1"})


def test_routes_are_added_and_removed_each_once() -> None:
    first, second = _route("192.0.2.0/24", "10.0.0.2"), _route("192.0.2.0/24", "10.0.0.3")
    assert routes.added([first], [first, second]) == [first, second]
    assert routes.removed([first, second], [first, _route("::/0", "2001:db8::2")]) == [second]
    six = _route("2001:DB8:1::/48", "2001:db8:0::2")
    assert routes.added([], [six]) == [_route("2001:db8:1::/48", "2001:db8::2")]


def test_ranges_of_ports() -> None:
    assert ranges.asked({"external_port": 5}, "external") == (5, 5)
    assert ranges.asked({"external_port_range": "5:9"}, "external") == (5, 9)
    assert ranges.asked({}, "external", before=(1, 2)) == (1, 2)
    assert (ranges.shown((5, 5)), ranges.shown((5, 9))) == ("5", "5:9")
    ranges.check_lengths((1, 2), (8, 9))
    ranges.check_apart((1, 4), [(5, 9)], "external")
    for wrong in (
        lambda: ranges.asked({}, "external"),
        lambda: ranges.asked({"external_port": 5, "external_port_range": "6:6"}, "external"),
        lambda: ranges.asked({"external_port_range": "9:5"}, "external"),
        lambda: ranges.check_lengths((1, 2), (1, 1)),
        lambda: ranges.check_lengths((1, 1), (1, 9)),
        lambda: ranges.check_apart((1, 5), [(5, 9)], "external"),
    ):
        with pytest.raises(BadRequest):
            wrong()
