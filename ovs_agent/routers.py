"""Routers of this host: a namespace each, brought to what its document says, and taken away."""

import hashlib
from typing import NamedTuple

import msgspec

from contract.document import Key
from contract.router import Router
from ovs_agent import observe, plan
from ovs_agent.apply import Applier, Edges
from ovs_agent.desired import Desired
from ovs_agent.host import netns
from ovs_agent.namespaces import advertisements, names, nat
from ovs_agent.namespaces import router as namespaces
from ovs_agent.namespaces.dhcp import Files


class _Wanted(NamedTuple):
    """A router's document, compiled."""

    interior: namespaces.Interior
    nat: nat.Nat
    files: Files | None


class Routers:
    """Different routers may be handled side by side; one router is its caller's queue's."""

    def __init__(self, desired: Desired, edges: Edges, applier: Applier) -> None:
        self._desired = desired
        self._ovsdb = edges.database
        self._switch = edges.switch
        self._directory = edges.directory
        self._changes = edges.changes
        self._applier = applier
        #: What neighbours were told since this process started: a new one tells it again, which does no harm.
        self._announced: dict[str, frozenset[plan.Announcement]] = {}
        self._translated: dict[str, nat.Nat] = {}

    def bring(self, router: Router) -> tuple[str, ...]:
        """Makes the namespace as the document says; returns what of it cannot be obeyed.

        Raises ValueError for a document that cannot be obeyed at all, OSError and the edges' errors.
        """
        wanted = self._wanted(router)
        interior = wanted.interior
        if netns.exists(interior.namespace):
            self._changes.follow(interior.namespace)
        wired = frozenset(link.name for link in interior.links if self._is_wired(link.port_id))
        self._applier.apply(self._actions(router.id, wanted, wired))
        self._announced[router.id] = plan.announcements(interior.inside, wired)
        self._translated[router.id] = wanted.nat
        if wanted.files is not None:
            self._applier.watch_dnsmasq(Key(Router.KIND, router.id))
        return interior.faults + wanted.nat.faults

    def lacking(self, router: Router) -> tuple[plan.Action, ...]:
        """What would be done now to have it as its document says. Raises as ``bring`` does."""
        return self._actions(router.id, self._wanted(router), frozenset()) if router.is_admin_up else ()

    def _wanted(self, router: Router) -> _Wanted:
        files = advertisements.compile_files(router, str(self._directory(router.id)))
        return _Wanted(namespaces.interior(router), nat.compile_nat(router), files)

    def _actions(self, router_id: str, wanted: _Wanted, wired: frozenset[str]) -> tuple[plan.Action, ...]:
        seen = msgspec.structs.replace(
            observe.router(self._ovsdb, self._desired, router_id, self._directory(router_id)),
            wired=wired,
            announced=self._announced.get(router_id, frozenset()),
            translated=self._translated.get(router_id),
        )
        translation = (wanted.nat, _digest(wanted.nat))
        return plan.router(router_id, wanted.interior, translation, wanted.files, seen)

    def is_active(self, router: Router) -> bool:
        """Whether all its ports have their flows."""
        return all(self._is_wired(leg.port_id) for leg in namespaces.legs(router))

    def remove(self, router_id: str, router: Router | None) -> None:
        """Takes all of a router off the host; ``router`` is the last that was known of it."""
        outers = {row.name for row in self._ovsdb.interfaces() if row.router_id == router_id}
        outers |= {names.router_outer(leg.port_id) for leg in namespaces.legs(router)} if router else set()
        self._applier.apply(plan.no_router(router_id, names.router_namespace(router_id), outers))
        self._announced.pop(router_id, None)
        self._translated.pop(router_id, None)

    def _is_wired(self, port_id: str) -> bool:
        return self._switch.ofport(port_id) is not None


def _digest(translation: nat.Nat) -> str:
    return hashlib.sha256(nat.text(translation).encode()).hexdigest()[:32]
