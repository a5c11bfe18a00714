"""The flows of both bridges: what is installed, changed by atomic bundles, reloaded when the switch forgot.

Every change names the owners (documents) that it concerns; their flows are compiled anew and the difference
to what is installed goes into one bundle. Whoever waits for the lock finds its change done by the one
before it: a burst costs few bundles. A bundle that is refused is tried again owner by owner, so that one
tenant's flow cannot keep out another's.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contract.document import Key
from ovs_agent.flows import epoch
from ovs_agent.flows.flow import Compiled, Flow, Meter, cookie
from ovs_agent.flows.pipeline import View, compile_owner
from ovs_agent.flows.tunnel import Plumbing
from ovs_agent.host import ofctl

LOG = logging.getLogger(__name__)

INTEGRATION, TUNNEL = "br-int", "br-tun"


class NotReady(Exception):
    """The switch is not there or was not filled yet; filling it will look at every document again."""


@dataclass
class _Ticket:
    """One caller's change."""

    owners: tuple[Key, ...]
    update: Callable[[View], None]
    is_done: bool = False
    error: Exception | None = None


@dataclass
class _Installed:
    """Flows by owner and place, and meters by number with their owner, as the switch has them."""

    integration: dict[Key, dict[str, Flow]] = field(default_factory=dict)
    tunnel: dict[Key, dict[str, Flow]] = field(default_factory=dict)
    meters: dict[int, tuple[Key, Meter]] = field(default_factory=dict)


class Switch:
    """Thread-safe."""

    def __init__(self) -> None:
        self._queue_lock = threading.Lock()
        self._queue: list[_Ticket] = []
        self._lock = threading.Lock()
        self._view = View()
        self._installed = _Installed()
        self._faults: dict[Key, tuple[str, ...]] = {}
        self._unsure: set[Key] = set()
        self._is_ready = False

    @property
    def epoch(self) -> int:
        """The number of the present filling; 0 while the switch is not ready."""
        return self._view.epoch if self._is_ready else 0

    def ofport(self, port_id: str) -> int | None:
        """Where the flows of a port say it is plugged; None without flows."""
        seat = self._view.seats.get(port_id)
        return seat.ofport if seat else None

    def network_of(self, port_id: str) -> str | None:
        """The network that the flows of a port belong to; None without flows."""
        seat = self._view.seats.get(port_id)
        return seat.port.network_id if seat else None

    def number(self, network_id: str) -> int | None:
        """The local number that a network's flows have."""
        return self._view.numbers.get(network_id)

    def ports_of(self, network_id: str) -> list[str]:
        """Ports of a network that have flows."""
        return [key for key, seat in list(self._view.seats.items()) if seat.port.network_id == network_id]

    def ports_in(self, group_id: str) -> list[str]:
        """Ports of a security group that have flows."""
        seats = list(self._view.seats.items())
        return [key for key, seat in seats if group_id in seat.port.security_group_ids]

    def is_stateful(self, group_id: str) -> bool:
        """Whether the flows take a group for stateful; an unknown one counts as such."""
        group = self._view.groups.get(group_id)
        return group is None or group.is_stateful

    def owners(self) -> dict[int, Key]:
        """Documents that have flows, by the cookie of these."""
        return {cookie(owner): owner for owner in [*self._installed.integration, *self._installed.tunnel]}

    def faults(self, owner: Key) -> tuple[str, ...]:
        """What of a document could not become flows."""
        return self._faults.get(owner, ())

    def change(self, owners: Iterable[Key], update: Callable[[View], None]) -> None:
        """Applies ``update`` and brings the owners' flows into the switch before it returns.

        Raises NotReady and ofctl.SwitchError.
        """
        ticket = _Ticket(tuple(owners), update)
        with self._queue_lock:
            self._queue.append(ticket)
        with self._lock:
            if not ticket.is_done:
                self._work_off()
        if ticket.error is not None:
            raise ticket.error

    def is_whole(self, plumbing: Plumbing | None) -> bool:
        """Whether this filling is still in both bridges and they are joined as it says.

        Raises ofctl.SwitchError.
        """
        if not self._is_ready or self._view.plumbing != plumbing:
            return False
        return self._found_epoch() == self._view.epoch

    def fill(self, view: View) -> bool:
        """Makes both bridges exactly what ``view`` says; what is there already is not touched.

        Returns whether the switch had forgotten, so that marks of before are void. Raises ofctl.SwitchError.
        """
        with self._lock:
            self._is_ready = False
            found = self._found_epoch()
            view.epoch = found if found is not None else secrets.randbits(31) | 1
            compiled = {owner: compile_owner(view, owner) for owner in view.owners()}
            there = _meters_there()
            installed = _Installed(meters=there)
            for owner, flows in compiled.items():
                if _claim(owner, flows, there):
                    self._note(owner, flows, installed)
            ofctl.replace(TUNNEL, _texts(installed.tunnel))
            ofctl.replace(INTEGRATION, _texts(installed.integration))
            _drop_meters(there, {epoch.EVERYONE: ()})
            self._view, self._installed, self._is_ready = view, installed, True
            self._unsure.clear()
            self._install_limited(owner for owner, flows in compiled.items() if flows.meters)
            return found is None

    def _install_limited(self, owners: Iterable[Key]) -> None:
        """Makes meters, each by a program's run, and the flows that had to wait for them: other ports are there
        already. One whose meter is refused is tried again by its handler."""
        for owner in sorted(owners):
            try:
                self._install({owner})
            except ofctl.SwitchError as error:
                LOG.warning("%s %s is not filled in: %s", owner.kind, owner.id, error)

    def forget(self) -> None:
        """The switch is gone: nothing is done until it is filled again."""
        with self._lock:
            self._is_ready = False

    def _found_epoch(self) -> int | None:
        """The epoch that both bridges agree on."""
        seen = {epoch.epoch_of(ofctl.dump(b, epoch.canary_cookie())) for b in (INTEGRATION, TUNNEL)}
        return seen.pop() if len(seen) == 1 else None

    def _work_off(self) -> None:
        with self._queue_lock:
            tickets, self._queue = self._queue, []
        if not self._is_ready:
            for ticket in tickets:
                ticket.error, ticket.is_done = NotReady("the switch is not filled yet"), True
            return
        for ticket in tickets:
            ticket.update(self._view)
        try:
            self._install({owner for ticket in tickets for owner in ticket.owners})
        except ofctl.SwitchError as error:
            self._one_by_one(tickets, error)
        for ticket in tickets:
            ticket.is_done = True

    def _one_by_one(self, tickets: list[_Ticket], first: ofctl.SwitchError) -> None:
        if len(tickets) == 1:
            tickets[0].error = first
            return
        for ticket in tickets:
            try:
                self._install(set(ticket.owners))
            except ofctl.SwitchError as error:
                ticket.error = error

    def _install(self, owners: set[Key]) -> None:
        compiled = {owner: compile_owner(self._view, owner) for owner in sorted(owners)}
        _set_meters(compiled, self._installed.meters)
        unsure, self._unsure = self._unsure & owners, self._unsure | owners
        for bridge, installed, side in (
            (TUNNEL, self._installed.tunnel, "tunnel"),
            (INTEGRATION, self._installed.integration, "integration"),
        ):
            lines = [
                line
                for owner, flows in compiled.items()
                for line in _difference(
                    owner, None if owner in unsure else installed.get(owner, {}), getattr(flows, side)
                )
            ]
            if lines:
                ofctl.bundle(bridge, lines)
        for owner, flows in compiled.items():
            self._note(owner, flows, self._installed)
        self._unsure -= owners
        _drop_meters(self._installed.meters, {owner: flows.meters for owner, flows in compiled.items()})

    def _note(self, owner: Key, flows: Compiled, installed: _Installed) -> None:
        for side, made in ((installed.integration, flows.integration), (installed.tunnel, flows.tunnel)):
            side.pop(owner, None)
            if made:
                side[owner] = {flow.place: flow for flow in made}
        self._faults.pop(owner, None)
        if flows.faults:
            self._faults[owner] = flows.faults
            LOG.warning("%s %s: %s", owner.kind, owner.id, "; ".join(flows.faults[:10]))


def _meters_there() -> dict[int, tuple[Key, Meter]]:
    """What the switch has, nobody's yet; nothing where it cannot say, as without support for meters."""
    try:
        return {meter.number: (epoch.EVERYONE, meter) for meter in ofctl.meters(INTEGRATION)}
    except ofctl.SwitchError as error:
        LOG.warning("meters: %s", error)
        return {}


def _claim(owner: Key, flows: Compiled, there: dict[int, tuple[Key, Meter]]) -> bool:
    """Makes the meters that flows use their owner's, whatever their rate, if the switch has all of them."""
    if any(meter.number not in there for meter in flows.meters):
        return False
    there.update({meter.number: (owner, there[meter.number][1]) for meter in flows.meters})
    return True


def _set_meters(compiled: Mapping[Key, Compiled], installed: dict[int, tuple[Key, Meter]]) -> None:
    """Before the flows that use them. A port that is plugged where another one was takes its meters over."""
    for owner, flows in compiled.items():
        for meter in flows.meters:
            if meter.number not in installed or installed[meter.number][1] != meter:
                ofctl.set_meter(INTEGRATION, meter)
            installed[meter.number] = (owner, meter)


def _drop_meters(installed: dict[int, tuple[Key, Meter]], wanted: Mapping[Key, tuple[Meter, ...]]) -> None:
    """Meters of these owners that they no longer want, after the flows that used them: these would go with them."""
    for number, (owner, _) in list(installed.items()):
        if owner in wanted and number not in {meter.number for meter in wanted[owner]}:
            ofctl.delete_meter(INTEGRATION, number)
            del installed[number]


def _difference(owner: Key, before: dict[str, Flow] | None, after: tuple[Flow, ...]) -> Iterable[str]:
    """Removals carry the owner's cookie: a flow that another owner has put in the same place stays.

    ``before`` None means that a bundle failed and nobody knows: all of the owner's flows go first.
    """
    number = cookie(owner)
    if before is None:
        yield f"flow delete cookie={number:#x}/-1"
        before = {}
    wanted = {flow.place: flow for flow in after}
    for place in before.keys() - wanted.keys():
        yield f"flow delete_strict cookie={number:#x}/-1,{place}"
    for place, flow in wanted.items():
        if before.get(place) != flow:
            yield f"flow add {flow.text(number)}"


def _texts(installed: dict[Key, dict[str, Flow]]) -> Iterable[str]:
    for owner, flows in installed.items():
        number = cookie(owner)
        for flow in flows.values():
            yield flow.text(number)
