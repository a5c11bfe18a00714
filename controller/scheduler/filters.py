"""Each filter says why a host will not do, or nothing. Order: cheapest and most telling first."""

from collections.abc import Callable

from controller.scheduler.host_view import HostView, Request

#: The reason for which a host is out, None if it may serve.
Filter = Callable[[HostView, Request], str | None]


def is_wanted(host: HostView, request: Request) -> str | None:
    """An administrator named another host."""
    if request.forced_host and host.host != request.forced_host:
        return f"host {request.forced_host} was asked for"
    return None


def is_enabled(host: HostView, _request: Request) -> str | None:
    """Disabled for new servers by an administrator."""
    return "its compute service is disabled" if host.is_disabled else None


def is_alive(host: HostView, _request: Request) -> str | None:
    """Its agent was heard lately, and follows this database."""
    if not host.is_up:
        return "its compute agent is not heard"
    return f"its compute agent is frozen: {host.frozen}" if host.frozen else None


def has_not_refused(host: HostView, request: Request) -> str | None:
    """It tried already and could not."""
    return "it tried and could not start the server" if host.host in request.rejected_hosts else None


def is_in_zone(host: HostView, request: Request) -> str | None:
    """The availability zone that was asked for."""
    if request.availability_zone and host.availability_zone != request.availability_zone:
        return f"it is in availability zone {host.availability_zone}"
    return None


def has_room(host: HostView, request: Request) -> str | None:
    """Every resource class has enough left."""
    for name, amount in request.resources.items():
        capacity = host.capacities.get(name)
        if amount and (capacity is None or capacity.free < amount):
            left = max(capacity.free, 0) if capacity else 0
            return f"it has {left} {name} left of the {amount} needed"
    return None


FILTERS: tuple[tuple[str, Filter], ...] = (
    ("RequestedHost", is_wanted),
    ("ComputeEnabled", is_enabled),
    ("ComputeAlive", is_alive),
    ("AvailabilityZone", is_in_zone),
    ("Retry", has_not_refused),
    ("Resources", has_room),
)
