"""How much a host is preferred among those that will do: the emptiest first, by share of what is left."""

from controller.scheduler.host_view import HostView, Request


def free_share(host: HostView, request: Request) -> float:
    """The smallest share left of any class that the server uses, after it was placed: 0 to 1."""
    shares = []
    for name, amount in request.resources.items():
        capacity = host.capacities.get(name)
        usable = (capacity.total - capacity.reserved) * capacity.allocation_ratio if capacity else 0
        if amount and capacity is not None and usable > 0:
            shares.append((capacity.free - amount) / usable)
    return min(shares, default=0.0)
