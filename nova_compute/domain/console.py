"""Consoles of a domain: the serial port written to a file, and the screen."""

from nova_compute.domain.element import Element, element
from nova_compute.domain.machine import Machine


def serial(path: str) -> Element:
    """The serial port; the file is appended to, so that a reboot does not lose the last words."""
    return element(
        "serial",
        element("source", path=path, append="on"),
        element("target", port=0),
        type_="file",
    )


def screen(machine: Machine) -> list[Element]:
    """A VNC server on the loopback: only this host's proxy reaches it."""
    if not machine.is_vnc_enabled:
        return []
    graphics = element("graphics", type_="vnc", port=-1, autoport="yes", listen="127.0.0.1")
    return [graphics, element("video", element("model", type_="vga", vram=16384, heads=1))]
