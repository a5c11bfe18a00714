"""Names of what a network has on its host, all made from the ids of network and service port."""

PREFIX = "qdhcp-"
OUTER_PREFIX = "svc"


def namespace(network_id: str) -> str:
    """The network namespace, under the name that operators know."""
    return f"{PREFIX}{network_id}"


def outer(service_port_id: str) -> str:
    """The end of the veth pair that is plugged into br-int: 15 characters, the kernel's most."""
    return OUTER_PREFIX + _short(service_port_id)


def inner(service_port_id: str) -> str:
    """The end of the veth pair inside the namespace."""
    return "ns-" + _short(service_port_id)


def _short(service_port_id: str) -> str:
    return service_port_id.replace("-", "")[:12]
