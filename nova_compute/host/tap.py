"""Keeps the host's own IP stack off a guest's tap."""

import contextlib
import pathlib

_SETTINGS = {"ipv6/conf/{}/disable_ipv6": "1", "ipv4/conf/{}/arp_ignore": "1"}


def silence(name: str) -> None:
    """No IPv6 of the host on the tap, no ARP answers for the host's addresses: userspace Open vSwitch only
    copies frames, so the kernel sees them too. Does what it can."""
    for setting, value in _SETTINGS.items():
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/sys/net", setting.format(name)).write_text(value)
