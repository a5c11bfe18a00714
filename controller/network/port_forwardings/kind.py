"""What is special about port forwardings in lists and look-ups."""

from controller.network.collection import Kind
from controller.network.port_forwardings.fields import PORT_FORWARDING
from controller.network.port_forwardings.model import PortForwarding

KIND = Kind(
    name="port_forwarding",
    fields=PORT_FORWARDING,
    model=PortForwarding,
    related=lambda _session, _rows: {},
)
