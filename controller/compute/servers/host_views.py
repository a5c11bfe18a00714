"""Rows → what the scheduler looks at: all compute hosts in three queries."""

from sqlalchemy.orm import Session

from controller.compute import zones
from controller.compute.servers.model import Server
from controller.db import agents
from controller.placement import allocations
from controller.scheduler.host_view import Capacity, HostView, Request


def load(session: Session) -> list[HostView]:
    """Every compute host with its capacities."""
    usage = allocations.host_usage(session)
    elsewhere = zones.of_hosts(session)
    return [
        HostView(
            host=agent.host,
            provider_id=agent.id,
            is_up=agent.is_up,
            is_disabled=agent.is_disabled,
            frozen=agent.frozen,
            availability_zone=elsewhere.get(agent.host, zones.DEFAULT_ZONE),
            capacities={
                name: Capacity(total=u.total, reserved=u.reserved, allocation_ratio=u.ratio, allocated=u.used)
                for name, u in usage.get(agent.id, {}).items()
            },
        )
        for agent in agents.of_kind(session, "nova-compute")
    ]


def request_of(server: Server, rejected_hosts: frozenset[str] = frozenset()) -> Request:
    """What a server needs of a host. A root disk on a volume takes none of the host's disk."""
    disk = (server.disk_gib if server.boot_image else 0) + server.ephemeral_gib
    resources = {"VCPU": server.vcpus, "MEMORY_MB": server.ram_mib, "DISK_GB": disk}
    return Request(
        resources={k: amount for k, amount in resources.items() if amount},
        availability_zone=server.requested_zone or "",
        forced_host=server.forced_host or "",
        rejected_hosts=rejected_hosts,
    )
