"""NICs of a domain: one tap on the integration bridge each."""

from contract.server import Interface
from nova_compute.domain.element import Element, element
from nova_compute.domain.machine import Machine

_OFFLOADS_OF_HOST = ("csum", "gso", "tso4", "tso6", "ecn", "ufo")
_OFFLOADS_OF_GUEST = ("csum", "tso4", "tso6", "ecn", "ufo")


def tap(port_id: str) -> str:
    """The name of a port's tap: within the kernel's 15 characters, as neutron names them."""
    return f"tap{port_id[:11]}"


def alias(port_id: str) -> str:
    """The device's name in the domain, by which it is recognised."""
    return f"ua-{port_id}"


def interface(nic: Interface, machine: Machine) -> Element:
    """The ``<interface>`` element. libvirt itself writes iface-id and vm-id to the switch's database."""
    port = element("parameters", interfaceid=nic.port_id)
    return element(
        "interface",
        element("mac", address=nic.mac_address),
        element("source", bridge=machine.bridge),
        element("virtualport", port, type_="openvswitch"),
        element("target", dev=tap(nic.port_id)),
        element("model", type_="virtio"),
        _driver(machine),
        element("mtu", size=nic.mtu) if nic.mtu else None,
        element("alias", name=alias(nic.port_id)),
        type_="bridge",
    )


def _driver(machine: Machine) -> Element | None:
    """On the userspace datapath nobody completes partial checksums: TCP from a stock guest would die."""
    if not machine.is_userspace_datapath:
        return None
    host = element("host", **dict.fromkeys(_OFFLOADS_OF_HOST, "off"))
    guest = element("guest", **dict.fromkeys(_OFFLOADS_OF_GUEST, "off"))
    return element("driver", host, guest, name="qemu")
