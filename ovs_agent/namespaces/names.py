"""Names of what networks and routers have on their host, all made from their ids and those of their ports."""

PREFIX = "qdhcp-"
OUTER_PREFIX = "svc"
ROUTER_PREFIX = "qrouter-"
ROUTER_OUTER_PREFIX = "rtr"
#: Of a router's own links, inside: what else a kernel has in each namespace (sit0, tunl0) is not ours.
ROUTER_INNER_PREFIXES = ("qr-", "qg-")


def namespace(network_id: str) -> str:
    """The network namespace, under the name that operators know."""
    return f"{PREFIX}{network_id}"


def outer(service_port_id: str) -> str:
    """The end of the veth pair that is plugged into br-int: 15 characters, the kernel's most."""
    return OUTER_PREFIX + _short(service_port_id)


def inner(service_port_id: str) -> str:
    """The end of the veth pair inside the namespace."""
    return "ns-" + _short(service_port_id)


def router_namespace(router_id: str) -> str:
    """A router's namespace, under the name that operators know."""
    return f"{ROUTER_PREFIX}{router_id}"


def router_outer(port_id: str) -> str:
    """The end of a router's link that is plugged into br-int."""
    return ROUTER_OUTER_PREFIX + _short(port_id)


def router_interface(port_id: str) -> str:
    """A router's link to an inner network, inside its namespace, under the name that operators know."""
    return f"qr-{port_id[:11]}"


def router_gateway(port_id: str) -> str:
    """A router's link to an external network, inside its namespace, under the name that operators know."""
    return f"qg-{port_id[:11]}"


def _short(port_id: str) -> str:
    return port_id.replace("-", "")[:12]
