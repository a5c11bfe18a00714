"""Routers of this host: a namespace each, brought to what its document says, and taken away."""

import hashlib

import msgspec

from contract.document import Key
from contract.router import Router
from ovs_agent import observe, plan
from ovs_agent.apply import Applier, Edges
from ovs_agent.desired import Desired
from ovs_agent.namespaces import advertisements, names, nat
from ovs_agent.namespaces import router as namespaces


class Routers:
    """Different routers may be handled side by side; one router is its caller's queue's."""

    def __init__(self, desired: Desired, edges: Edges, applier: Applier) -> None:
        self._desired = desired
        self._ovsdb = edges.database
        self._switch = edges.switch
        self._directory = edges.directory
        self._applier = applier
        #: What neighbours were told since this process started: a new one tells it again, which does no harm.
        self._announced: dict[str, frozenset[plan.Announcement]] = {}

    def bring(self, router: Router) -> tuple[str, ...]:
        """Makes the namespace as the document says; returns what of it cannot be obeyed.

        Raises ValueError for a document that cannot be obeyed at all, OSError and the edges' errors.
        """
        interior, translation = namespaces.interior(router), nat.compile_nat(router)
        directory = self._directory(router.id)
        files = advertisements.compile_files(router, str(directory))
        wired = frozenset(link.name for link in interior.links if self._is_wired(link.port_id))
        seen = msgspec.structs.replace(
            observe.router(self._ovsdb, self._desired, router.id, directory),
            wired=wired,
            announced=self._announced.get(router.id, frozenset()),
        )
        self._applier.apply(
            plan.router(router.id, interior, (translation, _digest(translation)), files, seen)
        )
        self._announced[router.id] = plan.announcements(interior.inside, wired)
        if files is not None:
            self._applier.watch_dnsmasq(Key(Router.KIND, router.id))
        return interior.faults + translation.faults

    def is_active(self, router: Router) -> bool:
        """Whether all its ports have their flows."""
        return all(self._is_wired(leg.port_id) for leg in namespaces.legs(router))

    def remove(self, router_id: str, router: Router | None) -> None:
        """Takes all of a router off the host; ``router`` is the last that was known of it."""
        outers = {row.name for row in self._ovsdb.interfaces() if row.router_id == router_id}
        outers |= {names.router_outer(leg.port_id) for leg in namespaces.legs(router)} if router else set()
        self._applier.apply(plan.no_router(router_id, names.router_namespace(router_id), outers))
        self._announced.pop(router_id, None)

    def _is_wired(self, port_id: str) -> bool:
        return self._switch.ofport(port_id) is not None


def _digest(translation: nat.Nat) -> str:
    return hashlib.sha256(nat.text(translation).encode()).hexdigest()[:32]
