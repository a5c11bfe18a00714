"""The switch's bookkeeping: differences only, one bundle a burst, a refused flow harms only its owner."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract.document import Key
from contract.port import FixedIp, Port
from contract.qos import Limit
from ovs_agent import switch as module
from ovs_agent.flows.flow import Meter, cookie
from ovs_agent.flows.network import Seat
from ovs_agent.flows.pipeline import View
from ovs_agent.flows.tunnel import Plumbing
from ovs_agent.host import ofctl
from ovs_agent.switch import NotReady, Switch


class FakeOfctl:
    """A switch in memory; refuses any bundle with a forbidden word."""

    SwitchError = ofctl.SwitchError

    def __init__(self) -> None:
        self.flows: dict[str, dict[str, str]] = {"br-int": {}, "br-tun": {}}
        self.bundles: list[list[str]] = []
        self.held: dict[int, Meter] = {}
        self.told: list[int] = []
        self.forbidden = ""
        self.meters_refused: set[int] = set()

    def dump(self, bridge: str, wanted: int) -> str:
        held = self.flows[bridge].items()
        return "".join(f"{place} actions=x\n" for place, text in held if f"cookie={wanted:#x}," in text)

    def replace(self, bridge: str, lines: Any) -> None:
        self.flows[bridge] = {_place(line): line for line in lines}

    def bundle(self, bridge: str, lines: list[str]) -> None:
        if self.forbidden and any(self.forbidden in line for line in lines):
            raise ofctl.SwitchError("refused")
        self.bundles.append(lines)
        for line in lines:
            verb, text = line.removeprefix("flow ").split(" ", 1)
            if verb == "add":
                self.flows[bridge][_place(text)] = text
            elif verb == "delete_strict":
                number, place = re.fullmatch(r"cookie=(\w+)/-1,(.*)", text).groups()  # type: ignore[union-attr]
                if f"cookie={number}," in self.flows[bridge].get(place, ""):
                    del self.flows[bridge][place]
            else:
                number = text.removeprefix("cookie=").removesuffix("/-1")
                kept = {p: f for p, f in self.flows[bridge].items() if f"cookie={number}," not in f}
                self.flows[bridge] = kept

    def meters(self, bridge: str) -> list[Meter]:
        return list(self.held.values())

    def set_meter(self, bridge: str, meter: Meter) -> None:
        if meter.number in self.meters_refused:
            raise ofctl.SwitchError("OFPMMFC_OUT_OF_METERS")
        self.held[meter.number] = meter
        self.told.append(meter.number)

    def delete_meter(self, bridge: str, number: int) -> None:
        assert not any(f"meter:{number}," in text for text in self.flows[bridge].values()), (
            "these would go too"
        )
        del self.held[number]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOfctl]:
    """The module's ofctl replaced."""
    made = FakeOfctl()
    monkeypatch.setattr(module, "ofctl", made)
    yield made


@pytest.fixture
def switch(fake: FakeOfctl) -> Switch:
    """A filled switch with one network."""
    made = Switch()
    made.fill(View(plumbing=Plumbing(1, 1, 2), numbers={"n": 5}))
    return made


def put(switch: Switch, name: str, ofport: int, *limits: Limit) -> None:
    """Wires a port."""
    number = int(name[1:])
    port = Port(
        id=name,
        network_id="n",
        project_id="t",
        mac_address=f"fa:16:3e:00:00:{number:02x}",
        device_id="",
        device_owner="",
        fixed_ips=(FixedIp(ip_address=f"10.0.0.{number}", subnet_id="s"),),
        limits=limits,
    )

    def update(view: View) -> None:
        view.seats[name] = Seat(port, ofport)

    switch.change([Key("port", name), Key("network", "n")], update)


def test_only_differences_are_sent(switch: Switch, fake: FakeOfctl) -> None:
    put(switch, "p1", 7)
    count = len(fake.bundles)
    put(switch, "p1", 7)
    assert len(fake.bundles) == count
    put(switch, "p1", 8)
    assert not [place for place in fake.flows["br-int"] if "in_port=7" in place or "=0x7," in place]


def test_a_removed_port_leaves_no_flow(switch: Switch, fake: FakeOfctl) -> None:
    before = dict(fake.flows["br-int"])
    put(switch, "p1", 7)
    switch.change([Key("port", "p1"), Key("network", "n")], lambda view: view.seats.pop("p1") and None)
    assert fake.flows["br-int"] == before


def test_a_port_that_took_anothers_mac_keeps_its_flow_when_the_other_goes(
    switch: Switch, fake: FakeOfctl
) -> None:
    put(switch, "p1", 7)
    twin = Port(
        id="twin",
        network_id="n",
        project_id="t",
        mac_address="fa:16:3e:00:00:01",
        device_id="",
        device_owner="",
    )
    switch.change([Key("port", "twin")], lambda view: view.seats.update(twin=Seat(twin, 9)))
    switch.change([Key("port", "p1")], lambda view: view.seats.pop("p1") and None)
    reach = [text for place, text in fake.flows["br-int"].items() if "dl_dst=fa:16:3e:00:00:01" in place]
    assert len(reach) == 1 and f"cookie={cookie(Key('port', 'twin')):#x}," in reach[0]


def test_a_refused_bundle_is_cleaned_up_later(switch: Switch, fake: FakeOfctl) -> None:
    fake.forbidden = "fa:16:3e:00:00:01"
    with pytest.raises(ofctl.SwitchError):
        put(switch, "p1", 7)
    fake.forbidden = ""
    put(switch, "p1", 7)
    assert f"flow delete cookie={cookie(Key('port', 'p1')):#x}/-1" in fake.bundles[-1]
    assert [place for place in fake.flows["br-int"] if "in_port=7" in place]


def test_an_epoch_found_in_both_bridges_is_kept(switch: Switch, fake: FakeOfctl) -> None:
    epoch = switch.epoch
    again = Switch()
    assert again.fill(View(plumbing=Plumbing(1, 1, 2))) is False
    assert again.epoch == epoch
    fake.flows["br-tun"].clear()
    assert not again.is_whole(Plumbing(1, 1, 2))
    assert Switch().fill(View(plumbing=Plumbing(1, 1, 2))) is True


def test_nothing_is_done_before_it_is_filled(fake: FakeOfctl) -> None:
    with pytest.raises(NotReady):
        put(Switch(), "p1", 7)


def _place(text: str) -> str:
    return re.sub(r"^cookie=\w+,", "", text).partition(",actions=")[0]


def _limit(rate: int) -> Limit:
    return Limit(direction="egress", unit="kbps", rate=rate, burst=1)


def test_a_changed_rate_changes_the_meter_alone(switch: Switch, fake: FakeOfctl) -> None:
    put(switch, "p1", 7, _limit(5))
    count = len(fake.bundles)
    put(switch, "p1", 7, _limit(6))
    assert len(fake.bundles) == count and fake.held[28].rate == 6
    put(switch, "p1", 7)
    assert not fake.held


def test_a_meter_of_a_port_goes_with_it_but_not_when_another_has_its_place(
    switch: Switch, fake: FakeOfctl
) -> None:
    put(switch, "p1", 7, _limit(5))
    put(switch, "p2", 7, _limit(6))
    switch.change([Key("port", "p1")], lambda view: view.seats.pop("p1") and None)
    assert fake.held[28].rate == 6
    switch.change([Key("port", "p2"), Key("network", "n")], lambda view: view.seats.pop("p2") and None)
    assert not fake.held


def test_meters_that_are_there_are_left_alone_and_strays_go(switch: Switch, fake: FakeOfctl) -> None:
    put(switch, "p1", 7, _limit(5))
    fake.held[99], fake.told = Meter(99, "kbps", 1, 1), []
    again = Switch()
    again.fill(switch._view)
    assert set(fake.held) == {28} and not fake.told


def test_a_refused_meter_leaves_out_its_port_alone(switch: Switch, fake: FakeOfctl) -> None:
    """Also when everything is filled in anew, which must not wait for meters."""
    put(switch, "p1", 7, _limit(5))
    put(switch, "p2", 8)
    put(switch, "p3", 9, _limit(5))
    fake.flows, fake.held, fake.meters_refused = {"br-int": {}, "br-tun": {}}, {}, {28}
    again = Switch()
    again.fill(switch._view)
    ours = {name: cookie(Key("port", name)) for name in ("p1", "p2", "p3")}
    there = {name for name, own in ours.items() if f"cookie={own:#x}," in str(fake.flows)}
    assert there == {"p2", "p3"} and set(fake.held) == {36}
    with pytest.raises(ofctl.SwitchError):
        put(again, "p1", 7, _limit(5))
    fake.meters_refused.clear()
    put(again, "p1", 7, _limit(5))
    assert set(fake.held) == {28, 36}


def test_a_rate_that_was_changed_meanwhile_removes_no_flow(switch: Switch, fake: FakeOfctl) -> None:
    put(switch, "p1", 7, _limit(5))
    flows = dict(fake.flows["br-int"])
    fake.held[28] = Meter(28, "kbps", 77, 1)
    replaced: list[set[str]] = []
    fake.replace = lambda bridge, lines: replaced.append({_place(line) for line in lines})  # type: ignore[method-assign]
    again = Switch()
    again.fill(switch._view)
    assert set(flows) in replaced and fake.held[28].rate == 5
