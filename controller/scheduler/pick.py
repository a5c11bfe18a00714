"""Which hosts may take a server, best first, and why the others may not. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from controller.scheduler.filters import FILTERS
from controller.scheduler.host_view import HostView, Request
from controller.scheduler.weighers import free_share


@dataclass(frozen=True)
class Rejection:
    """A host that is out: which filter, and its reason."""

    host: str
    filter: str
    reason: str


@dataclass(frozen=True)
class Ranking:
    """Hosts that may serve, best first, and the rejections of all others."""

    candidates: tuple[HostView, ...]
    rejections: tuple[Rejection, ...]

    def explain(self) -> str:
        """For administrators: each filter with the hosts that it rejected."""
        if not self.rejections:
            return "There is no compute host: start nova-compute on one."
        lines = [f"{r.filter}: {r.host}: {r.reason}" for r in self.rejections]
        return "No valid host. " + "; ".join(lines) + "."


def pick(request: Request, hosts: Iterable[HostView]) -> Ranking:
    """Filters and ranks. Equal hosts are ordered by name, so that the answer is the same each time."""
    candidates: list[HostView] = []
    rejections: list[Rejection] = []
    for host in hosts:
        rejection = _reject(request, host)
        if rejection is None:
            candidates.append(host)
        else:
            rejections.append(rejection)
    candidates.sort(key=lambda h: (-free_share(h, request), h.host))
    return Ranking(tuple(candidates), tuple(rejections))


def _reject(request: Request, host: HostView) -> Rejection | None:
    for name, check in FILTERS:
        reason = check(host, request)
        if reason is not None:
            return Rejection(host.host, name, reason)
    return None
